"""Durations: whole microseconds between instants. No float ever touches a minute."""

from datetime import datetime, timedelta
from typing import Final

_US: Final = timedelta(microseconds=1)


def microseconds(start: datetime, end: datetime) -> int:
    """Return how long [start, end) is, exactly; negative when `end` lies before `start`."""
    return (end - start) // _US
