"""Dialect C, `/v1`: our own (docs/contract.md, section 4). `reading` reads the bodies, and `reads` answers the GETs.

Ours: R07 and R13 are 409, R24 and every other rule of the tenant's 422, R06 403. `at` needs an offset. A body may have
known fields only, and a press no query parameters. `Prefer: wait` beyond 30 s waits 30 s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.dialects.answering import Reading, opening_here, press, press_at
from services.command_api.dialects.headers import preferred_wait
from services.command_api.dialects.malformed import Malformed, fault_in, first_of
from services.command_api.dialects.native import answers
from services.command_api.dialects.native.admitted import admitted
from services.command_api.dialects.native.answers import WORDS
from services.command_api.dialects.native.lists.filters import NO_PARAMETERS
from services.command_api.dialects.native.owners import calls as owners
from services.command_api.dialects.native.policy import calls as policy
from services.command_api.dialects.native.reading import Verb, read_press, read_start
from services.command_api.dialects.native.reads import NativeReads
from services.command_api.dialects.native.reports import calls as reports
from services.command_api.dialects.native.timers import calls as timers
from services.command_api.dialects.native.timers.calls import NativeTimers
from shared.events.rules import Rule
from shared.process.http.front import DirectRoute


@dataclass(frozen=True, slots=True)
class Native:
    """The commands of dialect C, and the call that shares a path with one."""

    desk: Desk

    async def timers(self, request: Request) -> Response:
        """`POST` and `GET /v1/timers`: one route, so that a 405 names both methods."""
        return await (self._start(request) if request.method == "POST" else NativeTimers(self.desk).timers(request))

    async def _start(self, request: Request) -> Response:
        caller = await admitted(self.desk, request)
        if isinstance(caller, Response):
            return caller
        return await self._press(request, caller, partial(read_start, await request.body()))

    async def pause(self, request: Request) -> Response:
        """`POST /v1/timers/{timer_id}/pause`."""
        return await self._press_timer(request, "pause")

    async def resume(self, request: Request) -> Response:
        """`POST /v1/timers/{timer_id}/resume`."""
        return await self._press_timer(request, "resume")

    async def stop(self, request: Request) -> Response:
        """`POST /v1/timers/{timer_id}/stop`."""
        return await self._press_timer(request, "stop")

    async def _press_timer(self, request: Request, verb: Verb) -> Response:
        caller = await admitted(self.desk, request)
        if isinstance(caller, Response):
            return caller
        reading = partial(read_press, verb, request.path_params["timer_id"], await request.body())
        return await self._press(request, caller, reading)

    async def _press(self, request: Request, caller: Caller, reading: Reading) -> Response:
        opening = opening_here(self.desk)
        # A press has no query parameters. A caller that sends one means it: `stop?at=...` must not silently stop now.
        if request.scope["query_string"] and request.query_params:  # most have none to be read
            problem = first_of(NO_PARAMETERS, fault_in(reading(opening)))
            return await press(self.desk, request, caller, problem, WORDS)
        return await press_at(self.desk, request, caller, reading, opening, WORDS, preferred_wait(request))


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of dialect C."""
    calls, reads = Native(desk), NativeReads(desk)
    timer = f"{answers.TIMERS_PATH}/{{timer_id}}"
    return [
        DirectRoute(answers.TIMERS_PATH, calls.timers, methods=["GET", "POST"], direct=["POST"]),
        DirectRoute(f"{timer}/stop", calls.stop, methods=["POST"], direct=["POST"]),
        DirectRoute(f"{timer}/pause", calls.pause, methods=["POST"], direct=["POST"]),
        DirectRoute(f"{timer}/resume", calls.resume, methods=["POST"], direct=["POST"]),
        Route(timer, reads.timer, methods=["GET"]),
        *policy.routes(desk),
        Route(f"{answers.OUTCOMES_PATH}/{{event_id}}", reads.outcome, methods=["GET"]),
        *timers.routes(desk),
        *reports.routes(desk),
        *owners.routes(desk),
    ]


def error_response(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a request that no call answered (404, 405, 408, 413, 500 …)."""
    return answers.problem(status, HTTPStatus(status).phrase, None, headers)


def path_not_utf8() -> Response:
    """Answer a path that is not UTF-8."""
    return WORDS.malformed(Malformed(Rule.VALUE_INVALID, "path", "The path is not UTF-8."))
