"""Calls of dialect C that press, and the one that asks what became of a press."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from tests.contract.calls.place import JSON, Call, Place
from tests.support.stack.raw_http import Request


async def _start(place: Place) -> Request:
    said = {"owner": place.person.owner, "at": place.begun(1), "job_id": "J-1"}
    return Request("POST", "/v1/timers", (*place.bearer, JSON, ("Idempotency-Key", "a key")), json.dumps(said).encode())


def _presses(verb: str, *presses: str) -> Callable[[Place], Awaitable[Request]]:
    async def prepared(place: Place) -> Request:
        target = f"/v1/timers/{(await place.timer(*presses))['id']}/{verb}"
        return Request("POST", target, (*place.bearer, JSON), b"{}")

    return prepared


async def _stop_an_hour_after_the_start(place: Place) -> Request:
    # To the microsecond, so that the minutes are sixty.
    timer = await place.timer()
    at = datetime.fromisoformat(timer["started_at"]) + timedelta(hours=1)
    body = json.dumps({"at": at.isoformat()}).encode()
    return Request("POST", f"/v1/timers/{timer['id']}/stop", (*place.bearer, JSON), body)


async def _outcome(place: Place) -> Request:
    # The outcome of a press that was never made, at a folded position: 404, after both parameters are read.
    position = (await place.timer())["position"]
    return Request("GET", f"/v1/outcomes/019ca9d4-5e00-7000-8000-000000000001?at={position}", place.bearer)


CALLS: Final[Mapping[str, Call]] = {
    "C start": Call("startTimer", _start),
    "C pause": Call("pauseTimer", _presses("pause")),
    "C resume": Call("resumeTimer", _presses("resume", "pause")),
    "C stop": Call("stopTimer", _stop_an_hour_after_the_start),
    "C pause of what is stopped": Call("pauseTimer", _presses("pause", "stop")),
    "C outcome": Call("getOutcome", _outcome),
}
