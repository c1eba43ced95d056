"""Crossings: when time reaches a limit, in whole microseconds; here that of a local day, in `estimates` that of a job.

The time of a day is what was worked on it in closed intervals, and the part on it of each interval that runs. With n
intervals running it grows n seconds a second.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from services.projector.domain.sheet.state import Timesheet
from shared.events.calendar import day_begins
from shared.events.durations import microseconds

# Earlier than any instant: the closed intervals alone reach the limit.
ALREADY: Final = datetime(1, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)


@lru_cache(maxsize=4096)
def window(day: date, zone: str) -> tuple[datetime, datetime]:
    """Return when a local day begins, and when the next one does."""
    return day_begins(day, zone), day_begins(day + DAY, zone)


def reached(sheet: Timesheet, day: date, limit_us: int, *, billable: bool) -> datetime | None:
    """Return the first microsecond at which the time of a day is at or over a limit; None: never, as it stands now.

    `billable`: of billable timers alone. `ALREADY` when no interval that runs is needed for it.
    """
    return first_at(sheet.worked_us(day, billable=billable), limit_us, _spans(sheet, day, billable=billable))


def total_at(sheet: Timesheet, day: date, moment: datetime, *, billable: bool) -> int:
    """Return the time of a day up to a moment, in microseconds: closed intervals whole, running ones up to it."""
    return sheet.worked_us(day, billable=billable) + time_in(_spans(sheet, day, billable=billable), moment)


def first_at(total: int, limit_us: int, spans: Iterable[tuple[datetime, datetime]]) -> datetime | None:
    """Return the first microsecond at which a total is at or over a limit, while it grows in each of the spans.

    None: not in these spans. `ALREADY` when the total is there without them. A span is [begin, end), and not empty.
    """
    if total >= limit_us:
        return ALREADY
    spans = tuple(spans)
    if len(spans) == 1:  # nearly always: one timer runs
        return first_in(total, limit_us, *spans[0])
    turns = sorted(turn for begin, end in spans for turn in ((begin, 1), (end, -1)))
    running = 0
    for place, (moment, step) in enumerate(turns):
        running += step
        if running == 0:
            continue
        # At least one span ends later, so there is a next turn.
        following = turns[place + 1][0]
        gained = running * microseconds(moment, following)
        if total + gained >= limit_us:
            return moment + timedelta(microseconds=-(-(limit_us - total) // running))
        total += gained
    return None


def first_in(total: int, limit_us: int, begin: datetime, end: datetime) -> datetime | None:
    """Return the same for one span."""
    missing = limit_us - total
    if missing <= 0:
        return ALREADY
    crossed = begin + timedelta(microseconds=missing)
    return crossed if crossed <= end else None


def time_in(spans: Iterable[tuple[datetime, datetime]], moment: datetime) -> int:
    """Return how many microseconds of the spans lie before a moment."""
    total = 0
    for begin, end in spans:
        if begin < moment:
            total += microseconds(begin, min(end, moment))
    return total


def _spans(sheet: Timesheet, day: date, *, billable: bool) -> Iterator[tuple[datetime, datetime]]:
    """Return which part of each running interval can lie on a day, by the interval's own zone."""
    for timer, running in sheet.running():
        if timer.after.billable or not billable:
            begin, end = window(day, running.zone)
            begin = max(begin, running.start)
            if begin < end:
                yield begin, end
