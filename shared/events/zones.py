"""Time zones, from the pinned tzdata package alone.

The machine's own zone files are never read, because two machines with different files would count one day differently.
"""

import zoneinfo
from datetime import UTC, datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

zoneinfo.reset_tzpath(to=())

_NAMES: Final = frozenset(zoneinfo.available_timezones())


def is_zone(name: str) -> bool:
    """Return whether `name` is a zone of the pinned tzdata, such as "Asia/Jerusalem"."""
    return name in _NAMES


@cache
def zone(name: str) -> ZoneInfo:
    """Return the zone called `name`. Raises ZoneInfoNotFoundError for a name that tzdata does not have."""
    return ZoneInfo(name)


def instant_of(local: datetime, zone_name: str) -> datetime:
    """Return the UTC instant of a wall-clock reading in a zone.

    An ambiguous reading is the first of the two. One that the clocks skipped is moved forward by the gap.
    Raises OverflowError at the ends of the calendar.
    """
    # With fold=0 Python reads a skipped time with the offset from before the gap, which moves it forward.
    return local.replace(tzinfo=zone(zone_name), fold=0).astimezone(UTC)
