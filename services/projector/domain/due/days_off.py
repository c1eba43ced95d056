"""Days off and attendance: on which local days an owner does not work (R09), and in which hours (R10)."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Final

from services.projector.domain.sheet.state import OpenInterval, Timesheet, Window
from shared.events.calendar import local_day
from shared.events.policies.book import Timeline
from shared.events.policies.terms import Terms
from shared.events.rules import Rule
from shared.events.value import value

# A window may reach over one midnight, and the local date of its end may be a day before that in UTC.
_LONG: Final = timedelta(days=2)
_DAY: Final = timedelta(days=1)


def is_day_off(sheet: Timesheet, terms: Terms, day: date, moment: datetime) -> bool:
    """Return whether a local day is weekend, holiday or leave, as far as was known at a moment."""
    leave = sheet.leave.get(day)
    if leave is not None and leave.granted and leave.known_at <= moment:
        return True
    return terms.is_day_off(day)


def outside_attendance(sheet: Timesheet, moment: datetime, day: date) -> bool:
    """Return whether the owner had checked in on a moment's local `day`, and no window of attendance covers it."""
    near = (day, _day_before(day))
    windows = [window for window in sheet.attendance.values() if window.on in near]
    return any(window.on == day for window in windows) and not any(covers(window, moment) for window in windows)


def is_watched(sheet: Timesheet, moment: datetime) -> bool:
    """Return whether attendance ends after a moment, so that the owner needs a look then."""
    return any(
        window.checked_out_at is not None
        and window.checked_out_at > moment
        and window.checked_out_at.date() - window.on <= _LONG
        for window in sheet.attendance.values()
    )


@value
class CheckOuts:
    """When attendance ends up to `until`: at a check-out, if no other window goes on.

    An owner may have planned years. So windows of later days are left out, and a day is checked against those near it.
    """

    attendance: Mapping[str, Window]
    timeline: Timeline
    until: datetime

    @cached_property
    def _by_day(self) -> Mapping[date, list[Window]]:
        last = self.until.date() + _DAY  # in zones that are ahead
        by_day: dict[date, list[Window]] = {}
        for window in [window for window in self.attendance.values() if window.on <= last]:
            by_day.setdefault(window.on, []).append(window)
        return by_day

    def due(self, running: OpenInterval) -> Iterator[datetime]:
        """Return, in no order, the check-outs at which R10 opens a finding about a running interval.

        None are returned while such a finding lasts. One that was told later may lie after `until`.
        """
        if running.has_open(Rule.OUTSIDE_ATTENDANCE):
            return
        for window in chain.from_iterable(self._by_day.values()):
            left = window.checked_out_at
            if left is None or not running.start < left <= self.until:
                continue
            at = self._counts_at(left, window, running.zone)
            if at is None or running.lasted_at(Rule.OUTSIDE_ATTENDANCE, at):
                continue
            if Rule.OUTSIDE_ATTENDANCE in self.timeline.at(at).on:
                yield at

    def _counts_at(self, left: datetime, window: Window, zone: str) -> datetime | None:
        """Return when a check-out counts: one that was told later from when it was known, on its own local day."""
        day, at = local_day(left, zone), max(left, window.known_at)
        before = _day_before(day)
        if window.on not in (day, before) or (at > left and local_day(at, zone) != day):
            return None  # no press of that day is judged by this window either
        near = (*self._by_day.get(day, ()), *self._by_day.get(before, ()))
        return None if any(covers(other, at) for other in near) else at


def covers(window: Window, moment: datetime) -> bool:
    """Return whether a window covers a moment. One without a check-out has no end."""
    return window.checked_in_at <= moment and (window.checked_out_at is None or moment < window.checked_out_at)


def _day_before(day: date) -> date:
    return day if day == date.min else day - _DAY
