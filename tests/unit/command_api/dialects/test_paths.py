"""Paths: an encoded slash separates nothing, and what is not UTF-8 names nobody, in every dialect and on every call."""

import pytest

from tests.support.fakes.desks import ADMIN, DANA, LONG, SHORT, Clerk

ZOHO = "people/api/timetracker"


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", f"/v1/timers/{LONG}%2Fstop", "application/problem+json"),
        ("POST", f"/v1/timers%2f{LONG}/pause", "application/problem+json"),
        ("POST", "/v1%2Ftimers", "application/problem+json"),
        ("GET", f"/v1%2Ftimers/{LONG}", "application/problem+json"),
        ("POST", "/v2/timer%2Fstart", "application/json"),
        ("PUT", f"/v2/timer%2F{LONG}", "application/json"),
        ("GET", "/v2/timer%2fopen", "application/json"),
        ("POST", "/oauth%2Ftoken", "application/json"),
        ("GET", f"/{ZOHO}%2Ftimer?timeLogId={SHORT}&timer=stop", "application/json"),
        ("GET", f"/{ZOHO}%2Ftimer?timeLogId={SHORT}&timer=stop&format=xml", "application/xml"),
    ],
)
async def test_an_encoded_slash_is_404_in_the_dialects_words(method: str, path: str, kind: str) -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.request(method, path, content=b'{"owner":"dana"}')
    assert (answer.status_code, answer.headers["content-type"]) == (404, kind)
    assert (clerk.submitted, clerk.asked) == ([], [])


async def test_an_encoded_slash_in_a_query_is_text() -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.get(f"/{ZOHO}/timer?timeLogId={SHORT}&timer=stop&x=%2F")
    assert (answer.status_code, len(clerk.submitted)) == (200, 1)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/owners/Jos%E9/texts"),
        ("PUT", "/v1/owners/Jos%e9/leave/2026-04-02"),
        ("POST", "/v1/owners/%80/attendance"),
        ("PUT", "/v1/owners/dana/estimates/caf%E9"),
        ("PUT", "/v1/owners/%C3"),
        ("GET", "/v1/owners/%ED%A0%80"),
        ("GET", "/v1/owners/Jos%E9/days"),
        ("GET", "/v1/jobs/%C0%80/days"),
        ("POST", f"/v1/timers/{LONG}%ff/stop"),
    ],
)
async def test_a_path_that_is_not_utf_8_is_refused_in_dialect_c(method: str, path: str) -> None:
    """Read with U+FFFD in it, the path would name another owner, on a log that is kept for ever."""
    clerk = Clerk(caller=ADMIN)
    async with clerk.client() as client:
        answer = await client.request(method, path, content=b'{"checked_in_at":"2026-01-05T08:00:00Z","seconds":1}')
    said = answer.json()
    assert (answer.status_code, said["rule"], said["detail"]) == (400, "R03", "The path is not UTF-8.")
    assert (clerk.submitted, clerk.asked) == ([], [])


@pytest.mark.parametrize("path", [f"/v2/timer/{LONG}%E9", "/v2/timer/st%E9rt", "/oauth/tok%E9n"])
async def test_a_path_that_is_not_utf_8_names_no_timer_in_dialect_a(path: str) -> None:
    clerk = Clerk()
    async with clerk.client() as client:
        answer = await client.put(path)
        unknown = await client.put("/v2/timer/none")
    assert (answer.status_code, answer.content) == (404, unknown.content)
    assert clerk.submitted == []


@pytest.mark.parametrize(("query", "kind"), [("", "application/json"), ("&format=xml", "application/xml")])
async def test_a_path_that_is_not_utf_8_is_refused_in_dialect_b(query: str, kind: str) -> None:
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        answer = await client.get(f"/{ZOHO}/tim%E9r?timeLogId={SHORT}&timer=stop{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, kind)
    assert "8001" in answer.text
    assert clerk.submitted == []


@pytest.mark.parametrize("owner", ["Jos%C3%A9", "%EF%BF%BD", "%F0%9F%98%80", "100%25"])
async def test_an_owner_beyond_ascii_is_named_in_utf_8(owner: str) -> None:
    clerk = Clerk(caller=ADMIN)
    async with clerk.client() as client:
        answer = await client.get(f"/v1/owners/{owner}")
    assert (answer.status_code, len(clerk.asked)) == (200, 1)
