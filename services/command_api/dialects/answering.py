"""Answering: the one way of a request through every dialect. This module decides the answer, the dialect words it.

    a press    caller_within_quota -> the dialect reads a command  -> press -> the verdict, in words
               press_at: the same where the time of a press may be too long ago
    a read     caller_within_quota -> the dialect reads a question -> read  -> what was found, in words

Dialect B counts in its own way, and begins with `caller_of`.

With care: the order. A malformed request is answered before the log or Postgres is asked; the exception is a press
under a key that is only too old. Of several faults the first rule answers; headers count.
Never: a published word, status or key in here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final, Protocol, assert_never

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.commands import (
    Accepted,
    Answer,
    Asked,
    Caller,
    Command,
    Dialect,
    Learned,
    NotRecorded,
    Refused,
    StillWaiting,
)
from services.command_api.desk.desk import Away, Desk, Unknown
from services.command_api.desk.rows import NoSuchPartitionError, ReadsAwayError
from services.command_api.dialects.headers import authorization, idempotency_key, min_position, traceparent
from services.command_api.dialects.malformed import Malformed, fault_in, first_of
from services.command_api.dialects.times import Opening
from shared.events.rules import Rule

MIN_POSITION_WAIT_SECONDS: Final = 2.0
# How much older a press under a key may be, because it may be sent again for an hour after its first try.
_RETRIED_WITHIN: Final = timedelta(hours=1)

Ask = Callable[[], Awaitable[Response]]
Reading = Callable[[Opening], Command | Malformed | Rule]


class Words(Protocol):
    """The answers to any request that each dialect words in its own way."""

    def malformed(self, problem: Malformed) -> Response:
        """Answer a malformed request."""

    def refused(self, rule: Rule) -> Response:
        """Answer a refusal by a rule."""

    def unavailable(self, retry_after_seconds: int = 1) -> Response:
        """Answer 503: no change is known to have been made, and the same request may be sent again."""

    @property
    def dialect(self) -> Dialect:
        """Return the name under which a press is recorded, and an answer counted."""


class LimitedWords(Words, Protocol):
    """The same in a dialect in which each client has a limit."""

    def over_quota(self, retry_after_seconds: int) -> Response:
        """Answer a client that has made too many requests (R19)."""


class PressWords(Words, Protocol):
    """The same for a press."""

    def for_readers(self) -> Response:
        """Answer a reader, who presses nothing (R06)."""

    def accepted(self, asked: Asked, accepted: Accepted) -> Response:
        """Answer a press that counts."""

    def refused_press(self, asked: Asked, judged: Refused) -> Response:
        """Answer a press that was judged and refused."""

    def waiting(self, asked: Asked, waiting: StillWaiting) -> Response:
        """Answer a press that was recorded but not judged in time."""


async def caller_of(desk: Desk, request: Request) -> Caller | Unknown | Away:
    """Return the caller that the Authorization header names."""
    return await desk.identities.caller_of(authorization(request))


async def caller_within_quota(desk: Desk, request: Request, words: LimitedWords) -> Caller | Response:
    """Return the caller, or the answer to a request that has none, or is one too many of its client. Counts it."""
    caller = await caller_of(desk, request)
    if not isinstance(caller, Caller):
        return turned_away(desk, caller, words)
    over = desk.quotas[words.dialect].over(caller)
    if over is None:
        return caller
    desk.tally.turned_away[words.dialect, Rule.RATE_LIMITED] += 1
    return words.over_quota(over.retry_after_seconds)


def turned_away(desk: Desk, why: Unknown | Away, words: Words) -> Response:
    """Answer a request whose caller is not known."""
    match why:
        case Unknown():
            return refused_at_once(desk, Rule.TOKEN_UNKNOWN, words)
        case Away():
            return words.unavailable()
        case _:
            assert_never(why)


def malformed_press(desk: Desk, problem: Malformed, words: Words) -> Response:
    """Answer a malformed press, and count it."""
    desk.tally.turned_away[words.dialect, problem.rule] += 1
    return words.malformed(problem)


def refused_at_once(desk: Desk, rule: Rule, words: Words) -> Response:
    """Answer a request that a rule refuses before anything is sent, and count it."""
    desk.tally.turned_away[words.dialect, rule] += 1
    return words.refused(rule)


def count_role_refused(desk: Desk, words: Words) -> None:
    """Count a press or a statement that the caller's role may not make."""
    desk.tally.turned_away[words.dialect, Rule.NOT_THE_OWNER] += 1


