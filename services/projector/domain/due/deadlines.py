"""Deadlines: what is due for an interval that runs, and when (docs/contract.md, section 6, "What falls due")."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal

from services.projector.domain.due.crossings import DAY, first_in, reached, window
from services.projector.domain.due.days_off import check_outs, is_day_off
from services.projector.domain.due.estimates import estimate_reached
from services.projector.domain.endings import DAILY, midnight_after
from services.projector.domain.sheet.state import OpenInterval, Timer, Timesheet
from shared.events.calendar import local_day
from shared.events.durations import US_PER_SECOND, microseconds
from shared.events.policy_book import Timeline
from shared.events.rules import Rule
from shared.events.value import value

# What happens at a deadline, in the order in which it does at one instant: an old day's finding ends before one opens.
Kind = Literal["1 ends", "2 opens", "3 stops"]
# How far back a rule of a day looks. The days before were looked at in their time, by ticks. Without a bound, a start
# that lies years back would make every press of its owner slow.
DAYS_LOOKED: Final = timedelta(days=8)
_US: Final = timedelta(microseconds=1)

# A local day, when it begins, and when the next one does.
_Day = tuple[date, datetime, datetime]


@value(order=True)
class Due:
    """One thing that is due. The order is the contract's: by time, then by timer, then by rule."""

    at: datetime
    timer_id: int
    rule: str
    kind: Kind
    # Of a finding that ends: when it began.
    began: datetime | None = None


