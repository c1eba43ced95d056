"""Token buckets: a burst, and then a rate, for each of a bounded number of keys.

When there are too many, the least recently used bucket is dropped. Its key begins again with a full one.
"""

from collections.abc import Callable
from typing import Final

from shared.bounded import make_room

BUCKETS_MAX: Final = 10_000


class Buckets:
    """A bucket for each key. `clock` returns seconds."""

    def __init__(self, burst: float, per_second: float, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        # The tokens that were left, and when.
        self._left: dict[bytes, tuple[float, float]] = {}

    def take(self, key: bytes) -> float:
        """Take one token and return 0. When there is none, return in how many seconds there will be one."""
        now = self._clock()
        left, at = self._left.pop(key, (self._burst, now))
        left = min(left + (now - at) * self._per_second, self._burst)
        make_room(self._left, BUCKETS_MAX)
        there = left >= 1
        self._left[key] = (left - there, now)
        return 0.0 if there else (1 - left) / self._per_second
