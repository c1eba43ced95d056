"""Calls of dialects A and B."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from tests.contract.calls.place import FORM, JSON, Call, Place
from tests.support.stack.raw_http import Request

TIMER: Final = "/people/api/timetracker/timer"
RUNNING: Final = "/people/api/timetracker/getcurrentlyrunningtimer"


async def _token(place: Place) -> Request:
    basic = base64.b64encode(f"{place.tenant.client}:{place.tenant.secret}".encode()).decode()
    said = (("Authorization", f"Basic {basic}"), FORM)
    return Request("POST", "/oauth/token", said, b"grant_type=client_credentials")


async def _a_start(place: Place) -> Request:
    said = {"owner": place.person.owner, "start_time": place.begun(1), "comment": "ראשון"}
    return Request("POST", "/v2/timer/start", (*place.bearer, JSON), json.dumps(said).encode())


async def _a_stop(place: Place) -> Request:
    return Request("PUT", f"/v2/timer/{(await place.timer())['id']}", (*place.bearer, JSON), b"{}")


async def _a_stop_without_body(place: Place) -> Request:
    return Request("PUT", f"/v2/timer/{(await place.timer())['id']}", place.bearer)


async def _a_open(place: Place) -> Request:
    position = (await place.timer())["position"]
    return Request("GET", "/v2/timer/open?limit=5", (*place.bearer, ("X-Min-Position", position)))


def _b_start_says(place: Place) -> dict[str, str]:
    said = {"user": place.person.owner, "jobId": "J-1", "billingStatus": "billable", "timer": "start"}
    return said | {"workDate": datetime.now(UTC).date().isoformat()}


def _b(place: Place, said: Mapping[str, str], how: str) -> Request:
    match how:
        case "form":
            return Request("POST", TIMER, (*place.zoho, FORM), urlencode(said).encode())
        case "post":
            return Request("POST", f"{TIMER}?{urlencode(said)}", place.zoho)
        case _:
            return Request("GET", f"{TIMER}?{urlencode(said)}", place.zoho)


def _b_starts(how: str) -> Callable[[Place], Awaitable[Request]]:
    async def prepared(place: Place) -> Request:
        return _b(place, _b_start_says(place), how)

    return prepared


def _b_presses(timer: str, how: str, *presses: str) -> Callable[[Place], Awaitable[Request]]:
    async def prepared(place: Place) -> Request:
        return _b(place, {"timeLogId": (await place.timer(*presses))["id"], "timer": timer}, how)

    return prepared


async def _b_running(place: Place) -> Request:
    position = (await place.timer())["position"]
    return Request("GET", f"{RUNNING}?dateFormat=yyyy-MM-dd", (*place.zoho, ("X-Min-Position", position)))


CALLS: Final[Mapping[str, Call]] = {
    "A token": Call("issueToken", _token),
    "A start": Call("thebaseStart", _a_start),
    "A stop": Call("thebaseStop", _a_stop),
    "A stop without body": Call("thebaseStop", _a_stop_without_body),
    "A open": Call("thebaseOpen", _a_open),
    "B start by form": Call("zohoPress", _b_starts("form")),
    "B start by query": Call("zohoPressByGet", _b_starts("get")),
    "B start by query, posted": Call("zohoPress", _b_starts("post")),
    "B pause by form": Call("zohoPress", _b_presses("stop", "form")),
    "B pause by query": Call("zohoPressByGet", _b_presses("stop", "get")),
    "B resume by form": Call("zohoPress", _b_presses("start", "form", "pause")),
    "B resume by query, posted": Call("zohoPress", _b_presses("start", "post", "pause")),
    "B running": Call("zohoRunning", _b_running),
}
