"""Days off and attendance: on which local days an owner does not work (R09), and in which hours (R10)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from services.projector.domain.sheet.state import OpenInterval, Timesheet, Window
from shared.events.calendar import local_day
from shared.events.policies.book import Timeline
from shared.events.policies.terms import Terms
from shared.events.rules import Rule

_LONG: Final = timedelta(days=2)
_TODAY_AND_YESTERDAY: Final = frozenset({timedelta(), timedelta(days=1)})


def is_day_off(sheet: Timesheet, terms: Terms, day: date, moment: datetime) -> bool:
    """Return whether a local day is weekend, holiday or leave, as far as was known at a moment."""
    leave = sheet.leave.get(day)
    if leave is not None and leave.granted and leave.known_at <= moment:
        return True
    return terms.is_day_off(day)


def outside_attendance(sheet: Timesheet, moment: datetime, day: date) -> bool:
    """Return whether the owner had checked in on a moment's local `day`, and no window of attendance covers it."""
    if not any(window.on == day for window in sheet.attendance.values()):
        return False
    return not any(covers(window, moment) for window in _near(sheet, day))


def check_outs(sheet: Timesheet, after: datetime, zone: str) -> Iterator[datetime]:
    """Return, in no order, when attendance ends after a moment: at a check-out, if no other window goes on.

    A check-out that was told later counts from when it was known, on its own local day.
    """
    for window in sheet.attendance.values():
        left = window.checked_out_at
        # A window without an end is sometimes given one in the year 9999, which has no next day.
        if left is None or left <= after or left.date() - window.on > _LONG:
            continue
        day, at = local_day(left, zone), max(left, window.known_at)
        if day - window.on not in _TODAY_AND_YESTERDAY or (at > left and local_day(at, zone) != day):
            continue  # no press of that day asks about this window either
        if not any(covers(other, at) for other in _near(sheet, day)):
            yield at


def check_outs_due(sheet: Timesheet, timeline: Timeline, running: OpenInterval) -> Iterator[datetime]:
    """Return, in no order, the check-outs at which a finding opens about an interval: none about it goes on then."""
    if not sheet.attendance or running.has_open(Rule.OUTSIDE_ATTENDANCE):
        return
    for left in check_outs(sheet, running.start, running.zone):
        on = Rule.OUTSIDE_ATTENDANCE in timeline.at(left).on
        if on and not running.lasted_at(Rule.OUTSIDE_ATTENDANCE, left):
            yield left


def covers(window: Window, moment: datetime) -> bool:
    """Return whether a window covers a moment. One without a check-out has no end."""
    return window.checked_in_at <= moment and (window.checked_out_at is None or moment < window.checked_out_at)


def _near(sheet: Timesheet, day: date) -> Iterator[Window]:
    """Return the windows of a day, and those of the day before, which may reach over midnight."""
    return (window for window in sheet.attendance.values() if day - window.on in _TODAY_AND_YESTERDAY)