async def press(
    desk: Desk,
    request: Request,
    caller: Caller,
    command: Command | Malformed | Rule,
    words: PressWords,
    wait_seconds: float | None = None,
) -> Response:
    """Record a press and answer with its verdict. `wait_seconds` is the wait that the caller prefers, if any."""
    if caller.role == "reader":
        count_role_refused(desk, words)
        return words.for_readers()
    key = idempotency_key(request)
    if isinstance(command, Malformed):
        return malformed_press(desk, first_of(command, fault_in(key)), words)
    if isinstance(key, Malformed):
        return malformed_press(desk, key, words)
    if isinstance(command, Rule):
        return refused_at_once(desk, command, words)  # last, because history is needed to know it
    asked = asked_for(desk, request, caller, command, words, key, wait_seconds)
    return worded(asked, await desk.submitter.submit(asked), words)


async def press_at(
    desk: Desk,
    request: Request,
    caller: Caller,
    reading: Reading,
    opening: Opening,
    words: PressWords,
    wait_seconds: float | None = None,
) -> Response:
    """Do the same for a press that may begin an interval. `reading` reads it, and its time as `opening` says.

    A retry is no other press because its time has become too old since: it gets the first answer. So a press under a
    key may be an hour older than others, and an older one is looked up by its key.
    """
    command = reading(opening)
    if isinstance(command, Malformed) and isinstance(idempotency_key(request), str):
        # The first press may not be judged yet. So a retry within the hour is recorded too, and the fold answers both.
        command = reading(replace(opening, now=lambda: opening.now() - _RETRIED_WITHIN))
        if isinstance(command, Malformed):
            in_time = partial(reading, replace(opening, backdate_days_max=None))
            first = await first_answer(desk, request, caller, in_time, words)
            if first is not None:
                return first
    return await press(desk, request, caller, command, words, wait_seconds)


async def first_answer(
    desk: Desk,
    request: Request,
    caller: Caller,
    as_it_was: Callable[[], Command | Malformed | Rule],
    words: PressWords,
) -> Response | None:
    """Answer a retry as its first press was answered. None: there was none that could have been taken.

    `as_it_was` reads the press as it could be read then.
    """
    key = idempotency_key(request)
    if caller.role == "reader" or not isinstance(key, str):
        return None
    command = as_it_was()
    if isinstance(command, Malformed | Rule):
        return None
    asked = asked_for(desk, request, caller, command, words, key, None)
    answer = await desk.submitter.first_answer(asked)
    return None if answer is None else worded(asked, answer, words)


def asked_for(
    desk: Desk,
    request: Request,
    caller: Caller,
    command: Command,
    words: PressWords,
    key: str | None,
    wait_seconds: float | None,
) -> Asked:
    """Return what is to be submitted."""
    seconds = desk.answer_within_seconds if wait_seconds is None else wait_seconds
    return Asked(command, caller, words.dialect, key, seconds, traceparent(request))


def opening_here(desk: Desk, zone_name: str | None = None) -> Opening:
    """Return how a time that begins an interval is read in this deployment."""
    return Opening(desk.now, desk.backdate_days_max, zone_name)


def worded(asked: Asked, answer: Answer, words: PressWords) -> Response:
    """Answer a press in the dialect's words. A fact that was learned is worded where it was asked for."""
    match answer:
        case Accepted():
            return words.accepted(asked, answer)
        case Learned():
            return words.refused(Rule.INTERNAL)  # the outcome is not that of the press
        case Refused():
            return words.refused_press(asked, answer)
        case StillWaiting():
            return words.waiting(asked, answer)
        case NotRecorded(retry_after_seconds=seconds):
            return words.unavailable(seconds)
        case _:
            assert_never(answer)


async def read(desk: Desk, request: Request, caller: Caller, words: Words, ask: Ask | Malformed | Response) -> Response:
    """Answer with what `ask` finds, once the read models have passed `X-Min-Position`.

    `ask` may be what is wrong with the question, or the answer to a caller for whom nothing is to be found.
    """
    wanted = min_position(request)
    if isinstance(ask, Malformed):
        return words.malformed(first_of(ask, fault_in(wanted)))
    if isinstance(wanted, Malformed):
        return words.malformed(wanted)
    if isinstance(ask, Response):
        return ask
    try:
        if wanted is not None and not await desk.reads.wait_for(caller.tenant, *wanted, MIN_POSITION_WAIT_SECONDS):
            return words.unavailable()
        return await ask()
    except NoSuchPartitionError:
        return words.malformed(Malformed(Rule.VALUE_INVALID, "X-Min-Position"))
    except ReadsAwayError:
        return words.unavailable()
