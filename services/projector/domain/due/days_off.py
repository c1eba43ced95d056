"""Days off and attendance: on which local days an owner does not work (R09), and in which hours (R10)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from services.projector.domain.sheet.state import Timesheet, Window
from shared.events.calendar import local_day
from shared.events.policy import Policy

_SUNDAY_IS_ONE: Final = 1
_TODAY_AND_YESTERDAY: Final = frozenset({timedelta(), timedelta(days=1)})


def is_day_off(sheet: Timesheet, policy: Policy, day: date, moment: datetime) -> bool:
    """Return whether a local day is weekend, holiday or leave, as far as was known at a moment."""
    leave = sheet.leave.get(day)
    if leave is not None and leave.granted and leave.known_at <= moment:
        return True
    return str(day.isoweekday() % 7 + _SUNDAY_IS_ONE) in policy.weekend_on(day) or policy.is_holiday(day)


def outside_attendance(sheet: Timesheet, moment: datetime, zone: str) -> bool:
    """Return whether the owner had checked in on the moment's local day, and no window of attendance covers it."""
    day = local_day(moment, zone)
    if not any(window.on == day for window in sheet.attendance.values()):
        return False
    return not any(covers(window, moment) for window in _near(sheet, day))


def check_outs(sheet: Timesheet, after: datetime, zone: str) -> Iterator[datetime]:
    """Return, in no order, the check-outs after a moment at which attendance ends: no other window goes on."""
    for window in sheet.attendance.values():
        left = window.checked_out_at
        if left is None or left <= after or left < window.known_at:
            continue
        if local_day(left, zone) - window.on not in _TODAY_AND_YESTERDAY:
            continue  # no press of that day asks about this window either
        if not any(covers(other, left) for other in _near(sheet, local_day(left, zone))):
            yield left


def covers(window: Window, moment: datetime) -> bool:
    """Return whether a window covers a moment. One without a check-out has no end."""
    return window.checked_in_at <= moment and (window.checked_out_at is None or moment < window.checked_out_at)


def _near(sheet: Timesheet, day: date) -> Iterator[Window]:
    """Return the windows of a day, and those of the day before, which may reach over midnight."""
    return (window for window in sheet.attendance.values() if day - window.on in _TODAY_AND_YESTERDAY)
