"""Two tables for `test_transports`: every call of every dialect, and odd but lawful ways to send a request.

Safe to change: add a row. A call prepares what it needs for a person of its own, so that only ids, moments and
positions differ between its answers. A transport turns a request into the segments in which it is sent.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import httpx2 as httpx

from tests.support.stack.deployments import Person, Tenant
from tests.support.stack.raw_http import Request

TIMER: Final = "/people/api/timetracker/timer"
RUNNING: Final = "/people/api/timetracker/getcurrentlyrunningtimer"
OFFER: Final = (("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAEAAEAAAAIAAAAA"))

_JSON: Final = ("Content-Type", "application/json")
_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
_BEGAN_HOURS_AGO: Final = 4
_CHUNK_BYTES: Final = 7


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one call: a fresh person, and an ordinary client to prepare with."""

    http: httpx.AsyncClient
    tenant: Tenant
    person: Person

    def begun(self, hours_ago: float) -> str:
        """Return a moment in the past, as dialect C takes it."""
        return (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat()

    async def timer(self, *presses: str) -> dict[str, str]:
        """Start a timer four hours ago, press it, and return the last answer."""
        said = {"owner": self.person.owner, "at": self.begun(_BEGAN_HOURS_AGO)}
        answer = await self.http.post("/v1/timers", json=said, headers=dict(self.bearer))
        for verb in presses:
            answer = await self.http.post(f"/v1/timers/{answer.json()['id']}/{verb}", headers=dict(self.bearer))
        assert answer.is_success, answer.text
        return {name: str(value) for name, value in answer.json().items()}

    @property
    def bearer(self) -> tuple[tuple[str, str], ...]:
        """Return the person's token as dialects A and C take it."""
        return (("Authorization", f"Bearer {self.person.token}"),)

    @property
    def zoho(self) -> tuple[tuple[str, str], ...]:
        """Return the person's token as dialect B takes it."""
        return (("Authorization", f"Zoho-oauthtoken {self.person.token}"),)


async def _token(place: Place) -> Request:
    basic = base64.b64encode(f"{place.tenant.client}:{place.tenant.secret}".encode()).decode()
    said = (("Authorization", f"Basic {basic}"), _FORM)
    return Request("POST", "/oauth/token", said, b"grant_type=client_credentials")


async def _a_start(place: Place) -> Request:
    said = {"owner": place.person.owner, "start_time": place.begun(1), "comment": "ראשון"}
    return Request("POST", "/v2/timer/start", (*place.bearer, _JSON), json.dumps(said).encode())


async def _a_stop(place: Place) -> Request:
    return Request("PUT", f"/v2/timer/{(await place.timer())['id']}", (*place.bearer, _JSON), b"{}")


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
            return Request("POST", TIMER, (*place.zoho, _FORM), urlencode(said).encode())
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


async def _c_start(place: Place) -> Request:
    said = {"owner": place.person.owner, "at": place.begun(1), "job_id": "J-1"}
    return Request(
        "POST", "/v1/timers", (*place.bearer, _JSON, ("Idempotency-Key", "a key")), json.dumps(said).encode()
    )


def _c_presses(verb: str, *presses: str) -> Callable[[Place], Awaitable[Request]]:
    async def prepared(place: Place) -> Request:
        target = f"/v1/timers/{(await place.timer(*presses))['id']}/{verb}"
        return Request("POST", target, (*place.bearer, _JSON), b"{}")

    return prepared


async def _c_stop_an_hour_after_the_start(place: Place) -> Request:
    # To the microsecond, so that the minutes are sixty.
    timer = await place.timer()
    at = datetime.fromisoformat(timer["started_at"]) + timedelta(hours=1)
    body = json.dumps({"at": at.isoformat()}).encode()
    return Request("POST", f"/v1/timers/{timer['id']}/stop", (*place.bearer, _JSON), body)


async def _c_timer(place: Place) -> Request:
    timer = await place.timer("stop")
    return Request("GET", f"/v1/timers/{timer['id']}", (*place.bearer, ("X-Min-Position", timer["position"])))


async def _c_outcome(place: Place) -> Request:
    # The outcome of a press that was never made, at a folded position: 404, after both parameters are read.
    position = (await place.timer())["position"]
    return Request("GET", f"/v1/outcomes/019ca9d4-5e00-7000-8000-000000000001?at={position}", place.bearer)


CALLS: Final[Mapping[str, Callable[[Place], Awaitable[Request]]]] = {
    "A token": _token,
    "A start": _a_start,
    "A stop": _a_stop,
    "A stop without body": _a_stop_without_body,
    "A open": _a_open,
    "B start by form": _b_starts("form"),
    "B start by query": _b_starts("get"),
    "B start by query, posted": _b_starts("post"),
    "B pause by form": _b_presses("stop", "form"),
    "B pause by query": _b_presses("stop", "get"),
    "B resume by form": _b_presses("start", "form", "pause"),
    "B resume by query, posted": _b_presses("start", "post", "pause"),
    "B running": _b_running,
    "C start": _c_start,
    "C pause": _c_presses("pause"),
    "C resume": _c_presses("resume", "pause"),
    "C stop": _c_stop_an_hour_after_the_start,
    "C stop of what is stopped": _c_presses("pause", "stop"),
    "C timer": _c_timer,
    "C outcome": _c_outcome,
}


def _in_chunks(request: Request) -> Request:
    if request.body is None:
        return request
    parts = [request.body[at : at + _CHUNK_BYTES] for at in range(0, len(request.body), _CHUNK_BYTES)]
    body = b"".join(b"%X;note=x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nX-Trailer: x\r\n\r\n"
    return replace(request.having(("Transfer-Encoding", "chunked")), body=body)


def _spelt(request: Request, *, blanks: str = "", case: Callable[[str], str] = str) -> Request:
    return replace(request, headers=tuple((case(name), f"{blanks}{said}{blanks}") for name, said in request.headers))


def _halves(request: Request, at: int) -> list[bytes]:
    return [part for part in (request.wire[:at], request.wire[at:]) if part]


TRANSPORTS: Final[Mapping[str, Callable[[Request], list[bytes]]]] = {
    "an upgrade offer": lambda asked: [asked.having(*OFFER).wire],
    "an upgrade offer, as Java sends it": lambda asked: _halves(asked.having(*OFFER), len(asked.having(*OFFER).head)),
    "an upgrade offer, in chunks": lambda asked: [_in_chunks(asked).having(*OFFER).wire],
    "another protocol offered": lambda asked: [asked.having(("connection", "upgrade"), ("upgrade", "websocket")).wire],
    "cut in the head": lambda asked: _halves(asked, len(asked.head) // 2),
    "cut at the head's end": lambda asked: _halves(asked, len(asked.head)),
    "cut in the body": lambda asked: _halves(asked, len(asked.head) + len(asked.body or b"") // 2),
    "in chunks": lambda asked: [_in_chunks(asked).wire],
    "capital names": lambda asked: [_spelt(asked, case=str.upper).wire],
    "small names": lambda asked: [_spelt(asked, case=str.lower).wire],
    "blanks around values": lambda asked: [_spelt(asked, blanks=" \t ").wire],
}
