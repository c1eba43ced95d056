"""Dialect C, `/v1`: our own (CONTRACT, section 4). Bodies are read in `reading`, and `reads` answers what is asked.

Ours: R07 and R13 are 409, R24 and every other rule of the tenant's 422, R06 403; `at` needs an offset; a body may have
no fields but the known ones; `Prefer: wait` beyond 30 s waits 30 s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import assert_never

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import (
    Answer,
    Caller,
    Command,
    Judged,
    NotRecorded,
    StartTimer,
    StillWaiting,
)
from services.command_api.desk.desk import Desk
from services.command_api.dialects.headers import idempotency_key, preferred_wait, traceparent
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native import answers
from services.command_api.dialects.native.caller import caller_or_answer
from services.command_api.dialects.native.reading import Verb, read_press, read_start
from services.command_api.dialects.native.reads import NativeReads
from shared.events.ids import parse_timer_id
from shared.events.rules import Rule


def answer_of(answer: Answer, command: Command) -> Response:
    """Translate what became of a press."""
    match answer:
        case Judged():
            return _judged(answer, command)
        case StillWaiting():
            return answers.recorded(answer)
        case NotRecorded(retry_after_seconds=seconds):
            return answers.unavailable(seconds)
        case _:
            assert_never(answer)


def _judged(judged: Judged, command: Command) -> Response:
    outcome = judged.outcome
    match outcome.verdict:
        case "accepted" if outcome.timer is not None:
            position = f"{judged.partition}:{outcome.source_offset}"
            answer = answers.created if isinstance(command, StartTimer) else answers.pressed
            return answer(outcome.timer, position)
        case "refused" if outcome.rule is not None:
            return answers.refused(Rule(outcome.rule))
        case "accepted" | "refused" | "unreadable":
            return answers.refused(Rule.INTERNAL)
        case "void":
            return answers.unavailable()
        case _:
            assert_never(outcome.verdict)


@dataclass(frozen=True, slots=True)
class Native:
    """The commands of dialect C."""

    desk: Desk

    async def start(self, request: Request) -> Response:
        """`POST /v1/timers`."""
        caller = await caller_or_answer(self.desk, request)
        if isinstance(caller, Response):
            return caller
        command = read_start(await self.desk.read_body(request))
        return await self._press(request, caller, command)

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
        caller = await caller_or_answer(self.desk, request)
        if isinstance(caller, Response):
            return caller
        body = await self.desk.read_body(request)
        timer_id = parse_timer_id(request.path_params["timer_id"])
        if timer_id is None:
            return answers.refused(Rule.TIMER_UNKNOWN)
        return await self._press(request, caller, read_press(verb, timer_id, body))

    async def _press(self, request: Request, caller: Caller, command: Command | Malformed) -> Response:
        if isinstance(command, Malformed):
            return answers.malformed(command)
        key = idempotency_key(request)
        if isinstance(key, Malformed):
            return answers.malformed(key)
        wait = preferred_wait(request)
        answer = await self.desk.submit(
            command,
            caller,
            dialect="native",
            key=key,
            wait_seconds=wait,
            traceparent=traceparent(request),
        )
        return answer_of(answer, command)


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of dialect C."""
    calls, reads = Native(desk), NativeReads(desk)
    timer = f"{answers.TIMERS_PATH}/{{timer_id}}"
    return [
        Route(answers.TIMERS_PATH, calls.start, methods=["POST"]),
        Route(f"{timer}/stop", calls.stop, methods=["POST"]),
        Route(f"{timer}/pause", calls.pause, methods=["POST"]),
        Route(f"{timer}/resume", calls.resume, methods=["POST"]),
        Route(timer, reads.timer, methods=["GET"]),
        Route(f"{answers.OUTCOMES_PATH}/{{event_id}}", reads.outcome, methods=["GET"]),
    ]


def error_response(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what no call answered (404, 405, 408, 413, 500 …)."""
    return answers.problem(status, HTTPStatus(status).phrase, None, headers)
