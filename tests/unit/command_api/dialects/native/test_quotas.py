"""Quotas in dialect C: every call is counted once and may answer 429. No call of another dialect is counted here."""

from typing import Final

import pytest
from starlette.routing import Route

from services.command_api import dialects
from services.command_api.desk.desk import Away, OverThreshold, Unknown
from services.command_api.dialects.native import calls
from shared.events.rules import Rule
from tests.support.fakes.desks import DANA, LONG, MACHINE, SHORT, Clerk, QuotasInHand

OVER: Final = OverThreshold(7)
PROBLEM: Final = {
    "type": "tag:stint.invalid,2026:rule/R19",
    "title": "rate_limited",
    "status": 429,
    "detail": "There were too many requests.",
    "rule": "R19",
}


def native_calls() -> list[tuple[str, str]]:
    """Return the method and an address of each call of dialect C."""
    routes = [route for route in calls.routes(None) if isinstance(route, Route)]  # type: ignore[arg-type]
    filled = {route.path: route.path.replace("{", "").replace("}", "") for route in routes}
    return [(method, filled[route.path]) for route in routes for method in sorted((route.methods or set()) - {"HEAD"})]


@pytest.mark.parametrize(("method", "path"), native_calls())
async def test_every_call_answers_429_over_the_quota_and_does_nothing_else(method: str, path: str) -> None:
    clerk = Clerk(quotas=QuotasInHand(OVER))
    async with clerk.client() as client:
        answer = await client.request(method, path, content=b"{nonsense")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (429, "7", PROBLEM)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (clerk.submitted, clerk.asked, clerk.quotas.counted) == ([], [], [MACHINE])
    assert clerk.tally.turned_away["native", Rule.RATE_LIMITED] == 1


@pytest.mark.parametrize(("method", "path"), native_calls())
async def test_every_call_within_the_quota_is_counted_once(method: str, path: str) -> None:
    """The control."""
    clerk = Clerk(caller=DANA)
    async with clerk.client() as client:
        assert (await client.request(method, path, content=b"{nonsense")).status_code != 429
    assert clerk.quotas.counted == [DANA]


@pytest.mark.parametrize(("caller", "status"), [(Unknown(), 401), (Away(), 503)])
async def test_a_request_without_a_known_token_takes_from_no_quota(caller: Unknown | Away, status: int) -> None:
    clerk = Clerk(caller=caller, quotas=QuotasInHand(OVER))
    async with clerk.client() as client:
        assert (await client.post("/v1/timers", json={"owner": "dana"})).status_code == status
    assert clerk.quotas.counted == []


async def test_no_call_of_a_published_dialect_takes_from_this_quota() -> None:
    clerk = Clerk(quotas=QuotasInHand(OVER))
    zoho = {"timer": "stop", "timeLogId": str(SHORT)}
    async with clerk.client() as client:
        assert (await client.put(f"/v2/timer/{LONG}")).status_code == 201
        assert (await client.get("/v2/timer/open")).status_code == 200
        assert (await client.post("/people/api/timetracker/timer", data=zoho)).status_code == 200
    assert clerk.quotas.counted == []


def test_the_calls_of_this_test_are_those_of_the_dialect() -> None:
    mine = {path.split("/")[2] for _, path in native_calls()}
    routes = [route for route in dialects.routes(None) if isinstance(route, Route)]  # type: ignore[arg-type]
    assert mine == {route.path.split("/")[2] for route in routes if route.path.startswith("/v1/")}
