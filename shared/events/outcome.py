"""Outcome: event, verdict and all that it changed (docs/contract.md, section 9).

The value on `timer.outcomes.v1`, the body of an `outcome` row and an element of a reply are the same bytes. Outcomes
are enough to write every fold table without judging, policy or zone data. They never hold free text.

Readers ignore unknown members, and accept unknown words as they are. Only `v` says that a reader is too old. A member
that is marked as optional may be null or absent: both mean the same.
With care: a new member is free. A new verdict, a new state or a new meaning is a new `v`.
"""

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from .base import Day, Instant, Reference, TimerId, kinds_of
from .models import ToldActor
from .value import value

# How many timers one outcome may change. What else fell due comes with the owner's next record. An outcome without
# this bound could become too large for a broker, and would stop its partition's stream for good.
CHANGES_MAX: Final = 200

_VERSION: Final = 1
_WORDS: Final = {"literal_error", "enum"}
# Left out when it is None. So an outcome of a press that gives no such value has the bytes that it always had.
_WRITTEN_WHEN_GIVEN: Final = Field(exclude_if=lambda value: value is None)


class NewerOutcomeError(Exception):
    """The outcome was written for a newer release: wait for the upgrade."""


class UnreadableOutcomeError(Exception):
    """The bytes are no outcome. The message names kinds of errors, and quotes nothing of the record."""


class State(StrEnum):
    """The states of a timer. STOPPED is final."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


@value(kw_only=True)
class Finding:
    """A violation: a rule that flagged or refused. `to` and `amount_us` are None where the rule measures nothing.

    Of one timer, rule and `from` the last telling counts. But one with `refused` changes nothing of one without.
    """

    timer_id: TimerId
    rule: str
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant | None = None
    amount_us: int | None = None
    refused: bool = False


@value(kw_only=True)
class TimerAfter:
    """A timer as it stands after a change. `total_us` counts closed intervals only.

    `reference` is the caller's own id of the timer. The member is there only when the start gave one.
    """

    id: TimerId
    owner: str
    account_id: Reference | None = None
    job_id: Reference | None = None
    project_id: Reference | None = None
    billable: bool = True
    work_date: Day | None = None
    state: State
    started_at: Instant
    stopped_at: Instant | None
    total_us: int
    last_at: Instant
    flags: tuple[str, ...]
    reference: Annotated[str | None, _WRITTEN_WHEN_GIVEN] = None


@value(kw_only=True)
class Opened:
    """An interval that began. `zone` cuts all of it into days, also after the owner's zone changes."""

    seq: int
    start: Instant
    zone: str


@value(kw_only=True)
class DayPart:
    """The part of an interval on one local day, in microseconds. `after_lock`: the day was locked by then (R15)."""

    on: date
    us: int
    after_lock: bool = False


@value(kw_only=True)
class Was:
    """The end of an interval that nobody pressed (an automatic stop, a switch), and that a late press took back."""

    end: Instant
    days: tuple[DayPart, ...]


@value(kw_only=True)
class Closed:
    """An interval that ended: [start, end), and its days, which add up to it exactly.

    `was` is there when the interval had an end that nobody pressed: day totals lose its days and gain these.
    `reason` is the code that the pause gave, and is there only when it gave one. The outcome's own `reason` is another
    thing: why a press was refused.
    """

    seq: int
    start: Instant
    end: Instant
    zone: str
    days: tuple[DayPart, ...]
    was: Was | None = None
    reason: Annotated[str | None, _WRITTEN_WHEN_GIVEN] = None


# Why a timer changed: its own press, something that fell due, or the start of another timer of its owner.
By = Literal["press", "settle", "switch"]
# Such an end nobody pressed: a late press that belongs before it takes it back.
PROVISIONAL: Final = frozenset[str]({"settle", "switch"})


@value(kw_only=True)
class Change:
    """What happened to one timer: how it stands afterwards, and which interval began or ended. `by` is a `By`."""

    timer: TimerId
    by: str
    after: TimerAfter
    opened: Opened | None = None
    closed: Closed | None = None


@value(kw_only=True)
class Fact:
    """A fact about an owner. The newest of a `kind` and `about` counts.

    `about` tells facts of one kind apart: the day of a leave, the check-in of an attendance, the job of an estimate.
    Kinds of this release: profile, leave, attendance, estimate, texts_erased.
    """

    kind: str
    about: str = ""
    body: dict[str, Any]


