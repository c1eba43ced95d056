"""State: one owner's timesheet, as far as the next press can depend on it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.events.outcome import State, TimerAfter


@dataclass(frozen=True, slots=True)
class OpenInterval:
    """The interval that runs now. `zone` was in force when the interval began, and cuts all of it into days."""

    seq: int
    start: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class ClosedInterval:
    """An interval that was worked: [start, end)."""

    timer_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer: how it stands after its last change, the interval that runs, and how many intervals it has begun."""

    after: TimerAfter
    open: OpenInterval | None
    intervals: int

    @property
    def id(self) -> int:
        """The short id."""
        return self.after.id

    @property
    def state(self) -> State:
        """Whether it runs, is paused, or was stopped."""
        return self.after.state

    @property
    def last_at(self) -> datetime:
        """When its last accepted press counted."""
        return self.after.last_at


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of an owner as a person. A field that was never stated is None."""

    zone: str | None = None
    timers_disabled: bool | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Timesheet:
    """What is known of one owner. `closed` has all closed intervals that end after `closed_since` (None: all).

    `profile` is None for an owner of whom no profile was ever set.
    """

    tenant: str
    owner: str
    profile: Profile | None = None
    timers: Mapping[int, Timer] = field(default_factory=dict)
    closed: tuple[ClosedInterval, ...] = ()
    closed_since: datetime | None = None

    @property
    def zone(self) -> str | None:
        """The owner's own zone, None: the tenant's counts."""
        return None if self.profile is None else self.profile.zone

    def running_beside(self, timer_id: int) -> Iterator[Timer]:
        """Return, in no order, the owner's other timers that run now."""
        return (timer for timer in self.timers.values() if timer.open is not None and timer.id != timer_id)

    def busy_beside(self, timer_id: int, moment: datetime) -> Iterator[datetime]:
        """Return, in no order, the starts of other timers' intervals that run now, or ended after `moment`."""
        for timer in self.running_beside(timer_id):
            if timer.open is not None:
                yield timer.open.start
        for interval in self.closed:
            if interval.end > max(moment, interval.start) and interval.timer_id != timer_id:
                yield interval.start

    def knows_since(self, moment: datetime) -> bool:
        """Return whether every closed interval that ends after `moment` is in `closed`."""
        return self.closed_since is None or self.closed_since <= moment

    def joined(self, other: "Timesheet") -> "Timesheet":
        """Return the union of two sheets of one owner. Both must be of the same place on the log."""
        since = None
        if self.closed_since is not None and other.closed_since is not None:
            since = min(self.closed_since, other.closed_since)
        closed = tuple(dict.fromkeys((*self.closed, *other.closed)))
        return replace(self, timers={**self.timers, **other.timers}, closed=closed, closed_since=since)

    def trimmed(self) -> "Timesheet":
        """Return the sheet with its running timers only. What is dropped is read again when a press needs it.

        Every start asks about running timers. A paused or stopped timer, or a closed interval, is seldom asked about.
        """
        ends = [interval.end for interval in self.closed]
        ended = max([*ends, self.closed_since] if self.closed_since is not None else ends, default=None)
        running = {id_: timer for id_, timer in self.timers.items() if timer.open is not None}
        return replace(self, timers=running, closed=(), closed_since=ended)
