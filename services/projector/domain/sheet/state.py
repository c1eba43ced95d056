"""State: one owner's timesheet, as far as the next press can depend on it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from services.projector.domain.sheet.jobs import Job, Jobs
from shared.events.outcome import DayPart, State, TimerAfter
from shared.events.policies.book import Timeline
from shared.events.rules import Rule
from shared.events.value import replace, value

# A local date and its UTC date differ by at most one, and attendance may reach over midnight.
DAYS_BEFORE: Final = timedelta(days=2)
_AHEAD: Final = timedelta(days=1)

_T = TypeVar("_T")
_M = TypeVar("_M", date, datetime)


@value
class FoundOpen:
    """A finding about an interval that runs, as it was told last. `to` is None while it lasts."""

    rule: str
    from_: datetime
    to: datetime | None

    @property
    def lasted(self) -> bool:
        """Whether there is any time in it: one that turned out not to have happened has none."""
        return self.to is None or self.to > self.from_


@value
class OpenInterval:
    """The interval that runs now. `zone` was in force when the interval began, and cuts all of it into days.

    `logged_at` is the log time of the press that opened it. `found` are the findings about it that can end.
    """

    seq: int
    start: datetime
    zone: str
    logged_at: datetime
    found: tuple[FoundOpen, ...] = ()

    def has(self, rule: Rule) -> bool:
        """Return whether a finding of a rule was told that lasts, or lasted."""
        return bool(self.found) and any(found.rule == rule and found.lasted for found in self.found)

    def lasted_at(self, rule: Rule, moment: datetime) -> bool:
        """Return whether a finding of a rule lasts, or lasted, at a moment."""
        return any(
            found.rule == rule and found.lasted and found.from_ <= moment and (found.to is None or moment < found.to)
            for found in self.found
        )

    def has_open(self, rule: Rule) -> bool:
        """Return whether a finding of a rule has not ended yet."""
        return bool(self.found) and any(found.rule == rule and found.to is None for found in self.found)


@value
class ClosedInterval:
    """An interval that was worked: [start, end). `zone` cuts it into days; the rest is its timer's."""

    timer_id: int
    start: datetime
    end: datetime
    zone: str
    billable: bool
    job_id: str | None


@value
class ProvisionalEnd:
    """An end that nobody pressed: an automatic stop, or a switch. A late press that belongs before it takes it back.

    `interval` is the interval as it ran, with how the findings about it were told last. `days` are those of the end.
    """

    interval: OpenInterval
    at: datetime
    days: tuple[DayPart, ...]


@value
class Timer:
    """One timer: how it stands after its last change, the interval that runs, and how many intervals it has begun.

    `ended` is how the timer's last interval ended when that end is provisional, and nothing was pressed since. With
    `open` it is an end that is being taken back by the press in hand.
    """

    after: TimerAfter
    open: OpenInterval | None
    intervals: int
    ended: ProvisionalEnd | None = None

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


@value
class Profile:
    """What is known of an owner as a person. A field that was never stated is None."""

    zone: str | None = None
    timers_disabled: bool | None = None
    active: bool | None = None


@value
class Leave:
    """Whether a local day is leave, and since when that is known: the log time of its fact."""

    granted: bool
    known_at: datetime


@value
class Window:
    """Attendance on the local day `on`, from check-in to check-out, and since when that is known."""

    on: date
    checked_in_at: datetime
    checked_out_at: datetime | None
    known_at: datetime


@value
class DayWorked:
    """What closed intervals add to a local day, in microseconds."""

    total_us: int = 0
    billable_us: int = 0


_NOT_WORKED: Final = DayWorked()
_NO_JOB: Final = Job()


@value
class Quiet:
    """Nothing falls due on a sheet at a moment in [since, until), by the policies of one timeline.

    `since` is the moment of the look. A late press counts before that, so it needs a look of its own.
    """

    timeline: Timeline
    since: datetime
    until: datetime


@value
class Grouped:
    """What `due` has computed about a sheet's running timers. It holds for these `timers` only."""

    timers: Mapping[int, Timer]


