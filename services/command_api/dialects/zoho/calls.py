"""Dialect B, `/people/api/timetracker`, as Zoho People publishes it (CONTRACT, section 3).

`timer=stop` is a pause: this API has no final stop.
Safe to change: nothing that a client can see.
Ours, where nobody documents it: a parameter given twice with two values is 8001; a machine's token may act for any
owner, who is then `user` itself, but runs no timer of its own (7038); 404, 405, 408 and 413 bear their names as codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, assert_never

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
from services.command_api.dialects.parameters import UnreadableParametersError, parameters
from services.command_api.dialects.positions import fresh_enough
from services.command_api.dialects.zoho import answers
from services.command_api.dialects.zoho.answers import RUNNING_URI, TIMER_URI, Failure, Verb, Voice
from services.command_api.dialects.zoho.dates import DEFAULT_FORMAT, is_format
from services.command_api.dialects.zoho.reading import Given, read_command, verb_of, wants_xml
from services.command_api.dialects.zoho.running import running_timer
from shared.events.outcome import Outcome
from shared.events.rules import Rule

_PREFIX: Final = "/people"


def answer_of(answer: Answer, verb: Verb, voice: Voice) -> Response:
    """Translate what became of a press."""
    match answer:
        case Judged(outcome=outcome):
            return _judged(outcome, verb, voice)
        case StillWaiting():
            return voice.fail(answers.unavailable(verb))
        case NotRecorded(retry_after_seconds=seconds):
            return voice.fail(answers.unavailable(verb, seconds))
        case _:
            assert_never(answer)


def _judged(outcome: Outcome, verb: Verb, voice: Voice) -> Response:
    match outcome.verdict:
        case "accepted" if outcome.timer is not None:
            return voice.succeed(verb, [("timeLogId", str(outcome.timer.id))] if verb == "start" else None)
        case "refused" if outcome.rule is not None:
            return voice.fail(answers.refused(Rule(outcome.rule), verb))
        case "accepted" | "refused" | "unreadable":
            return voice.fail(answers.refused(Rule.INTERNAL, verb))
        case "void":
            return voice.fail(answers.unavailable(verb))
        case _:
            assert_never(outcome.verdict)


def _voice(uri: str, request: Request, given: Given | None) -> Voice:
    return Voice(uri, xml=wants_xml(request, None if given is None else given.get("format")))


@dataclass(frozen=True, slots=True)
class Zoho:
    """The calls of dialect B."""

    desk: Desk

    async def timer(self, request: Request) -> Response:
        """`/people/api/timetracker/timer`: start, pause and resume."""
        given = await self._given(request)
        verb, voice = verb_of(given or {}), _voice(TIMER_URI, request, given)
        caller = await self._caller(request, verb)
        if isinstance(caller, Failure):
            return voice.fail(caller)
        command = self._command(given, caller)
        match command:
            case Malformed():
                return voice.fail(answers.malformed(command, verb))
            case Rule():
                return voice.fail(answers.refused(command, verb))
            case StartTimer() | PressTimer():
                return await self._press(request, caller, command, verb, voice)
            case _:
                assert_never(command)

    async def running(self, request: Request) -> Response:
        """`/people/api/timetracker/getcurrentlyrunningtimer`."""
        given = await self._given(request)
        voice = _voice(RUNNING_URI, request, given)
        caller = await self._caller(request, "fetch")
        if isinstance(caller, Failure):
            return voice.fail(caller)
        if caller.person is None:
            return voice.fail(answers.refused(Rule.NOT_THE_OWNER, "fetch"))
        date_format = DEFAULT_FORMAT if given is None else given.get("dateFormat", DEFAULT_FORMAT)
        if given is None or not is_format(date_format):
            return voice.fail(answers.refused(Rule.VALUE_INVALID, "fetch"))
        try:
            fresh = await fresh_enough(self.desk, caller.tenant, request)
            if isinstance(fresh, Malformed):
                return voice.fail(answers.malformed(fresh, "fetch"))
            if not fresh:
                return voice.fail(answers.unavailable("fetch"))
            found = await self.desk.reads.running_timer(caller.tenant, caller.person)
        except ReadsAwayError:
            return voice.fail(answers.unavailable("fetch"))
        return voice.succeed("fetch", running_timer(found, self.desk.now(), date_format) if found else None)

    async def _given(self, request: Request) -> Given | None:
        try:
            return await parameters(self.desk, request)
        except UnreadableParametersError:
            return None

    async def _caller(self, request: Request, verb: Verb) -> Caller | Failure:
        caller = await self.desk.caller_of(request)
        match caller:
            case Caller():
                return caller
            case Unknown():
                return answers.refused(Rule.TOKEN_UNKNOWN, verb)
            case Away():
                return answers.unavailable(verb)
            case _:
                assert_never(caller)

    def _command(self, given: Given | None, caller: Caller) -> Command | Malformed | Rule:
        if given is None:
            return Malformed(Rule.VALUE_INVALID, "parameters")
        return read_command(given, lambda user: self._owner_meant_by(user, caller))

    def _owner_meant_by(self, user: str, caller: Caller) -> str | None:
        if caller.person is None:
            return user
        person = self.desk.person_of(caller)
        means_them = user == caller.person or (person is not None and person.answers_to(user))
        return caller.person if means_them else None

    async def _press(self, request: Request, caller: Caller, command: Command, verb: Verb, voice: Voice) -> Response:
        key = idempotency_key(request)
        if isinstance(key, Malformed):
            return voice.fail(answers.malformed(key, verb))
        answer = await self.desk.submit(command, caller, dialect="zoho", key=key, traceparent=traceparent(request))
        return answer_of(answer, verb, voice)


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes of dialect B."""
    calls = Zoho(desk)
    timer = Route(_PREFIX + TIMER_URI, calls.timer, methods=["GET", "POST"])
    # Starlette adds HEAD to every GET, and this GET presses: whoever only looks at a link must not.
    timer.methods = {"GET", "POST"}
    return [timer, Route(_PREFIX + RUNNING_URI, calls.running, methods=["GET"])]


def error_response(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what no call answered (404, 405, 408, 413, 500 …)."""
    uri = RUNNING_URI if request.url.path == _PREFIX + RUNNING_URI else TIMER_URI
    phrase = HTTPStatus(status).phrase
    failure = Failure(phrase, phrase.upper().replace(" ", "_"), phrase, status)
    response = _voice(uri, request, request.query_params).fail(failure)
    response.headers.update(headers or {})
    return response
