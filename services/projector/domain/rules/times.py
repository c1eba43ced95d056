"""R14, R15 and R18: times ahead of the log, far behind it, or before the timer's last event; and an assumed zone."""

from datetime import datetime, timedelta
from typing import Final

from services.projector.domain.rules.case import Case, Flag, Refusal, flag, refusal_or_flag
from shared.events.calendar import day_begins, local_day
from shared.events.models import TimerStarted
from shared.events.rules import LATE, ZONE_ASSUMED, Rule

FUTURE_TOLERANCE: Final = timedelta(seconds=60)
LATE_AFTER: Final = timedelta(seconds=60)
MOVED_TOLERANCE: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)
_LOG_TICK: Final = timedelta(milliseconds=1)


def future_time(case: Case) -> Refusal | Flag | None:
    """R14: the time asked lies ahead of the log. Over 60 s is refused. Less, and any stop, is clamped and flagged."""
    asked, log_time = case.event.asked_at, case.press.log_time
    if _worked_on_a_day_to_come(case):
        # A date that was given in advance lasts no time.
        to = None if case.refuses(Rule.FUTURE_TIME) else case.at
        return refusal_or_flag(case, Rule.FUTURE_TIME, case.at, to)
    # Log times are whole milliseconds, so a time within the same millisecond is not ahead.
    if asked is None or asked < log_time + _LOG_TICK:
        return None
    if asked - log_time > FUTURE_TOLERANCE:
        return refusal_or_flag(case, Rule.FUTURE_TIME, log_time, asked)
    return flag(case, Rule.FUTURE_TIME, log_time, asked)


def past_time(case: Case) -> Refusal | Flag | None:
    """R15: an interval that begins too far back or in a locked period; a pause or stop that adds time to a locked day.

    The first is refused in the modes that refuse; the second counts in each of them, because time was worked.
    """
    if not case.opens:
        return _added_to_locked_days(case)
    first = _first_open_moment(case)
    if first is not None and (case.at < first or _worked_on_a_day_gone(case, first)):
        return refusal_or_flag(case, Rule.PAST_TIME, case.at)
    return None


def _added_to_locked_days(case: Case) -> Flag | None:
    timer = case.timer
    if timer is None or timer.open is None or (locked := case.terms.locked_before) is None:
        return None
    # An end that is taken back had added the time between the two ends, which these days lose again.
    since, until = (timer.open.start, case.at) if timer.ended is None else (case.at, timer.ended.at)
    cut = min(day_begins(locked, timer.open.zone), until)
    return flag(case, Rule.PAST_TIME, since, cut) if since < cut else None


def _first_open_moment(case: Case) -> datetime | None:
    """Return from when on an interval may begin, None: there is no limit and no lock."""
    limit, locked = case.terms.max_backdate, case.terms.locked_before
    far_back = None if limit is None else case.press.log_time - limit
    if locked is None:
        return far_back
    unlocked = day_begins(locked, case.zone)
    return unlocked if far_back is None else max(far_back, unlocked)


def _worked_on_a_day_gone(case: Case, first: datetime) -> bool:
    """Return whether a start says that it is for a day that was over at `first`."""
    work_date = case.work_date
    return work_date is not None and day_begins(work_date + _DAY, case.zone) <= first


def late_press(case: Case) -> Flag | None:
    """R18, first half: a press that was recorded over 60 s after it happened counts as asked, and is labelled."""
    asked = case.event.asked_at
    return Flag(LATE) if asked is not None and case.press.log_time - asked > LATE_AFTER else None


def moved_press(case: Case) -> Flag | None:
    """R18, second half: a press asked for before the timer's last event is moved to it; flagged when moved over 1 s."""
    asked = case.event.asked_at
    if asked is None or case.timer is None:
        return None
    moved = case.timer.last_at - asked > MOVED_TOLERANCE
    return flag(case, Rule.LATE_PRESS, asked, case.timer.last_at) if moved else None


def zone_assumed(case: Case) -> Flag | None:
    """Label a start whose time came without a zone: the tenant's zone was used."""
    assumed = case.timer is None and isinstance(case.event, TimerStarted) and case.event.zone_assumed
    return Flag(ZONE_ASSUMED) if assumed else None


def _worked_on_a_day_to_come(case: Case) -> bool:
    work_date = case.work_date
    return work_date is not None and work_date > local_day(case.press.log_time + FUTURE_TOLERANCE, case.zone)
