"""Dialect B for clients that read only the body: errors under HTTP 200, if the deployment is set so."""

from typing import Any

import pytest

from services.command_api.desk.desk import Away, Unknown
from shared.events.rules import Rule
from tests.support.fakes.desks import DANA, SHORT, WAITING, Clerk, refused

ZOHO = "/people/api/timetracker"
PAUSE = f"{ZOHO}/timer?timeLogId={SHORT}&timer=stop"


async def _statuses(path: str, **mood: Any) -> tuple[int, int]:  # noqa: ANN401 - the arguments of a clerk
    """Return the status with the setting off and on. The bodies are the same."""
    async with Clerk(**({"caller": DANA} | mood)).client() as client:
        off = await client.get(path)
    async with Clerk(**({"caller": DANA} | mood)).client(zoho_errors_as_200=True) as client:
        on = await client.get(path)
    assert (off.content, off.headers) == (on.content, on.headers)
    return off.status_code, on.status_code


@pytest.mark.parametrize("form", ["", "&format=xml"])
@pytest.mark.parametrize(
    ("path", "mood", "statuses"),
    [
        (f"{ZOHO}/timer?x=1", {}, (400, 200)),
        (f"{PAUSE}&timer=start", {}, (400, 200)),
        (PAUSE, {"answer": refused(Rule.NOT_THE_OWNER)}, (400, 200)),
        (PAUSE, {"answer": refused(Rule.INTERNAL)}, (500, 200)),
        (f"{ZOHO}/getcurrentlyrunningtimer?dateFormat=x", {}, (400, 200)),
        (PAUSE, {"answer": refused(Rule.RATE_LIMITED)}, (429, 429)),
        (PAUSE, {"caller": Unknown()}, (401, 401)),
        (PAUSE, {"caller": Away()}, (503, 503)),
        (PAUSE, {"answer": WAITING}, (503, 503)),
        (f"{ZOHO}/nothing?x=1", {}, (404, 404)),
        (PAUSE, {}, (200, 200)),
    ],
)
async def test_errors_of_calls_are_200_but_401_429_and_503_stay(
    path: str, mood: dict[str, object], statuses: tuple[int, int], form: str
) -> None:
    assert await _statuses(path + form, **mood) == statuses


async def test_other_dialects_keep_their_statuses() -> None:
    for path in ("/v1/timers/x", "/v2/timer/open?limit=0"):
        off, on = await _statuses(path)
        assert off == on != 200
