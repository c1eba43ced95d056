"""Spread: how long something took, counted into buckets. Plain numbers, which `metrics` shows as a histogram."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

# From a verdict on an idle machine to the longest wait that a caller may ask for.
BOUNDS_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Spread:
    """How often something took at most so long, and how long all of it took together. Both only grow."""

    __slots__ = ("_counts", "total_seconds")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_SECONDS) + 1)
        self.total_seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one. Two clocks that differ a little may give less than nothing, which counts as nothing."""
        self._counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        self.total_seconds += max(seconds, 0.0)

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Return each bound as Prometheus writes it, with how many took at most so long."""
        bounds = [*map(str, BOUNDS_SECONDS), "+Inf"]
        return zip(bounds, map(float, accumulate(self._counts)), strict=True)
