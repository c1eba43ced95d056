"""Dialect C, `/v1`: our own (CONTRACT, section 4). What is read lies in `reads`.

Ours: R07 and R13 are 409, R24 and every other rule of the tenant's 422, R06 403; `at` needs an offset; a body may have
no fields but the known ones; `Prefer: wait` beyond 30 s waits 30 s.
With care: fields of the bodies. Adding one is free; a digest forgets none that was sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final, Literal, assert_never

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import (
    Answer,
    AskedTime,
    Caller,
    Command,
    Judged,
    NotRecorded,
    PressTimer,
    StartTimer,
    StillWaiting,
)
from services.command_api.desk.desk import Desk
from services.command_api.dialects.headers import idempotency_key, preferred_wait, traceparent
from services.command_api.dialects.malformed import Malformed, first_problem, wrong
from services.command_api.dialects.native import answers
from services.command_api.dialects.native.caller import caller_or_answer
from services.command_api.dialects.native.reads import NativeReads
from services.command_api.dialects.times import asked_time, day, may_start_at
from services.command_api.dialects.values import Comment, Name, RequiredName, TimeText, WorkItem
from shared.events.ids import parse_timer_id
from shared.events.rules import Rule

Verb = Literal["pause", "resume", "stop"]

_NO_BODY: Final = b"{}"


def _billable(value: object) -> bool | None:
    if value is None or value == "":
        return None
    if not isinstance(value, bool):
        raise wrong(Rule.VALUE_INVALID)
    return value


class PressBody(BaseModel):
    """What a press says beside its verb. `at`: when it happened, for work that was queued offline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: TimeText = None


class StartBody(PressBody):
    """What `POST /v1/timers` says."""

    owner: RequiredName
    account_id: Name = None
    job_id: Name = None
    project_id: Name = None
    billable: Annotated[bool | None, PlainValidator(_billable)] = None
    work_date: TimeText = None
    comment: Comment = None
    work_item: WorkItem = None


def read_start(body: bytes) -> StartTimer | Malformed:
    """Translate the body of a start."""
    try:
        said = StartBody.model_validate_json(body)
    except ValidationError as error:
        return first_problem(error)
    at = _at(said)
    if isinstance(at, Malformed):
        return at
    if at is not None and not may_start_at(at.instant):
        return Malformed(Rule.VALUE_INVALID, "at")
    work_date = None if said.work_date is None else day(said.work_date)
    if said.work_date is not None and work_date is None:
        return Malformed(Rule.VALUE_INVALID, "work_date")
    return StartTimer(
        owner=said.owner,
        account_id=said.account_id,
        job_id=said.job_id,
        project_id=said.project_id,
        billable=said.billable,
        work_date=work_date,
        comment=said.comment,
        work_item=said.work_item,
        at=at,
    )


def read_press(verb: Verb, timer_id: int, body: bytes) -> PressTimer | Malformed:
    """Translate a pause, a resume or a stop; its body may be missing or null."""
    body = body.strip()
    try:
        said = PressBody.model_validate_json(body if body and body != b"null" else _NO_BODY)
    except ValidationError as error:
        return first_problem(error)
    at = _at(said)
    return at if isinstance(at, Malformed) else PressTimer(verb, timer_id, at)


def _at(said: PressBody) -> AskedTime | Malformed | None:
    if said.at is None:
        return None
    return asked_time(said.at, zone_name=None) or Malformed(Rule.VALUE_INVALID, "at")


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
