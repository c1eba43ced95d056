"""R09, R10 and R11: days off, hours of attendance, and the billable time of a day."""

from services.projector.domain.due.crossings import total_at
from services.projector.domain.due.days_off import is_day_off, outside_attendance
from services.projector.domain.rules.case import Case, Flag, Refusal, lasting
from shared.events.calendar import local_day
from shared.events.durations import US_PER_SECOND
from shared.events.rules import Rule


def day_off(case: Case) -> Refusal | Flag | None:
    """R09: the press counts on a local day that is weekend, holiday or leave of the owner."""
    if not case.policy.has_days_off and not (case.sheet.leave and case.policy.is_on(Rule.DAY_OFF)):
        return None
    if case.adds_nothing:
        return None
    off = is_day_off(case.sheet, case.policy, local_day(case.at, case.day_zone), case.press.log_time)
    return lasting(case, Rule.DAY_OFF) if off else None


def outside_hours(case: Case) -> Refusal | Flag | None:
    """R10: the owner has checked in that day, and is not there at the moment at which the press counts."""
    if not case.sheet.attendance or case.adds_nothing or not case.policy.is_on(Rule.OUTSIDE_ATTENDANCE):
        return None
    outside = outside_attendance(case.sheet, case.at, case.day_zone)
    return lasting(case, Rule.OUTSIDE_ATTENDANCE) if outside else None


def over_daily_cap(case: Case) -> Refusal | Flag | None:
    """R11: the billable time of the local day, running timers included, is at or over the limit."""
    cap = case.policy.daily_cap_seconds
    if cap is None or not case.billable or case.adds_nothing:
        return None
    total_us = total_at(case.sheet, local_day(case.at, case.day_zone), case.at, billable=True)
    return lasting(case, Rule.OVER_DAILY_CAP) if total_us >= cap * US_PER_SECOND else None