class Outlook:
    """What is ahead on an owner's sheet, by the policies in force at each time, up to `until`."""

    def __init__(self, sheet: Timesheet, timeline: Timeline, until: datetime, *, runs_alone: bool) -> None:
        self._sheet = sheet
        self._timeline = timeline
        self._until = until
        # Whether not more than one interval runs.
        self._runs_alone = runs_alone
        self._days_off = bool(sheet.leave) or timeline.has_days_off
        # An owner's timers share their days, and there may be hundreds that run.
        self._reached: dict[tuple[date, int, bool], datetime | None] = {}
        self._estimates_reached: dict[str, datetime | None] = {}

    def dues(self, timer: Timer, running: OpenInterval, *, stops: bool) -> Iterator[Due]:
        """Return, in no order, what is due for a running timer up to `until`: at least the first of each rule."""
        if self._until <= running.start:
            return
        for finding in running.found:
            if finding.to is None and finding.rule in DAILY:
                midnight = midnight_after(finding.from_, running)
                if midnight <= self._until:
                    yield Due(midnight, timer.id, finding.rule, "1 ends", finding.from_)
        for rule, at in self._opening(timer, running):
            if at <= self._until:
                yield Due(at, timer.id, rule.value, "2 opens")
        if stops:
            limit = self._length(running, self._timeline.auto_close)
            if limit is not None:
                yield Due(limit, timer.id, Rule.LONG_RUNNING.value, "3 stops")

    def lengths(self, running: OpenInterval) -> Iterator[datetime]:
        """Return the ends to which a running interval's own length leads, up to `until`. They are cheap to tell."""
        ends = [self._length(running, self._timeline.auto_close)]
        if not running.has(Rule.LONG_RUNNING):
            ends.append(self._length(running, self._timeline.long_running))
        yield from (at for at in ends if at is not None)

    def _opening(self, timer: Timer, running: OpenInterval) -> Iterator[tuple[Rule, datetime]]:
        if not running.has(Rule.LONG_RUNNING):
            long = self._length(running, self._timeline.long_running)
            if long is not None:
                yield Rule.LONG_RUNNING, long
        yield from self._opening_on_a_day(timer, running)
        if timer.after.job_id is not None and (used_up := self._over_estimate(timer, running)) is not None:
            yield Rule.OVER_ESTIMATE, used_up
        if self._sheet.attendance and not running.has_open(Rule.OUTSIDE_ATTENDANCE):
            for left in check_outs(self._sheet, running.start, running.zone):
                if not running.lasted_at(Rule.OUTSIDE_ATTENDANCE, left) and self._timeline.at(left).is_on(
                    Rule.OUTSIDE_ATTENDANCE
                ):
                    yield Rule.OUTSIDE_ATTENDANCE, left

    def _opening_on_a_day(self, timer: Timer, running: OpenInterval) -> Iterator[tuple[Rule, datetime]]:
        caps = self._timeline.has_daily_cap and timer.after.billable
        fills = not self._runs_alone or bool(self._sheet.days)
        if not (self._days_off or caps or fills):
            return
        days = self._days(running)
        # A day off begins at a midnight, and the press was judged by the day on which the interval began.
        if self._days_off and days[-1][1] > running.start:
            yield from self._first_of(Rule.DAY_OFF, running, days, self._day_off)
        if caps:
            yield from self._first_of(Rule.OVER_DAILY_CAP, running, days, self._over_cap)
        if fills:
            yield from self._first_of(Rule.OVERFULL_DAY, running, days, self._overfull)

    def _first_of(
        self,
        rule: Rule,
        running: OpenInterval,
        days: Sequence[_Day],
        on: Callable[[OpenInterval, _Day], datetime | None],
    ) -> Iterator[tuple[Rule, datetime]]:
        """Return a rule with the first instant at which it fires: on a day on which it has told nothing yet."""
        for day in days:
            if not running.has(rule, day[1], day[2]) and (at := on(running, day)) is not None:
                yield rule, at
                return

    def _day_off(self, running: OpenInterval, local: _Day) -> datetime | None:
        day, begins, _ = local
        if begins <= running.start:
            return None  # the press was judged
        policy = self._timeline.at(begins)
        off = policy.is_on(Rule.DAY_OFF) and is_day_off(self._sheet, policy, day, begins)
        return begins if off else None

    def _over_cap(self, running: OpenInterval, local: _Day) -> datetime | None:
        _, begins, ends = local
        since, sets, caps = max(begins, running.start), self._timeline.begins, self._timeline.daily_caps
        for place, cap in enumerate(caps):
            crossed = None if cap is None else self._reaches(cap * US_PER_SECOND, running, local, billable=True)
            if crossed is not None:
                at = max(crossed, since if place == 0 else max(since, sets[place]))
                if at < (ends if place + 1 == len(caps) else min(ends, sets[place + 1])):
                    return at
        return None

    def _overfull(self, running: OpenInterval, local: _Day) -> datetime | None:
        day, begins, ends = local
        if self._runs_alone and day not in self._sheet.days:
            return None  # an interval that runs alone fills its day when the day is over, so not before
        crossed = self._reaches(microseconds(begins, ends), running, local, billable=False)
        if crossed is None:
            return None
        at = max(crossed, begins, running.start)
        return at if at < ends and self._timeline.at(at).is_on(Rule.OVERFULL_DAY) else None

    def _over_estimate(self, timer: Timer, running: OpenInterval) -> datetime | None:
        """Return when the job's estimate is used up; one set later counts from when it was on the log."""
        job_id = timer.after.job_id
        estimate = None if job_id is None else self._sheet.job(job_id).estimate
        if job_id is None or estimate is None or running.has(Rule.OVER_ESTIMATE):
            return None
        if job_id not in self._estimates_reached:
            self._estimates_reached[job_id] = estimate_reached(self._sheet, job_id, self._until)
        crossed = self._estimates_reached[job_id]
        if crossed is not None:
            counts_from = max(running.start, estimate.known_at)
            for since, to, policy in self._timeline.pieces(counts_from, self._until + _US):
                if policy.is_on(Rule.OVER_ESTIMATE) and max(crossed, since) < to:
                    return max(crossed, since)
        return None

    def _reaches(self, limit_us: int, running: OpenInterval, local: _Day, *, billable: bool) -> datetime | None:
        day, begins, ends = local
        if self._runs_alone:
            return first_in(self._sheet.worked_us(day, billable=billable), limit_us, max(begins, running.start), ends)
        key = day, limit_us, billable
        if key not in self._reached:
            self._reached[key] = reached(self._sheet, day, limit_us, billable=billable)
        return self._reached[key]

    def _length(self, running: OpenInterval, limits: tuple[timedelta | None, ...]) -> datetime | None:
        """Return when an interval reaches a length that policies set; one set later counts from when it was set."""
        begins, until = self._timeline.begins, self._until + _US
        for place, limit in enumerate(limits):
            if limit is not None:
                at = running.start + limit
                at = at if place == 0 else max(at, begins[place])
                if at < (until if place + 1 == len(limits) else min(until, begins[place + 1])):
                    return at
        return None

    def _days(self, running: OpenInterval) -> list[_Day]:
        """Return the local days of a running interval up to `until`, but those of no length, which a zone skipped."""
        since = running.start if self._until - running.start < DAYS_LOOKED else self._until - DAYS_LOOKED
        day, days = local_day(since, running.zone), []
        while (begins_ends := window(day, running.zone))[0] <= self._until:
            if begins_ends[0] < begins_ends[1]:
                days.append((day, *begins_ends))
            day += DAY
        return days
