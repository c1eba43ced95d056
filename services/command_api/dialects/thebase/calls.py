"""Dialect A, `/v2/timer` and `/oauth/token`, as TheBase's CRM publishes it (CONTRACT, section 2).

Safe to change: nothing that a client can see.
Ours, where nobody documents it: a person's token works too, for that person's timers (somebody else's is 404, a start
for somebody else 400).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import (
    Answer,
    Caller,
    Command,
    Judged,
    NotRecorded,
    PressTimer,
    StartTimer,
    StillWaiting,
)
from services.command_api.desk.desk import Away, Desk, Unknown
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.dialects.headers import idempotency_key, traceparent
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.positions import fresh_enough
from services.command_api.dialects.reasons import sentence_about
from services.command_api.dialects.thebase import answers
from services.command_api.dialects.thebase.reading import read_page, read_start
from services.command_api.dialects.thebase.token import token
from shared.events.ids import parse_timer_id
from shared.events.outcome import Outcome
from shared.events.rules import Rule

# "NULL Body" is how the document prints a stop's body; somebody will have typed it.
_NO_BODY: Final = re.compile(rb"(?:null|\{\s*\}|NULL Body)?")

Verb = Literal["start", "stop"]


def answer_of(answer: Answer, verb: Verb, *, keyed: bool) -> Response:
    """Translate what became of a press."""
    match answer:
        case Judged(outcome=outcome):
            return _judged(outcome, verb)
        case StillWaiting(timer_id=timer_id) if verb == "start" and not keyed:
            return answers.started(timer_id, judged=False)
        case StillWaiting():
            # A stop has no minutes yet, and under a key another start's id may be the one that counts: ask again.
            return answers.unavailable()
        case NotRecorded(retry_after_seconds=seconds):
            return answers.unavailable(seconds)
        case _:
            assert_never(answer)


def _judged(outcome: Outcome, verb: Verb) -> Response:
    match outcome.verdict:
        case "accepted" if outcome.timer is not None:
            return answers.started(outcome.timer.id) if verb == "start" else answers.stopped(outcome.timer.total_us)
        case "refused" if outcome.rule is not None:
            return answers.refused(Rule(outcome.rule), verb)
        case "accepted" | "refused" | "unreadable":
            return answers.error(500)
        case "void":
            return answers.unavailable()
        case _:
            assert_never(outcome.verdict)


def _malformed(malformed: Malformed) -> Response:
    return answers.error(400, sentence_about(malformed))


@dataclass(frozen=True, slots=True)
class TheBase:
    """The calls of dialect A."""

    desk: Desk

    async def token(self, request: Request) -> Response:
        """`POST /oauth/token`."""
        return await token(self.desk, request)

    async def start(self, request: Request) -> Response:
        """`POST /v2/timer/start`."""
        caller = await self._caller(request)
        if isinstance(caller, Response):
            return caller
        policy = self.desk.policy_of(caller.tenant)
        if policy is None:
            return answers.unavailable()
        command = read_start(await self.desk.read_body(request), policy.zone)
        return _malformed(command) if isinstance(command, Malformed) else await self._press(request, caller, command)

    async def stop(self, request: Request) -> Response:
        """`PUT /v2/timer/{timer_id}`."""
        caller = await self._caller(request)
        if isinstance(caller, Response):
            return caller
        if not _NO_BODY.fullmatch((await self.desk.read_body(request)).strip()):
            return _malformed(Malformed(Rule.VALUE_INVALID, "body"))
        timer_id = parse_timer_id(request.path_params["timer_id"])
        if timer_id is None:
            return answers.refused(Rule.TIMER_UNKNOWN, "stop")
        return await self._press(request, caller, PressTimer("stop", timer_id))

    async def open(self, request: Request) -> Response:
        """`GET /v2/timer/open`."""
        caller = await self._caller(request)
        if isinstance(caller, Response):
            return caller
        page = read_page(request.query_params)
        if isinstance(page, Malformed):
            return _malformed(page)
        try:
            fresh = await fresh_enough(self.desk, caller.tenant, request)
            if isinstance(fresh, Malformed):
                return _malformed(fresh)
            if not fresh:
                return answers.unavailable()
            found = await self.desk.reads.open_timers(caller.tenant, *page, owner=caller.person)
        except ReadsAwayError:
            return answers.unavailable()
        return answers.open_timers(found, *page)

    async def _caller(self, request: Request) -> Caller | Response:
        caller = await self.desk.caller_of(request)
        match caller:
            case Caller():
                return caller
            case Unknown():
                return answers.unauthorized()
            case Away():
                return answers.unavailable()
            case _:
                assert_never(caller)

    async def _press(self, request: Request, caller: Caller, command: Command) -> Response:
        key = idempotency_key(request)
        if isinstance(key, Malformed):
            return _malformed(key)
        answer = await self.desk.submit(command, caller, dialect="thebase", key=key, traceparent=traceparent(request))
        return answer_of(answer, "start" if isinstance(command, StartTimer) else "stop", keyed=key is not None)


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of dialect A."""
    calls = TheBase(desk)
    return [
        Route("/v2/timer/start", calls.start, methods=["POST"]),
        Route(answers.OPEN_PATH, calls.open, methods=["GET"]),
        Route("/v2/timer/{timer_id}", calls.stop, methods=["PUT"]),
        Route("/oauth/token", calls.token, methods=["POST"]),
    ]


def error_response(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what no call answered, with the statuses that this dialect knows."""
    match status:
        case 401 | 404 | 405 | 500 | 503:
            return answers.error(status, headers=headers)
        case _:
            # Too large and too slow are the request's fault too, and have no status of their own here.
            return answers.error(400 if status < 500 else 500, headers=headers)  # noqa: PLR2004 - where ours begin