@value
class Timesheet:
    """What is known of one owner. `closed` has all closed intervals that end after `closed_since` (None: all).

    `profile` is None for an owner of whom no profile was ever set. `days`, `leave` and `attendance` (by `about`) have
    what is known of the local days from `days_since` on (None: of all). `jobs` has what is known of jobs, by their ids:
    of the jobs of the timers that are here, and of some others; `all_jobs`: of all.

    `quiet` is the result of the last look ahead, None: there is none. It follows from the other fields, so sheets are
    compared without it, and each change of them drops it. `grouped` are the running timers of an owner who has many, in
    groups; `grouped_now` says whether they are still these.
    """

    tenant: str
    owner: str
    profile: Profile | None = None
    timers: Mapping[int, Timer] = field(default_factory=dict)
    closed: tuple[ClosedInterval, ...] = ()
    closed_since: datetime | None = None
    days: Mapping[date, DayWorked] = field(default_factory=dict)
    leave: Mapping[date, Leave] = field(default_factory=dict)
    attendance: Mapping[str, Window] = field(default_factory=dict)
    days_since: date | None = None
    jobs: Jobs = field(default_factory=dict)
    all_jobs: bool = True
    quiet: Quiet | None = field(default=None, compare=False, repr=False)
    grouped: Grouped | None = field(default=None, compare=False, repr=False)

    def is_quiet(self, timeline: Timeline, moment: datetime) -> bool:
        """Return whether it is known that a look at a moment finds nothing due."""
        quiet = self.quiet
        return quiet is not None and quiet.since <= moment < quiet.until and quiet.timeline is timeline

    @property
    def grouped_now(self) -> Grouped | None:
        """The running timers in groups, None: they are few, or other ones since."""
        return self.grouped if self.grouped is not None and self.grouped.timers is self.timers else None

    def running(self) -> list[tuple[Timer, OpenInterval]]:
        """Return, in no order, the timers that run now, each with its interval."""
        return [(timer, timer.open) for timer in self.timers.values() if timer.open is not None]

    def ended_by_nobody(self, after: datetime) -> Iterator[tuple[Timer, ProvisionalEnd]]:
        """Return, in no order, the timers that no press has ended, and that ended after a moment."""
        for timer in self.timers.values():
            if timer.ended is not None and timer.open is None and timer.ended.at > after:
                yield timer, timer.ended

    def worked_us(self, day: date, *, billable: bool) -> int:
        """Return what closed intervals add to a local day."""
        worked = self.days.get(day, _NOT_WORKED)
        return worked.billable_us if billable else worked.total_us

    def job(self, job_id: str) -> Job:
        """Return what is known of a job. `knows_job` says whether that is all."""
        return self.jobs.get(job_id, _NO_JOB)

    def is_estimated(self, timer: Timer) -> bool:
        """Return whether a timer is worked on a job with an estimate."""
        return timer.after.job_id is not None and self.job(timer.after.job_id).estimate is not None

    def knows_job(self, job_id: str) -> bool:
        """Return whether everything about a job is here: the time worked on it, and its estimate."""
        return self.all_jobs or job_id in self.jobs

    def knows_days_since(self, day: date) -> bool:
        """Return whether everything about the local days from `day` on is here."""
        return self.days_since is None or self.days_since <= day

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
        days_since = None
        if self.days_since is not None and other.days_since is not None:
            days_since = min(self.days_since, other.days_since)
        return replace(
            self,
            timers={**self.timers, **other.timers},
            closed=tuple(dict.fromkeys((*self.closed, *other.closed))),
            closed_since=since,
            days={**self.days, **other.days},
            leave={**self.leave, **other.leave},
            attendance={**self.attendance, **other.attendance},
            days_since=days_since,
            jobs={**self.jobs, **other.jobs},
            all_jobs=self.all_jobs or other.all_jobs,
            quiet=None,
        )

    def trimmed(self, jobs_max: int) -> "Timesheet":
        """Return the sheet with its running timers and newest days only. What is dropped is read again when needed.

        Every start asks about running timers. A paused or stopped timer, or a closed interval, is seldom asked about.
        Of jobs on which no timer runs, `jobs_max` are kept. What is dropped makes nothing fall due.
        """
        running = {id_: timer for id_, timer in self.timers.items() if timer.open is not None}
        jobs = self._jobs_kept(running.values(), jobs_max) if self.jobs else self.jobs
        ended = max(interval.end for interval in self.closed) if self.closed else None
        since = self._days_kept_since(running.values())
        attendance = self.attendance
        if attendance and since is not None:
            attendance = {about: window for about, window in attendance.items() if window.on >= since}
        grouped = self.grouped_now
        return replace(
            self,
            timers=running,
            closed=(),
            closed_since=_later(ended, self.closed_since),
            days=_from(since, self.days),
            leave=_from(since, self.leave),
            attendance=attendance,
            days_since=_later(since, self.days_since),
            jobs=jobs,
            all_jobs=self.all_jobs and len(jobs) == len(self.jobs),
            grouped=None if grouped is None else replace(grouped, timers=running),
        )

    def _jobs_kept(self, running: Iterable[Timer], others_max: int) -> Jobs:
        """Return the jobs of timers that run, and the last of the others."""
        if len(self.jobs) <= others_max:
            return self.jobs
        needed = {timer.after.job_id for timer in running}
        others = [job_id for job_id in self.jobs if job_id not in needed]
        dropped = set(others[: max(0, len(others) - others_max)])
        return {job_id: job for job_id, job in self.jobs.items() if job_id not in dropped}

    def _days_kept_since(self, running: Iterable[Timer]) -> date | None:
        """Return two days before the first interval that runs, or before the newest day that was worked on."""
        starts = [timer.open.start for timer in running if timer.open is not None]
        if starts:
            return min(starts).date() - DAYS_BEFORE
        # Presses ask by the day in UTC, which the newest local day may be ahead of: in Tokyo until nine in the morning.
        newest = max(self.days, default=None)
        return None if newest is None else newest - _AHEAD - DAYS_BEFORE


def _later(one: _M | None, other: _M | None) -> _M | None:
    """Return the later of two moments or days; None: neither is known."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _from(since: date | None, days: Mapping[date, _T]) -> Mapping[date, _T]:
    """Return what is known of the days from `since` on, None: of all."""
    if since is None or not days or min(days) >= since:
        return days
    return {day: known for day, known in days.items() if day >= since}
