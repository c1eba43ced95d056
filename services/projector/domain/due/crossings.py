"""Crossings: when time reaches a limit, in whole microseconds; here that of a local day, in `estimates` that of a job.

The time of a day is what was worked on it in closed intervals, and the part on it of each interval that runs. With n
intervals running it grows n seconds a second. Closed intervals count whole, except those named `late`: they ended after
the press in hand, so they count like one that runs and ends.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.projector.domain.due.alike import Alike, alike_in
from services.projector.domain.due.together import Part, first_in_all, moment_of_us, time_in_all, us_of
from services.projector.domain.sheet.state import ClosedInterval, Timesheet
from shared.events.calendar import window
from shared.events.durations import microseconds

# Earlier than any instant: the closed intervals alone reach the limit.
ALREADY: Final = datetime(1, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)


def reached(
    sheet: Timesheet, day: date, limit_us: int, *, billable: bool, late: Sequence[ClosedInterval] = ()
) -> datetime | None:
    """Return the first microsecond at which the time of a day is at or over a limit; None: never, as it stands now.

    `billable`: of billable timers alone. `ALREADY` when no interval that runs is needed for it.
    """
    whole_us, alike = sheet.worked_us(day, billable=billable), alike_in(sheet)
    if alike is not None and not late:
        if whole_us >= limit_us:
            return ALREADY
        crossed = first_in_all(whole_us, limit_us, _parts(alike, day, billable=billable))
        return None if crossed is None else moment_of_us(crossed)
    spans = _spans(sheet, day, billable=billable)
    if late:
        parts = [
            part
            for interval in late
            if (interval.billable or not billable)
            and (part := _on_day(day, interval.zone, interval.start, interval.end)) is not None
        ]
        whole_us -= sum(microseconds(begin, end) for begin, end in parts)
        return first_at(whole_us, limit_us, (*spans, *parts))
    return first_at(whole_us, limit_us, spans)


def total_at(sheet: Timesheet, day: date, moment: datetime, *, billable: bool) -> int:
    """Return the time of a day up to a moment, in microseconds: closed intervals whole, running ones up to it."""
    total, alike = sheet.worked_us(day, billable=billable), alike_in(sheet)
    if alike is not None:
        return total + time_in_all(_parts(alike, day, billable=billable), us_of(moment))
    for timer in sheet.timers.values():
        running = timer.open
        if running is not None and running.start < moment and (timer.after.billable or not billable):
            begins, ends = window(day, running.zone)
            since, to = max(begins, running.start), min(ends, moment)
            if since < to:
                total += microseconds(since, to)
    return total


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


def _parts(alike: Alike, day: date, *, billable: bool) -> list[Part]:
    """Return the same of timers in groups: how those of a zone add time together, and from when to when it counts."""
    return [
        (peers.together, us_of(begins), us_of(ends))
        for (zone, is_billable), peers in alike.by_zone.items()
        if is_billable or not billable
        for begins, ends in [window(day, zone)]
    ]


def _on_day(day: date, zone: str, start: datetime, end: datetime) -> tuple[datetime, datetime] | None:
    begins, ends = window(day, zone)
    begin, end = max(begins, start), min(ends, end)
    return (begin, end) if begin < end else None
