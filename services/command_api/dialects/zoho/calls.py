"""Dialect B, `/people/api/timetracker`, as Zoho People publishes it (docs/contract.md, section 3).

`timer=stop` is a pause: this API has no final stop.
Safe to change: nothing that a client can see.
Ours, where the page says nothing: a machine's token may act for any owner, named by `user`, but runs no timer of its
own (7038). The codes of 404, 405, 408 and 413 are their names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.command_api.desk.commands import Caller, Command, StartTimer
from services.command_api.desk.desk import Away, Desk, OverThreshold, Unknown
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.dialects.answering import caller_of, first_answer, press, read, turned_away
from services.command_api.dialects.headers import idempotency_key
from services.command_api.dialects.malformed import Malformed, fault_in
from services.command_api.dialects.parameters import Parameters, parameters, query_parameters
from services.command_api.dialects.zoho.answers import RUNNING_URI, TIMER_URI, Failure, Verb, Words
from services.command_api.dialects.zoho.dates import DEFAULT_FORMAT, is_format
from services.command_api.dialects.zoho.reading import read_command, verb_of, wants_xml
from services.command_api.dialects.zoho.running import running_timer
from shared.events.rules import Rule
from shared.process.http.asking import waits_to_be_asked
from shared.process.http.front import DirectRoute

_PREFIX: Final = "/people"


@dataclass(frozen=True, slots=True)
class Zoho:
    """The calls of dialect B. `errors_as_200`: errors have HTTP status 200, for clients that read only the body."""

    desk: Desk
    errors_as_200: bool = False

    async def timer(self, request: Request) -> Response:
        """`/people/api/timetracker/timer`: start, pause and resume."""
        caller, params = await self._caller_and_parameters(request, TIMER_URI)
        words = self._words(TIMER_URI, verb_of(params), request, params)
        if not isinstance(caller, Caller):
            return _turned_away(self.desk, caller, words)
        try:
            command = await self._command(request, params, caller)
        except ReadsAwayError:
            return words.unavailable()
        if command is Rule.NOT_THE_OWNER:
            # The alias may have been taken away after the first try, whose answer a retry gets.
            first = await first_answer(self.desk, request, caller, partial(_for_itself, params, caller), words)
            if first is not None:
                return first
        return await press(self.desk, request, caller, command, words)

    async def running(self, request: Request) -> Response:
        """`/people/api/timetracker/getcurrentlyrunningtimer`."""
        caller, params = await self._caller_and_parameters(request, RUNNING_URI)
        words = self._words(RUNNING_URI, "fetch", request, params)
        if not isinstance(caller, Caller):
            return _turned_away(self.desk, caller, words)
        person = caller.person
        if person is None:
            return words.refused(Rule.NOT_THE_OWNER)
        date_format = params.given.get("dateFormat", DEFAULT_FORMAT)
        if not params.clear or not is_format(date_format):
            return words.refused(Rule.VALUE_INVALID)
        ask = partial(self._running, caller.tenant, person, date_format, words)
        return await read(self.desk, request, caller, words, ask)

    async def _running(self, tenant: str, person: str, date_format: str, words: Words) -> Response:
        found = await self.desk.reads.running_timer(tenant, person)
        return words.succeed(running_timer(found, self.desk.now(), date_format) if found else None)

    async def _caller_and_parameters(
        self, request: Request, uri: str
    ) -> tuple[Caller | Unknown | Away | OverThreshold, Parameters]:
        """Return the caller and the parameters.

        The caller is looked up and counted first, because an unknown one and one that is locked out are not asked for a
        body. A body that is sent unasked is read all the same: it may name the verb and the format of the answer.
        """
        caller = await self._counted(await caller_of(self.desk, request), uri)
        if isinstance(caller, Caller) or not waits_to_be_asked(request.scope):
            return caller, await parameters(request)
        return caller, query_parameters(request)

    async def _counted(self, caller: Caller | Unknown | Away, uri: str) -> Caller | Unknown | Away | OverThreshold:
        if not isinstance(caller, Caller):
            return caller
        return await self.desk.threshold.over(caller, uri) or caller

    def _words(self, uri: str, verb: Verb, request: Request, params: Parameters) -> Words:
        return Words(uri, verb, wants_xml(request, params.given.get("format")), self.errors_as_200)

    async def _command(self, request: Request, params: Parameters, caller: Caller) -> Command | Malformed | Rule:
        """Return what is asked for. Raises ReadsAwayError when aliases are neither remembered nor to be had."""
        if not params.clear:
            return Malformed(Rule.VALUE_INVALID, "parameters")
        command = read_command(params.given)
        if not isinstance(command, StartTimer) or caller.person is None:
            return command
        # A malformed request is answered before Postgres is asked for an alias.
        return fault_in(idempotency_key(request)) or await self._for_its_person(command, caller.person, caller)

    async def _for_its_person(self, command: StartTimer, owner: str, caller: Caller) -> StartTimer | Rule:
        """Return a start for the token's person, whichever name was given."""
        if command.owner == owner:
            return command
        person = await self.desk.identities.person_of(caller)
        if person is None or not person.answers_to(command.owner):
            # Refused here and not by the fold: an alias may be a mail address, which the log would keep for ever.
            return Rule.NOT_THE_OWNER
        return replace(command, owner=owner)


def _for_itself(params: Parameters, caller: Caller) -> Command | Malformed | Rule:
    """Return a start as the token's person means it, by whichever name."""
    command = read_command(params.given)
    if not isinstance(command, StartTimer) or caller.person is None:
        return Rule.NOT_THE_OWNER
    return replace(command, owner=caller.person)


def _turned_away(desk: Desk, why: Unknown | Away | OverThreshold, words: Words) -> Response:
    if isinstance(why, OverThreshold):
        desk.tally.turned_away[words.dialect, Rule.RATE_LIMITED] += 1
        return words.over_threshold(why.retry_after_seconds)
    return turned_away(desk, why, words)


def routes(desk: Desk, *, errors_as_200: bool = False) -> list[BaseRoute]:
    """Return the routes of dialect B."""
    calls = Zoho(desk, errors_as_200)
    timer = DirectRoute(_PREFIX + TIMER_URI, calls.timer, methods=["GET", "POST"], direct=["GET", "POST"])
    # Starlette adds HEAD to every GET. This GET records a press, and a client that only checks a link must not.
    timer.methods = {"GET", "POST"}
    return [timer, Route(_PREFIX + RUNNING_URI, calls.running, methods=["GET"])]


def error_response(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a request that no call answered (404, 405, 408, 413, 500 …)."""
    phrase = HTTPStatus(status).phrase
    failure = Failure(phrase, phrase.upper().replace(" ", "_"), phrase, status)
    response = _words_without_call(request).fail(failure)
    response.headers.update(headers or {})
    return response


def path_not_utf8(request: Request) -> Response:
    """Answer a path that is not UTF-8."""
    return _words_without_call(request).refused(Rule.VALUE_INVALID)


def _words_without_call(request: Request) -> Words:
    uri = RUNNING_URI if request.url.path == _PREFIX + RUNNING_URI else TIMER_URI
    return Words(uri, "fetch", wants_xml(request, query_parameters(request).given.get("format")))
