"""Headers: a single-value header sent twice counts as absent, in every dialect and on every call."""

import re
from typing import Final

import httpx2 as httpx
import pytest
from starlette.routing import Route

from services.command_api import dialects
from tests.support.fakes.desks import DANA, EVENT_ID, LONG, MACHINE, PARTITIONS, SHORT, Clerk

ZOHO = "/people/api/timetracker"
CALLS = [
    ("POST", "/v2/timer/start"),
    ("PUT", f"/v2/timer/{LONG}"),
    ("GET", "/v2/timer/open"),
    ("POST", f"{ZOHO}/timer?timeLogId={SHORT}&timer=stop"),
    ("GET", f"{ZOHO}/getcurrentlyrunningtimer"),
    ("POST", "/v1/timers"),
    ("POST", f"/v1/timers/{LONG}/pause"),
    ("POST", f"/v1/timers/{LONG}/resume"),
    ("POST", f"/v1/timers/{LONG}/stop"),
    ("GET", f"/v1/timers/{LONG}"),
    ("GET", f"/v1/outcomes/{EVENT_ID}"),
]
PRESSES = [call for call in CALLS if call[0] != "GET"]
NAMED: Final = {"timer_id": LONG, "event_id": str(EVENT_ID), "revision": "10"}


def reads() -> list[str]:
    """Return an address of every call that reads. Dialect B's timer is pressed by GET too, and reads nothing."""
    routes = [route for route in dialects.routes(None) if isinstance(route, Route)]  # type: ignore[arg-type]
    paths = [route.path for route in routes if "GET" in (route.methods or set()) and route.path != f"{ZOHO}/timer"]
    return [re.sub(r"{(\w+)}", lambda name: NAMED.get(name[1], name[1]), path) for path in paths]


def reader(path: str) -> Clerk:
    """Return a desk with a caller that may read there: only a person has a running timer, and none reads a policy."""
    return Clerk(caller=DANA if path.startswith(ZOHO) else MACHINE)


async def _sent(clerk: Clerk, method: str, path: str, *headers: tuple[str, str]) -> httpx.Response:
    body = b'{"owner":"dana"}' if path in {"/v2/timer/start", "/v1/timers"} else b""
    async with clerk.client() as client:
        return await client.request(method, path, content=body, headers=list(headers))


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_two_authorizations_are_none(method: str, path: str) -> None:
    """A gateway that believes the last one would let one person act as another."""
    clerk = Clerk(caller=DANA)
    await _sent(clerk, method, path, ("Authorization", "Bearer a"))
    await _sent(clerk, method, path, ("Authorization", "Bearer a"), ("Authorization", "Bearer a"))
    await _sent(clerk, method, path, ("Authorization", "Bearer a"), ("authorization", "Zoho-oauthtoken b"))
    assert clerk.shown == ["Bearer a", None, None]


@pytest.mark.parametrize(("method", "path"), PRESSES)
async def test_two_idempotency_keys_are_malformed(method: str, path: str) -> None:
    clerk = Clerk(caller=DANA)
    answer = await _sent(clerk, method, path, ("Idempotency-Key", "k"), ("Idempotency-Key", "k"))
    assert (answer.status_code, clerk.submitted) == (400, [])


@pytest.mark.parametrize("path", reads())
@pytest.mark.parametrize("positions", [("3:42", "3:42"), ("3:42", "4:1"), ("3:42, 4:1",), ("",), ("3",), ("3:-1",)])
async def test_a_position_that_is_none_or_two_is_malformed(path: str, positions: tuple[str, ...]) -> None:
    clerk = reader(path)
    answer = await _sent(clerk, "GET", path, *(("X-Min-Position", position) for position in positions))
    assert (answer.status_code, clerk.asked) == (400, [])


@pytest.mark.parametrize("path", reads())
async def test_a_position_on_no_partition_is_malformed(path: str) -> None:
    """No read model will ever pass it, so a 503 would make its caller retry for ever."""
    answer = await _sent(reader(path), "GET", path, ("X-Min-Position", f"{PARTITIONS}:0"))
    assert answer.status_code == 400
    if path.startswith(ZOHO):
        assert answer.json()["response"]["errors"]["code"] == 8001


@pytest.mark.parametrize("path", reads())
async def test_every_read_waits_two_seconds_for_the_position_and_answers_503(path: str) -> None:
    clerk = reader(path)
    clerk.fresh = False
    answer = await _sent(clerk, "GET", path, ("X-Min-Position", "3:42"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert clerk.asked == [("wait_for", "acme", 3, 42, 2.0)]


async def test_two_traces_are_none() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    clerk = Clerk()
    await _sent(clerk, "POST", "/v1/timers", ("traceparent", trace), ("traceparent", trace))
    assert clerk.only.traceparent is None


async def test_preferences_may_come_in_several_headers() -> None:
    clerk = Clerk()
    await _sent(clerk, "POST", "/v1/timers", ("Prefer", "respond-async"), ("Prefer", "wait=7"))
    assert clerk.only.wait_seconds == 7.0
