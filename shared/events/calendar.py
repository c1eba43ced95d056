"""Local days: where an interval is cut, so that each screen and each cap counts the same day the same way.

A day begins at the first instant of its local date and lasts until the next day begins. If midnight does not exist,
the day begins at the end of the gap. If midnight comes twice, the day begins at the first. Minutes that the clocks
repeat after midnight belong to the day that has begun.

The calendar has a first day and a last one. In every zone the first begins when the calendar does, and the last has no
end: a caller may ask for such a day, and nobody works on it.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from .durations import microseconds
from .outcome import DayPart
from .zones import zone

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def split(start: datetime, end: datetime, zone_name: str) -> tuple[DayPart, ...]:
    """Cut [start, end) into local days. The parts add up to it exactly; days of no length are left out."""
    parts: list[DayPart] = []
    day = local_day(start, zone_name)
    while start < end:
        cut = min(window(day, zone_name)[1], end)
        if cut > start:
            parts.append(DayPart(on=day, us=microseconds(start, cut)))
        if cut == end:
            break
        start, day = max(start, cut), day + _DAY
    return tuple(parts)


def local_day(moment: datetime, zone_name: str) -> date:
    """Return the local day that `moment` belongs to."""
    # Where days begin is remembered, and a conversion of each moment is not. A local date is within a day of the date
    # in UTC. When the clocks went back over midnight the local date is yesterday's again, but today has begun.
    day = moment.date()
    begins, ends = window(day, zone_name)
    while moment < begins:
        day -= _DAY
        begins, ends = window(day, zone_name)
    while ends <= moment and day < date.max:
        day += _DAY
        _, ends = window(day, zone_name)
    return day


@lru_cache(maxsize=65536)
def window(day: date, zone_name: str) -> tuple[datetime, datetime]:
    """Return when a local day begins, and when the next one does."""
    return day_begins(day, zone_name), _LAST if day == date.max else day_begins(day + _DAY, zone_name)


@lru_cache(maxsize=65536)
def day_begins(day: date, zone_name: str) -> datetime:
    """Return when a local day begins; for a date that the zone skipped, when the next one does."""
    while (begins := first_instant(day, zone_name)) is None:
        day += _DAY
    return begins


@lru_cache(maxsize=65536)
def first_instant(day: date, zone_name: str) -> datetime | None:
    """Return the first instant of a local date, or None for a date that the zone skipped altogether."""
    if day == date.min:
        return _FIRST
    there = zone(zone_name)
    midnight = datetime.combine(day, time(), there)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(there).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    # Midnight was skipped. The day begins where the clocks jumped, between the two readings of midnight.
    before, after = midnight.replace(fold=1).astimezone(UTC), instant
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle <= before:
            break
        if middle.astimezone(there).date() >= day:
            after = middle
        else:
            before = middle
    return after if after.astimezone(there).date() == day else None
