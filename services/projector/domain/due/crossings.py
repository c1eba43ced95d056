"""Crossings: when the time of a local day reaches a limit, in whole microseconds.

The time of a day is what was worked on it in closed intervals, and the part on it of each interval that runs. With n
intervals running it grows n seconds a second.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.projector.domain.sheet.state import OpenInterval, Timesheet
from shared.events.calendar import day_begins
from shared.events.durations import microseconds

# Earlier than any instant: the closed intervals alone reach the limit.
ALREADY: Final = datetime(1, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)


def window(day: date, zone: str) -> tuple[datetime, datetime]:
    """Return when a local day begins, and when the next one does."""
    return day_begins(day, zone), day_begins(day + DAY, zone)


def reached(sheet: Timesheet, day: date, limit_us: int, *, billable: bool) -> datetime | None:
    """Return the first microsecond at which the time of a day is at or over a limit; None: never, as it stands now.

    `billable`: of billable timers alone. `ALREADY` when no interval that runs is needed for it.
    """
    total = sheet.worked_us(day, billable=billable)
    if total >= limit_us:
        return ALREADY
    turns = sorted(_turns(sheet, day, billable=billable))
    running = 0
    for place, (moment, step) in enumerate(turns):
        running += step
        if running == 0:
            continue
        # The day of at least one running interval ends later, so there is a next turn.
        following = turns[place + 1][0]
        gained = running * microseconds(moment, following)
        if total + gained >= limit_us:
            return moment + timedelta(microseconds=-(-(limit_us - total) // running))
        total += gained
    return None


def total_at(sheet: Timesheet, day: date, moment: datetime, *, billable: bool) -> int:
    """Return the time of a day up to a moment, in microseconds: closed intervals whole, running ones up to it."""
    running = (max(0, microseconds(begin, min(end, moment))) for begin, end in _spans(sheet, day, billable=billable))
    return sheet.worked_us(day, billable=billable) + sum(running)


def _turns(sheet: Timesheet, day: date, *, billable: bool) -> Iterator[tuple[datetime, int]]:
    for begin, end in _spans(sheet, day, billable=billable):
        yield begin, 1
        yield end, -1


def _spans(sheet: Timesheet, day: date, *, billable: bool) -> Iterator[tuple[datetime, datetime]]:
    for timer in sheet.timers.values():
        if timer.open is not None and (timer.after.billable or not billable):
            begin, end = _part_on(timer.open, day)
            if begin < end:
                yield begin, end


def _part_on(running: OpenInterval, day: date) -> tuple[datetime, datetime]:
    """Return which part of a running interval can lie on a day, by the interval's own zone."""
    begin, end = window(day, running.zone)
    return max(begin, running.start), end
