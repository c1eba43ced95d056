"""Quotas in dialect A: every call with a token is counted once, and one too many is 400, as all that is wrong here."""

from typing import Any, Final

import pytest
from starlette.routing import Route

from services.command_api.desk.desk import Away, OverThreshold, Unknown
from services.command_api.dialects.thebase import calls
from shared.events.rules import Rule
from tests.support.fakes.desks import DANA, MACHINE, SHORT, Clerk, QuotasInHand

OVER: Final = OverThreshold(7)
TOKEN: Final = "/oauth/token"
ERROR: Final = {
    "code": "BadRequest",
    "title": "Bad Request",
    "message": "There were too many requests.",
    "type": "tag:oracle.com,2020:error/BadRequest",
    "instance": "tag:stint.invalid,2026:timer",
}


def its_calls() -> list[tuple[str, str]]:
    """Return the method and an address of each call that has a token."""
    routes = [route for route in calls.routes(None) if isinstance(route, Route)]  # type: ignore[arg-type]
    return [
        (method, route.path.replace("{", "").replace("}", ""))
        for route in routes
        for method in sorted((route.methods or set()) - {"HEAD"})
        if route.path != TOKEN
    ]


@pytest.mark.parametrize(("method", "path"), its_calls())
async def test_every_call_answers_400_over_the_quota_and_does_nothing_else(method: str, path: str) -> None:
    clerk = Clerk(thebase_quotas=QuotasInHand(OVER))
    async with clerk.client() as client:
        answer = await client.request(method, path, content=b"{nonsense")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (400, "7", ERROR)
    assert (clerk.submitted, clerk.asked, clerk.thebase_quotas.counted) == ([], [], [MACHINE])
    assert clerk.tally.turned_away["thebase", Rule.RATE_LIMITED] == 1


@pytest.mark.parametrize(("method", "path"), its_calls())
async def test_every_call_within_the_quota_is_counted_once(method: str, path: str) -> None:
    """The control."""
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        assert "Retry-After" not in (await client.request(method, path, content=b"{nonsense")).headers
    assert clerk.thebase_quotas.counted == [DANA]
    assert clerk.tally.turned_away["thebase", Rule.RATE_LIMITED] == 0


@pytest.mark.parametrize(("caller", "status"), [(Unknown(), 401), (Away(), 503)])
async def test_a_request_without_a_known_token_takes_from_no_quota(caller: Unknown | Away, status: int) -> None:
    clerk = Clerk(caller=caller, thebase_quotas=QuotasInHand(OVER))
    async with clerk.client() as client:
        assert (await client.post("/v2/timer/start", json={"owner": "dana"})).status_code == status
    assert clerk.thebase_quotas.counted == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (TOKEN, {"data": {"grant_type": "client_credentials"}}),
        ("/people/api/timetracker/timer", {"data": {"timer": "stop", "timeLogId": str(SHORT)}}),
        ("/v1/timers", {"json": {"owner": "dana"}}),
    ],
)
async def test_no_other_call_takes_from_this_quota(path: str, said: dict[str, Any]) -> None:
    clerk = Clerk(thebase_quotas=QuotasInHand(OVER))
    async with clerk.client() as client:
        assert "Retry-After" not in (await client.post(path, **said)).headers
    assert clerk.thebase_quotas.counted == []
