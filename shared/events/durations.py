"""Durations: whole microseconds between instants, and how they are written. No float ever touches a minute."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

# What moments are counted from, in Kafka's milliseconds and in our microseconds.
UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
US_PER_SECOND: Final = 1_000_000
US_PER_MINUTE: Final = 60 * US_PER_SECOND

_US: Final = timedelta(microseconds=1)
_TENTH: Final = Decimal("0.1")


def microseconds(start: datetime, end: datetime) -> int:
    """Return how long [start, end) is, exactly; negative when `end` lies before `start`."""
    return (end - start) // _US


def total_minutes(worked_us: int) -> Decimal:
    """Return `worked_us` microseconds in minutes with one decimal, halves rounded up."""
    # Rounded here, once, at the edge: a sum of rounded intervals would drift from the
    # rounded sum, and two screens would disagree about the same day.
    return (Decimal(worked_us) / US_PER_MINUTE).quantize(_TENTH, ROUND_HALF_UP)


def seconds_text(worked_us: int) -> str:
    """Return `worked_us` microseconds in seconds as a JSON number: exact, with no more decimals than it needs."""
    whole, rest = divmod(worked_us, US_PER_SECOND)
    return f"{whole}.{rest:06d}".rstrip("0") if rest else str(whole)
