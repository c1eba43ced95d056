"""Paths: an encoded slash separates nothing, in every dialect and on every call."""

import pytest

from tests.support.fakes.desks import DANA, LONG, SHORT, Clerk

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
