"""Deadlines: what is due for an interval that runs, and when (docs/contract.md, section 6, "What falls due")."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal

from services.projector.domain.due.alike import late_on
from services.projector.domain.due.crossings import DAY, first_in, reached
from services.projector.domain.due.days_off import CheckOuts, is_day_off
from services.projector.domain.due.estimates import estimate_reached
from services.projector.domain.endings import DAILY, midnight_after
from services.projector.domain.sheet.state import OpenInterval, Timer, Timesheet
from shared.events.calendar import local_day, window
from shared.events.durations import microseconds
from shared.events.policies.book import Timeline
from shared.events.rules import Rule
from shared.events.value import value

# What happens at a deadline, in the order in which it does at one instant: an old day's finding ends before one opens.
Kind = Literal["1 ends", "2 opens", "3 stops"]
# How far back a rule of a day looks. The days before were looked at in their time, by ticks. Without a bound, a start
# that lies years back would make every press of its owner slow.
DAYS_LOOKED: Final = timedelta(days=8)
# How far back it looks from the day on which an interval that came late was on the log: as far as a start may lie
# (`COMMAND_API_BACKDATE_DAYS_MAX`), and a day for the zone.
LATE_LOOKED: Final = timedelta(days=63)
# Rules whose limit an owner's timers reach together. The others ask about one interval alone.
SHARED: Final = frozenset({Rule.OVER_DAILY_CAP, Rule.OVER_ESTIMATE, Rule.OVERFULL_DAY})
_US: Final = timedelta(microseconds=1)
# `value` of a member is a call, and there are several at each press that opens an interval.
_ID: Final = {rule: rule.value for rule in Rule}

# When something is due, by which rule, what happens then, and of a finding that ends when it began.
Said = tuple[datetime, str, Kind, datetime | None]
# A local day, when it begins, and when the next one does.
_Day = tuple[date, datetime, datetime]


def looked_since(at: datetime, log_time: datetime) -> datetime:
    """Return since when a press needs what has ended: since it counts, or since rules of a day look."""
    return max(at, log_time - DAYS_LOOKED)


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
    """What is ahead on an owner's sheet, by the policies in force at each time, up to `until`.

    `since` is when a press counts that came late: intervals which ended after it count as they went, and not whole.
    """

    def __init__(
        self, sheet: Timesheet, timeline: Timeline, until: datetime, *, runs_alone: bool, since: datetime | None = None
    ) -> None:
        self._sheet = sheet
        self._timeline = timeline
        self._until = until
        # Whether one interval alone adds time from here on.
        self._late = () if since is None else tuple(one for one in sheet.closed if one.end > since)
        self._runs_alone = runs_alone and not self._late
        self._days_off = bool(sheet.leave) or timeline.has_days_off
        # Whether each day was looked at. Of an interval that began long ago only the last days are, and a look that
        # goes less far finds what is due on those before.
        self.is_whole = True
        # An owner's timers share their days, and there may be hundreds that run.
        self._reached: dict[tuple[date, int, bool], datetime | None] = {}
        self._estimates_reached: dict[str, datetime | None] = {}
        self._check_outs: CheckOuts | None = None

    def dues(self, timer: Timer, running: OpenInterval, *, stops: bool) -> Iterator[Due]:
        """Return, in no order, what is due for a running timer up to `until`: at least the first of each rule."""
        if self._until > running.start:
            for at, rule, kind, began in (*self.by_length(running, stops=stops), *self.by_day(timer, running)):
                yield Due(at, timer.id, rule, kind, began)

    def by_length(self, running: OpenInterval, *, stops: bool) -> Iterator[Said]:
        """Return what is due by the length of an interval. It is cheap to compute."""
        if not running.has(Rule.LONG_RUNNING):
            long = self._length(running, self._timeline.long_running)
            if long is not None:
                yield long, _ID[Rule.LONG_RUNNING], "2 opens", None
        limit = self._length(running, self._timeline.auto_close) if stops else None
        if limit is not None:
            yield limit, _ID[Rule.LONG_RUNNING], "3 stops", None

    def by_day(self, timer: Timer, running: OpenInterval) -> Iterator[Said]:
        """Return what else is due. Each local day up to `until` is looked at, so let that be near."""
        for finding in running.found:
            if finding.to is None and finding.rule in DAILY:
                midnight = midnight_after(finding.from_, running)
                if midnight <= self._until:
                    yield midnight, finding.rule, "1 ends", finding.from_
        for rule, at in self._opening(timer, running):
            if at <= self._until:
                yield at, _ID[rule], "2 opens", None

    def by_job(self, timer: Timer, running: OpenInterval) -> Iterator[Said]:
        """Return what of that is due by the estimate of the job."""
        at = None if timer.after.job_id is None else self._over_estimate(timer, running)
        if at is not None and at <= self._until:
            yield at, _ID[Rule.OVER_ESTIMATE], "2 opens", None

    def stop_at(self, until: datetime) -> None:
        """Look up to this moment from now on, if it is earlier."""
        self._until = min(self._until, until)

    def _opening(self, timer: Timer, running: OpenInterval) -> Iterator[tuple[Rule, datetime]]:
        yield from self._opening_on_a_day(timer, running)
        if timer.after.job_id is not None and (used_up := self._over_estimate(timer, running)) is not None:
            yield Rule.OVER_ESTIMATE, used_up
        if self._sheet.attendance:
            if self._check_outs is None:
                self._check_outs = CheckOuts(self._sheet.attendance, self._timeline, self._until)
            for left in self._check_outs.due(running):
                yield Rule.OUTSIDE_ATTENDANCE, left

    def _opening_on_a_day(self, timer: Timer, running: OpenInterval) -> Iterator[tuple[Rule, datetime]]:
        caps = self._timeline.has_daily_cap and timer.after.billable
        fills = self._timeline.has_overfull_days and (not self._runs_alone or bool(self._sheet.days))
        if not (self._days_off or caps or fills):
            return
        days = self._days(running)
        # A day off begins at a midnight, and the press was judged by the day on which the interval began.
        off = self._days_off and days[-1][1] > running.start
        if off and (at := self._first_of(Rule.DAY_OFF, running, days, self._day_off)) is not None:
            yield Rule.DAY_OFF, at
        if caps and (at := self._first_of(Rule.OVER_DAILY_CAP, running, days, self._over_cap)) is not None:
            yield Rule.OVER_DAILY_CAP, at
        if fills and (at := self._first_of(Rule.OVERFULL_DAY, running, days, self._overfull)) is not None:
            yield Rule.OVERFULL_DAY, at

    def _first_of(
        self,
        rule: Rule,
        running: OpenInterval,
        days: Sequence[_Day],
        on: Callable[[OpenInterval, _Day], datetime | None],
    ) -> datetime | None:
        """Return the first instant at which a rule fires: on a day on which it has told nothing yet."""
        # Halved, because an interval that came late has many days, and many findings.
        told = [found.from_ for found in running.found if found.rule == rule and found.lasted]
        for day in days:
            place = bisect_left(told, day[1])
            if (place == len(told) or told[place] >= day[2]) and (at := on(running, day)) is not None:
                return at
        return None

    def _day_off(self, running: OpenInterval, local: _Day) -> datetime | None:
        day, begins, _ = local
        if begins <= running.start:
            return None  # the press was judged
        terms = self._timeline.at(begins)
        off = Rule.DAY_OFF in terms.on and is_day_off(self._sheet, terms, day, begins)
        return begins if off else None

    def _over_cap(self, running: OpenInterval, local: _Day) -> datetime | None:
        _, begins, ends = local
        sets, caps, last = self._timeline.begins, self._timeline.daily_caps_us, len(self._timeline.daily_caps_us) - 1
        for place, cap_us in enumerate(caps):
            crossed = None if cap_us is None else self._reaches(cap_us, running, local, billable=True)
            if crossed is not None:
                at = max(crossed, begins, running.start, sets[place] if place > 0 else begins)
                if at < ends and (place == last or at < sets[place + 1]):
                    return at
        return None

    def _overfull(self, running: OpenInterval, local: _Day) -> datetime | None:
        day, begins, ends = local
        if self._runs_alone and day not in self._sheet.days:
            return None  # an interval that runs alone fills its day when the day is over, so not before
        crossed = self._reaches(microseconds(begins, ends), running, local, billable=False)
        return self._counts_at(Rule.OVERFULL_DAY, crossed, max(begins, running.start), ends)

    def _over_estimate(self, timer: Timer, running: OpenInterval) -> datetime | None:
        """Return when the job's estimate is used up; one set later counts from when it was on the log."""
        job_id = timer.after.job_id
        estimate = None if job_id is None else self._sheet.job(job_id).estimate
        if job_id is None or estimate is None or running.has(Rule.OVER_ESTIMATE):
            return None
        if job_id not in self._estimates_reached:
            self._estimates_reached[job_id] = estimate_reached(self._sheet, job_id, self._until, self._late)
        crossed = self._estimates_reached[job_id]
        return self._counts_at(Rule.OVER_ESTIMATE, crossed, max(running.start, estimate.known_at), self._until + _US)

    def _counts_at(self, rule: Rule, crossed: datetime | None, since: datetime, until: datetime) -> datetime | None:
        """Return when a crossing counts in [since, until); where its rule was off, from when the rule was on."""
        if crossed is not None:
            for begin, end, terms in self._timeline.pieces(since, until):
                if rule in terms.on and max(crossed, begin) < end:
                    return max(crossed, begin)
        return None

    def _reaches(self, limit_us: int, running: OpenInterval, local: _Day, *, billable: bool) -> datetime | None:
        day, begins, ends = local
        if self._runs_alone:
            return first_in(self._sheet.worked_us(day, billable=billable), limit_us, max(begins, running.start), ends)
        key = day, limit_us, billable
        if key not in self._reached:
            self._reached[key] = reached(self._sheet, day, limit_us, billable=billable, late=self._late)
        return self._reached[key]

    def _length(self, running: OpenInterval, limits: tuple[timedelta | None, ...]) -> datetime | None:
        """Return when an interval reaches a length that policies set; one set later counts from when it was set."""
        begins, last = self._timeline.begins, len(limits) - 1
        for place, limit in enumerate(limits):
            if limit is not None:
                at = running.start + limit if place == 0 else max(running.start + limit, begins[place])
                if at <= self._until and (place == last or at < begins[place + 1]):
                    return at
        return None

    def _days(self, running: OpenInterval) -> list[_Day]:
        """Return the local days of a running interval up to `until` that a look needs.

        Those of no length, which a zone skipped, are left out.
        """
        zone = running.zone
        first = day = local_day(running.start, zone)
        if self._until - running.start >= DAYS_LOOKED:
            day = local_day(self._until - DAYS_LOOKED, zone)
        days = self._late_days(running, first, day) if first < day else []
        begins, ends = window(day, zone)
        days.append((day, begins, ends))
        while ends <= self._until:
            day += DAY
            begins, ends = window(day, zone)
            if begins < ends:
                days.append((day, begins, ends))
        return days

    def _late_days(self, running: OpenInterval, first: date, recent: date) -> list[_Day]:
        """Return the days before `recent` that a look needs: those until an interval that came late was on the log."""
        late = late_on(running)
        if late is None:
            self.is_whole = False
            return []
        since, to = max(first, late - LATE_LOOKED), min(late, recent - DAY)
        self.is_whole = self.is_whole and (since, to) == (first, recent - DAY)
        days = (since + timedelta(days=number) for number in range((to - since).days + 1))
        return [(day, begins, ends) for day in days for begins, ends in [window(day, running.zone)] if begins < ends]
