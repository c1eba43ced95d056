"""Local days, found by walking: the first quarter of an hour at which a local clock shows the date."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final

from shared.events.zones import zone

# Since 1972 each zone is off UTC by whole quarters of an hour, and changes at a whole quarter.
_STEP: Final = timedelta(minutes=15)
_SPREAD: Final = timedelta(hours=27)
_DAY: Final = timedelta(days=1)
# The first instant at which each local clock shows a date that the calendar has.
_BEGINNING: Final = datetime(1, 1, 1, 16, tzinfo=UTC)


@cache
def first_moment(day: date, zone_name: str) -> datetime | None:
    """Return the first instant whose local date is `day`, or None if the zone left that date out.

    The calendar's second day begins before its first in some zones. No press and no deadline lies so early.
    """
    there, midnight = zone(zone_name), datetime.combine(day, time(), UTC)
    moment = midnight - min(_SPREAD, midnight - _BEGINNING)
    for _ in range(2 * _SPREAD // _STEP):
        if moment.astimezone(there).date() == day:
            return moment
        moment += _STEP
    return None


def day_of(moment: datetime, zone_name: str) -> date:
    """Return the newest local day that has begun."""
    day = moment.astimezone(zone(zone_name)).date() + _DAY
    while True:
        began = first_moment(day, zone_name)
        if began is not None and began <= moment:
            return day
        day -= _DAY


def days_between(start: datetime, end: datetime, zone_name: str) -> list[tuple[date, int]]:
    """Return how many microseconds of [start, end) lie on each local day, in order. Days without any are left out."""
    found = []
    day = day_of(start, zone_name)
    while start < end:
        tomorrow = day + _DAY
        while (cut := first_moment(tomorrow, zone_name)) is None:
            tomorrow += _DAY
        upto = min(cut, end)
        if upto > start:
            found.append((day, (upto - start) // timedelta(microseconds=1)))
        start, day = max(upto, start), tomorrow
    return found


def day_span(day: date, zone: str) -> tuple[datetime, datetime]:
    """Return when a local day begins and ends."""
    return _begin(day, zone), _begin(day + _DAY, zone)


def _begin(day: date, zone: str) -> datetime:
    while (begins := first_moment(day, zone)) is None:
        day += _DAY
    return begins
