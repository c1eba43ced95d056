"""Commands and answers: what every dialect translates to, and from.

A dialect turns a request into one of these commands, asks the submitter and turns the answer into its own words.
"""

from datetime import date, datetime
from typing import Final, Generic, Literal, NamedTuple, TypeVar, assert_never
from uuid import UUID

from shared.events.brief import BriefOutcome
from shared.events.models import Role
from shared.events.outcome import Fact, Outcome, State, TimerAfter
from shared.events.rules import Rule
from shared.events.value import value
from shared.identity import TokenRole

Dialect = Literal["thebase", "zoho", "native", "kafka"]

_RULES: Final = frozenset(Rule)
# How far an outcome was read.
_Read = TypeVar("_Read", bound=BriefOutcome | Outcome)


@value
class Caller:
    """The client that calls. `person` is the owner who called with their own token; None for a machine."""

    tenant: str
    client: str
    role: TokenRole
    person: str | None = None

    @property
    def presses_as(self) -> Role:
        """Return the role that events have. Raises ValueError for a reader, whose presses the dialects refuse."""
        if self.role == "reader":
            raise ValueError("a reader presses nothing")
        return self.role


@value
class AskedTime:
    """A time that the caller gave: its instant, how it was spelt, and whether we had to assume the zone."""

    instant: datetime
    spelt: str
    zone_assumed: bool = False


@value
class StartTimer:
    """Start a timer for `owner`. `billable` None: the dialect has no such field, or the caller left it out.

    `reference` is the caller's own id of the timer.
    """

    owner: str
    account_id: str | None = None
    job_id: str | None = None
    project_id: str | None = None
    billable: bool | None = None
    work_date: date | None = None
    comment: str | None = None
    work_item: str | None = None
    at: AskedTime | None = None
    reference: str | None = None


@value
class PressTimer:
    """Pause, resume or stop one timer, by its short id. `reason` is a pause's alone: the caller's code for why."""

    verb: Literal["pause", "resume", "stop"]
    timer_id: int
    at: AskedTime | None = None
    reason: str | None = None


@value
class SetProfile:
    """State an owner's zone or standing. What is None stays as it was."""

    owner: str
    zone: str | None = None
    timers_disabled: bool | None = None
    active: bool | None = None


@value
class SetLeave:
    """Grant an owner leave on a local day, or revoke it."""

    owner: str
    on: date
    granted: bool


@value
class RecordAttendance:
    """Record one window of attendance. `on_given` False: the caller named no day, and `on` was found for them."""

    owner: str
    on: date
    checked_in: AskedTime
    checked_out: AskedTime | None = None
    on_given: bool = True


@value
class SetEstimate:
    """Estimate an owner's assignment to a job."""

    owner: str
    job_id: str
    seconds: int


@value
class EraseTexts:
    """Erase all comments and work items of an owner."""

    owner: str


TimerCommand = StartTimer | PressTimer
FactCommand = SetProfile | SetLeave | RecordAttendance | SetEstimate | EraseTexts
Command = TimerCommand | FactCommand


@value
class Asked:
    """One press as a dialect asks for it: what, by which caller, under which key, and how long to wait for a verdict.

    `key` is the Idempotency-Key, None when there is none; `traceparent` is the W3C trace context, if any.
    """

    command: Command
    caller: Caller
    dialect: Dialect
    key: str | None = None
    wait_seconds: float = 2.0
    traceparent: str | None = None


class Position(NamedTuple):
    """A place on the log, written "partition:offset"."""

    partition: int
    offset: int

    def __str__(self) -> str:
        """Return the position as callers write it."""
        return f"{self.partition}:{self.offset}"


@value
class Accepted:
    """The press counts. `timer` is its timer after it."""

    timer: TimerAfter
    position: Position


@value
class Learned:
    """The fact counts, from its place on the log."""

    owner: str
    fact: Fact
    position: Position


@value
class Refused:
    """The press is recorded, and changed nothing because of `rule`. `state` is that of its timer, if there is one."""

    rule: Rule
    position: Position
    state: State | None = None


@value
class StillWaiting:
    """Recorded, and not judged in time. A start with a key may get another `timer_id` in its verdict.

    `timer_id` None: the press states a fact about an owner.
    """

    event_id: UUID
    timer_id: int | None
    position: Position
    digest: str


@value
class NotRecorded:
    """Not sent, of unknown fate, or void because it expired: the caller may retry. `why` is a code."""

    why: str
    retry_after_seconds: int = 1


Answer = Accepted | Learned | Refused | StillWaiting | NotRecorded


@value
class Decided(Generic[_Read]):
    """The press is recorded and judged: its outcome, never void, and its partition."""

    partition: int
    outcome: _Read


def answer_of(partition: int, outcome: BriefOutcome | Outcome) -> Accepted | Learned | Refused | NotRecorded:
    """Return what an outcome means to its caller. One that contradicts itself is our fault: R23."""
    position = Position(partition, outcome.source_offset)
    match outcome.verdict:
        case "accepted" if outcome.timer is not None:
            return Accepted(outcome.timer, position)
        case "accepted" if outcome.fact is not None and outcome.owner is not None:
            return Learned(outcome.owner, outcome.fact, position)
        case "void":
            return NotRecorded("void")
        case "refused" if outcome.rule in _RULES:
            return Refused(Rule(outcome.rule), position, None if outcome.timer is None else outcome.timer.state)
        case "accepted" | "refused" | "unreadable":
            return Refused(Rule.INTERNAL, position)
        case _:
            assert_never(outcome.verdict)
