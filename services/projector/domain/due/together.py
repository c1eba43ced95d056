"""Together: how much time intervals that run add up to, and when that reaches a limit, without a walk over them.

With n intervals running, time grows n seconds a second. The number of those that have begun, and the sum of their
starts, say how much there is at any moment.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from shared.events.durations import UNIX_EPOCH, microseconds


def us_of(moment: datetime) -> int:
    """Return a moment in microseconds since 1970."""
    return microseconds(UNIX_EPOCH, moment)


def moment_of_us(us: int) -> datetime:
    """Return the moment of so many microseconds since 1970."""
    return UNIX_EPOCH + timedelta(microseconds=us)


class Together:
    """Intervals that run, by their starts in microseconds since 1970."""

    def __init__(self, starts: Iterable[int]) -> None:
        self.starts = sorted(starts)
        # At n, the sum of the first n.
        self._sums = [0, *accumulate(self.starts)]

    def time_in(self, begin: int, end: int, until: int) -> int:
        """Return how much time in [begin, end) there is up to a moment."""
        until = min(until, end)
        if until <= begin:
            return 0
        before, begun = bisect_right(self.starts, begin), bisect_left(self.starts, until)
        return before * (until - begin) + (begun - before) * until - (self._sums[begun] - self._sums[before])


# Intervals that run, and in which span their time counts.
Part = tuple[Together, int, int]


def time_in_all(parts: Iterable[Part], until: int) -> int:
    """Return how much time all parts have up to a moment."""
    return sum(together.time_in(begin, end, until) for together, begin, end in parts)


def first_in_all(total: int, limit: int, parts: Sequence[Part]) -> int | None:
    """Return the first microsecond at which a total is at or over a limit, while it grows in each of the parts.

    None: not in these parts. The total is below the limit without them.
    """
    if not parts or total + time_in_all(parts, end := max(end for _, _, end in parts)) < limit:
        return None
    begin = min(begin for _, begin, _ in parts)
    # Nearly always every interval runs already, and in one zone: then the time grows evenly from here on.
    evenly = max(max(begin, together.starts[-1]) for together, begin, _ in parts)
    so_far = total + time_in_all(parts, evenly)
    if so_far < limit and all(part[2] == end for part in parts):
        return evenly - (so_far - limit) // sum(len(together.starts) for together, _, _ in parts)
    return begin + bisect_left(range(begin, end + 1), limit - total, key=lambda until: time_in_all(parts, until))
