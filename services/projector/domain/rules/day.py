"""R09, R10 and R11: days off, hours of attendance, and the billable time of a day."""

from services.projector.domain.due.crossings import total_at
from services.projector.domain.due.days_off import is_day_off, outside_attendance
from services.projector.domain.rules.case import Case, Flag, Refusal, lasting
from shared.events.rules import Rule


def day_off(case: Case) -> Refusal | Flag | None:
    """R09: the press counts on a local day that is weekend, holiday or leave of the owner."""
    if not (case.terms.has_days_off or case.sheet.leave):
        return None
    off = is_day_off(case.sheet, case.terms, case.day, case.press.log_time)
    return lasting(case, Rule.DAY_OFF) if off else None


def outside_hours(case: Case) -> Refusal | Flag | None:
    """R10: the owner has checked in that day, and is not there at the moment at which the press counts."""
    if not case.sheet.attendance:
        return None
    outside = outside_attendance(case.sheet, case.at, case.day)
    return lasting(case, Rule.OUTSIDE_ATTENDANCE) if outside else None


def over_daily_cap(case: Case) -> Refusal | Flag | None:
    """R11: the billable time of the local day, running timers included, is at or over the limit."""
    cap_us = case.terms.daily_cap_us
    if cap_us is None or not case.work.billable:
        return None
    total_us = total_at(case.sheet, case.day, case.at, billable=True)
    return lasting(case, Rule.OVER_DAILY_CAP) if total_us >= cap_us else None
