"""The backlog: what was on the stream before this process began, as far as a window holds it.

Partitions are read at their own speeds, so the oldest outcomes leave by their time, and the window is filled by time.
"""

import heapq
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from services.feed.window.position import FeedPlace
from services.feed.window.record import StreamRecord
from services.feed.window.window import OVERHEAD_BYTES, FeedWindow


class Stretch(NamedTuple):
    """Which offsets a partition holds: [begin, end)."""

    begin: int
    end: int


def starts(stretches: Mapping[int, Stretch], outcomes_max: int) -> dict[int, int]:
    """Return from where to read each partition, so that all together are at most about `outcomes_max` records.

    Each partition gets its share by its length, because owners are spread evenly and partitions grow alike.
    """
    lengths = {partition: stretch.end - stretch.begin for partition, stretch in stretches.items()}
    total = sum(lengths.values())
    if total <= outcomes_max:
        return {partition: stretch.begin for partition, stretch in stretches.items()}
    return {
        partition: stretch.end - lengths[partition] * outcomes_max // total for partition, stretch in stretches.items()
    }


class Backlog:
    """Records of the past, within the bounds of a window."""

    def __init__(self, begin: Mapping[int, int], *, bytes_max: int, outcomes_max: int) -> None:
        self._bytes_max = bytes_max
        self._outcomes_max = outcomes_max
        self._begin = [FeedPlace(begin[partition], 0) for partition in sorted(begin)]
        self._found: list[deque[StreamRecord]] = [deque() for _ in begin]
        self._heads: list[tuple[int, int]] = []  # a heap: when the first record of a partition was written, and which
        self._count = 0
        self._bytes = 0

    def add(self, found: StreamRecord) -> None:
        """Take one record, after all those before it on its partition."""
        records = self._found[found.partition]
        records.append(found)
        if len(records) == 1:
            heapq.heappush(self._heads, (found.written_at_ms, found.partition))
        self._count += 1
        self._bytes += len(found.body) + OVERHEAD_BYTES
        while self._count > self._outcomes_max or self._bytes > self._bytes_max:
            self._drop_oldest()

    def window(self) -> FeedWindow:
        """Return a window with these records, ordered by time as far as the order of each partition allows."""
        window = FeedWindow(self._begin, bytes_max=self._bytes_max, outcomes_max=self._outcomes_max)
        for found in heapq.merge(*self._found, key=lambda found: found.written_at_ms):
            window.add(found)
        window.wake_readers()
        return window

    def _drop_oldest(self) -> None:
        _, partition = heapq.heappop(self._heads)
        records = self._found[partition]
        gone = records.popleft()
        if records:
            heapq.heappush(self._heads, (records[0].written_at_ms, partition))
        self._count -= 1
        self._bytes -= len(gone.body) + OVERHEAD_BYTES
        wanted = self._begin[partition].wanted
        if gone.source_offset is not None:
            wanted = max(wanted, gone.source_offset + 1)
        self._begin[partition] = FeedPlace(gone.offset + 1, wanted)