Verdict = Literal["accepted", "refused", "unreadable", "void"]


@value(kw_only=True)
class Outcome:
    """What one press amounted to. Written down once, and never judged again.

    `changed` lists all changes, in the order in which they happened. `timer` is the pressed one, also when the press
    was refused. `due` is the owner's next deadline; where `owner` is known, None means that there is none.
    """

    v: Literal[1] = 1
    source_offset: int
    event_id: UUID | None
    event_type: str | None
    subject: TimerId | None
    tenant: str | None
    owner: str | None
    actor: ToldActor | None
    dialect: str | None
    digest: str | None
    recorded_at: Instant | None
    log_time: Instant
    asked_at: Instant | None = None
    at: Instant | None
    policy_rev: int
    policy_revision: int | None
    verdict: Verdict
    rule: str | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    timer: TimerAfter | None = None
    changed: tuple[Change, ...] = ()
    fact: Fact | None = None
    due: Instant | None = None


@value(kw_only=True)
class Reply:
    """One element of a reply record: the request, and its outcome. Verdict void and R24 occur only here."""

    request_id: str
    outcome: Outcome


_OUTCOME: Final = TypeAdapter(Outcome)
_REPLIES: Final = TypeAdapter(list[Reply])


class _Version(BaseModel):
    v: int


class _Answered(BaseModel):
    outcome: _Version


_ANSWERS: Final = TypeAdapter(list[_Answered])


class _Key(BaseModel):
    tenant: str | None
    owner: str | None


class _Digest(BaseModel):
    digest: str | None = None


def read_outcome(body: bytes | str) -> Outcome:
    """Return an outcome from its bytes. Raises NewerOutcomeError or UnreadableOutcomeError."""
    try:
        return _OUTCOME.validate_json(body)
    except ValidationError as error:
        if _is_newer(error, lambda: [_Version.model_validate_json(body)]):
            raise NewerOutcomeError from None
        raise UnreadableOutcomeError(kinds_of(error)) from None


def read_replies(record: bytes) -> list[Reply]:
    """Return the elements of one reply record. Raises NewerOutcomeError, for any of them, or UnreadableOutcomeError."""
    try:
        return _REPLIES.validate_json(record)
    except ValidationError as error:
        if _is_newer(error, lambda: [answer.outcome for answer in _ANSWERS.validate_json(record)]):
            raise NewerOutcomeError from None
        raise UnreadableOutcomeError(kinds_of(error)) from None


def _is_newer(error: ValidationError, versions: Callable[[], list[_Version]]) -> bool:
    # A word that a reader must know (a verdict, a state) comes with a new `v`. Without a new `v`, wait for it too.
    if {problem["type"] for problem in error.errors(include_input=False)} <= _WORDS:
        return True
    try:
        return any(version.v > _VERSION for version in versions())
    except ValidationError:
        return False


def write_outcome(outcome: Outcome) -> bytes:
    """Return the bytes of an outcome: the same for the topic, the row and the reply."""
    return _OUTCOME.serializer.to_json(outcome, by_alias=True)


def outcome_key(outcome: Outcome) -> bytes | None:
    """Return the key under which an outcome is published: tenant/owner, or the presser's tenant; None: unreadable."""
    return _key(outcome.tenant, outcome.owner)


def key_of_body(body: bytes | str) -> bytes | None:
    """Return the same from an outcome's bytes, also when another release wrote them."""
    key = _Key.model_validate_json(body)
    return _key(key.tenant, key.owner)


def digest_of_body(body: bytes | str) -> str | None:
    """Return the digest of what was asked, from an outcome's bytes, also when another release wrote them, or None."""
    return _Digest.model_validate_json(body).digest


def _key(tenant: str | None, owner: str | None) -> bytes | None:
    if tenant is None:
        return None
    return (tenant if owner is None else f"{tenant}/{owner}").encode()


def join_replies(replies: Sequence[tuple[str, bytes]]) -> bytes:
    """Return one reply record for all waiters of one API process. The bytes of each outcome stay as they are."""
    elements = [b'{"request_id":%s,"outcome":%s}' % (_quoted(request_id), body) for request_id, body in replies]
    return b"[" + b",".join(elements) + b"]"


_TEXT: Final = TypeAdapter(str)


def _quoted(text: str) -> bytes:
    return _TEXT.dump_json(text)
