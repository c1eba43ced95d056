"""Rows: what the read models say, as dialects receive it. Values only; nothing here knows SQL or HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from services.command_api.desk.attended import Attended
from services.command_api.desk.commands import Position
from services.command_api.desk.questions import TimerKey, ViolationKey
from shared.events.outcome import State


class ReadsAwayError(Exception):
    """Postgres is away or too slow. Commands go on; a request that needs a row is answered 503."""


class NoSuchPartitionError(Exception):
    """A position names a partition that this deployment does not have, so waiting for it is useless."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person with tokens of their own. `aliases` are other names that dialect B accepts for them."""

    owner: str
    name: str
    aliases: tuple[str, ...]

    def answers_to(self, name: str) -> bool:
        """Return whether `name` means this person: the owner's id exactly, or an alias in any case of letters."""
        return name == self.owner or name.casefold() in {alias.casefold() for alias in self.aliases}


@dataclass(frozen=True, slots=True)
class OpenTimer:
    """One line of the list of open timers (RUNNING and PAUSED)."""

    id: int
    account_id: str | None
    started_at: datetime
    comment: str | None


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One interval, half-open: [start, end). `end_at` None: the interval is open.

    `reason` is the code of the pause that ended it, None where none was given.
    """

    start_at: datetime
    end_at: datetime | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TimerRow:
    """One timer as the read models know it at `position`. `total_us` counts closed intervals only.

    In a list it has no `intervals`.
    """

    id: int
    owner: str
    account_id: str | None
    job_id: str | None
    project_id: str | None
    billable: bool
    work_date: date | None
    state: State
    started_at: datetime
    stopped_at: datetime | None
    total_us: int
    flags: tuple[str, ...]
    comment: str | None
    work_item: str | None
    intervals: tuple[IntervalRow, ...]
    position: str
    reference: str | None = None

    @property
    def key(self) -> TimerKey:
        """The timer's key, from which its list goes on."""
        return TimerKey(self.started_at, self.id)


@dataclass(frozen=True, slots=True)
class TimersFound:
    """A page of a list of timers. `after`: after which timer the list goes on; None: this is the last page.

    `after` need not be on the page, which may have no timer at all: the list was looked through that far.
    """

    rows: list[TimerRow]
    after: TimerKey | None


@dataclass(frozen=True, slots=True)
class RunningTimer:
    """The running timer of an owner: the one opened last, then the higher id. `closed_us` is without the open interval.

    `opened_at` and `zone` are the open interval's; `name` is the person's, None when it is not known.
    """

    id: int
    owner: str
    name: str | None
    job_id: str | None
    billable: bool
    work_date: date | None
    work_item: str | None
    opened_at: datetime
    zone: str
    closed_us: int


@dataclass(frozen=True, slots=True)
class AttendanceWindow:
    """One window of attendance on a local day. `checked_out_at` None: it has no end."""

    on: date
    checked_in_at: datetime
    checked_out_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """All that is known of an owner at `position`. None: it was never stated.

    `aliases` are those of the owner's person; None: the owner is no person of the tenant. Everything is in order.
    """

    zone: str | None = None
    timers_disabled: bool | None = None
    active: bool | None = None
    aliases: tuple[str, ...] | None = None
    leave: tuple[date, ...] = ()
    attendance: tuple[AttendanceWindow, ...] = ()
    estimates: tuple[tuple[str, int], ...] = ()
    position: str | None = None


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One outcome as it was written down. `body` is the JSON of docs/contract.md, section 9.

    `unread` says why the body cannot be read, and is then empty: a newer release packed it, or it is not what was
    written. `digest` is the body's own, None where the body cannot be read or is not of a press.
    """

    kpart: int
    source_offset: int
    event_id: UUID
    digest: str | None
    log_time: datetime
    body: str
    unread: Literal["newer", "damaged"] | None = None


@dataclass(frozen=True, slots=True)
class ViolationRow:
    """One finding. `to_at` and `amount_us` are None while it lasts, and where its rule measures nothing.

    `event_id` is the press that began it, and `policy_revision` the document that judged that press.
    """

    timer_id: int
    owner: str
    rule: str
    from_at: datetime
    to_at: datetime | None
    amount_us: int | None
    refused: bool
    event_id: UUID
    policy_revision: int | None

    @property
    def key(self) -> ViolationKey:
        """The finding's key, from which its list goes on."""
        return ViolationKey(self.from_at, self.timer_id, self.rule)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One line of a timer's history, at its place on the log. `by`: press, settle or switch.

    `told` has no member for what there is not: a rule when none refused, a caller when an end fell due, a time that the
    caller did not give.
    """

    source_offset: int
    position: str
    by: str
    at: datetime
    told: Mapping[str, Any]
    event_id: UUID
    log_time: datetime


@dataclass(frozen=True, slots=True)
class DayRow:
    """What was worked on one local day: closed intervals only, and which part of that is billable.

    `attended` is None where the day has no time left, and for the days of many owners.
    """

    day: date
    total_us: int
    billable_us: int
    changed_after_lock: bool
    attended: Attended | None = None


@dataclass(frozen=True, slots=True)
class DaysRow:
    """An owner's days as of `position`, None before anything of the owner's partition was folded.

    `zone` is the owner's own, None when the profile has none. A day without a closed interval has no row. The days of
    an account or a job have neither a zone nor a position.
    """

    zone: str | None
    position: Position | None
    days: tuple[DayRow, ...]
