"""Calls of dialect C that read: one timer, lists, reports, and the change feed."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.contract.calls.place import Call, Place
from tests.support.stack.raw_http import Request

Prepare = Callable[[Place], Awaitable[Request]]


def _of_timer(target: str, *presses: str) -> Prepare:
    """Read about a timer, or about its owner, once the read models have its last press."""

    async def prepared(place: Place) -> Request:
        timer = await place.timer(*presses, job_id="J-1")
        at = target.format(id=timer["id"], owner=place.person.owner)
        return Request("GET", at, (*place.bearer, ("X-Min-Position", timer["position"])))

    return prepared


async def _violations(place: Place) -> Request:
    await place.timer()
    second = await place.timer()  # two at once: R13
    target = f"/v1/violations?owner={place.person.owner}&rule=R13"
    return Request("GET", target, (*place.bearer, ("X-Min-Position", second["position"])))


def _days(of: str, accept: str) -> Prepare:
    """Read the days of an owner, an account or a job: one day, with one hour on it."""

    async def prepared(place: Place) -> Request:
        owner = place.person.owner
        noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
        timer = await place.timer(at=noon.isoformat(), account_id=owner, job_id=owner)
        body = {"at": (noon + timedelta(hours=1)).isoformat()}
        stopped = await place.http.post(f"/v1/timers/{timer['id']}/stop", json=body, headers=dict(place.bearer))
        position = str(stopped.json()["position"])
        return Request(
            "GET", f"/v1/{of}/{owner}/days", (*place.admin, ("Accept", accept), ("X-Min-Position", position))
        )

    return prepared


async def _feed(place: Place) -> Request:
    # After now there is nothing yet: one line, which says where to go on.
    return Request("GET", "/v1/feed?after=now&limit=5", place.admin)


CALLS: Final[Mapping[str, Call]] = {
    "C timer": Call("getTimer", _of_timer("/v1/timers/{id}", "stop")),
    "C history": Call("getTimerHistory", _of_timer("/v1/timers/{id}/history?limit=5", "pause", "stop")),
    "C timers": Call("listTimers", _of_timer("/v1/timers?owner={owner}&state=PAUSED&job=J-1", "pause")),
    "C current": Call("getCurrentTimers", _of_timer("/v1/owners/{owner}/current")),
    "C violations": Call("listViolations", _violations),
    "C days of an owner": Call("getOwnerDays", _days("owners", "application/json")),
    "C days of an account": Call("getAccountDays", _days("accounts", "application/json")),
    "C days of a job as CSV": Call("getJobDays", _days("jobs", "text/csv")),
    "C feed": Call("readFeed", _feed),
}
