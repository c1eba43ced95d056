"""The window: the last outcomes of all tenants in memory, bounded by bytes and by number, for all readers together.

Outcomes stand in the order in which they came. The oldest leave first, whether they were read or not. A *landmark*,
every 64 outcomes, says up to where each partition had come by then, so that a reader's position also moves on
partitions that have nothing for its tenant, and a reader that comes back begins near its place.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.feed.window.position import FeedPlace, MovingPosition
from services.feed.window.record import StreamRecord

# What an outcome costs beside its bytes: objects, and its share of lists and landmarks.
OVERHEAD_BYTES: Final = 500

_LANDMARK_EVERY: Final = 64
_TRIM_AT: Final = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Landmark:
    """Up to where each partition was read, just before the outcomes that have this landmark."""

    frontier: tuple[FeedPlace, ...]


@dataclass(frozen=True, slots=True)
class Shelved:
    """One outcome in the window."""

    partition: int
    offset: int
    source_offset: int
    body: bytes
    landmark: Landmark
    shelf: "Shelf"


class Shelf:
    """One tenant's outcomes in the window, numbered from 0 for as long as the shelf is there."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.readers = 0
        self.news = asyncio.Event()
        self._kept: list[Shelved] = []
        self._gone = 0  # how many at the head of the list have left the window
        self._base = 0  # the number of the list's first element

    @property
    def first(self) -> int:
        """The number of the oldest outcome that is still here, or of the next one to come."""
        return self._base + self._gone

    @property
    def end(self) -> int:
        """The number of the next outcome to come."""
        return self._base + len(self._kept)

    def __getitem__(self, number: int) -> Shelved:
        """Return the outcome with this number: `first` <= number < `end`."""
        return self._kept[number - self._base]

    def put(self, kept: Shelved) -> None:
        """Take one more outcome."""
        self._kept.append(kept)

    def drop_first(self) -> None:
        """Let the oldest go."""
        self._gone += 1
        if self._gone >= _TRIM_AT and 2 * self._gone >= len(self._kept):
            del self._kept[: self._gone]
            self._base, self._gone = self._base + self._gone, 0

    def wake_readers(self) -> None:
        """Wake the readers that wait for news."""
        news, self.news = self.news, asyncio.Event()
        news.set()


class FeedWindow:
    """The last outcomes. `begin`: the places from which on nothing is missing. `frontier`: the places read next."""

    def __init__(self, begin: Sequence[FeedPlace], *, bytes_max: int, outcomes_max: int) -> None:
        self.closed = False
        self.bytes = 0
        self._bytes_max = bytes_max
        self._outcomes_max = outcomes_max
        self._begin = list(begin)
        self._frontier = list(begin)
        self._landmark = Landmark(tuple(begin))
        self._since_landmark = 0
        self._kept: deque[Shelved] = deque()
        self._shelves: dict[str, Shelf] = {}
        self._touched: set[Shelf] = set()

    def __len__(self) -> int:
        """Return how many outcomes are in the window."""
        return len(self._kept)

    @property
    def begin(self) -> tuple[FeedPlace, ...]:
        """The places of the beginning: a reader that stands at them misses nothing that is here."""
        return tuple(self._begin)

    @property
    def frontier(self) -> tuple[FeedPlace, ...]:
        """The places of the end."""
        return tuple(self._frontier)

    @property
    def begin_text(self) -> str:
        """The position of the beginning."""
        return MovingPosition(self._begin).text

    def holds(self, places: Sequence[FeedPlace]) -> bool:
        """Return whether nothing after these places has left the window."""
        return all(place.next >= begin.next for place, begin in zip(places, self._begin, strict=True))

    def add(self, found: StreamRecord) -> None:
        """Take one record, after all those before it on its partition. A repeat of an earlier outcome is passed."""
        before = self._frontier[found.partition]
        source = found.source_offset
        if source is None or source < before.wanted:
            self._frontier[found.partition] = FeedPlace(found.offset + 1, before.wanted)
            return
        if found.tenant is not None:
            self._keep(found, source, found.tenant)
        self._frontier[found.partition] = FeedPlace(found.offset + 1, source + 1)
        self._evict()

    def wake_readers(self) -> None:
        """Wake the readers for whom something came. Call it after each poll."""
        for shelf in self._touched:
            shelf.wake_readers()
        self._touched.clear()

    def close(self) -> None:
        """End all walks: the process ends, or the log is not the one that this window was filled from."""
        self.closed = True
        for shelf in self._shelves.values():
            shelf.wake_readers()

    def enter(self, tenant: str) -> Shelf:
        """Return a tenant's shelf for a reader, which must `leave` it. A shelf with a reader stays."""
        shelf = self._shelf(tenant)
        shelf.readers += 1
        return shelf

    def leave(self, shelf: Shelf) -> None:
        """End the stay of one reader."""
        shelf.readers -= 1
        self._clear_away(shelf)

    def _keep(self, found: StreamRecord, source_offset: int, tenant: str) -> None:
        if self._since_landmark >= _LANDMARK_EVERY:
            self._landmark, self._since_landmark = Landmark(tuple(self._frontier)), 0
        self._since_landmark += 1
        shelf = self._shelf(tenant)
        kept = Shelved(found.partition, found.offset, source_offset, found.body, self._landmark, shelf)
        shelf.put(kept)
        self._kept.append(kept)
        self._touched.add(shelf)
        self.bytes += len(found.body) + OVERHEAD_BYTES

    def _evict(self) -> None:
        while self.bytes > self._bytes_max or len(self._kept) > self._outcomes_max:
            oldest = self._kept.popleft()
            self.bytes -= len(oldest.body) + OVERHEAD_BYTES
            self._begin[oldest.partition] = FeedPlace(oldest.offset + 1, oldest.source_offset + 1)
            oldest.shelf.drop_first()
            self._clear_away(oldest.shelf)

    def _shelf(self, tenant: str) -> Shelf:
        shelf = self._shelves.get(tenant)
        if shelf is None:
            shelf = self._shelves[tenant] = Shelf(tenant)
        return shelf

    def _clear_away(self, shelf: Shelf) -> None:
        if shelf.readers == 0 and shelf.first == shelf.end:
            self._shelves.pop(shelf.tenant, None)
            self._touched.discard(shelf)


def first_where(first: int, end: int, true: Callable[[int], bool]) -> int:
    """Return the first number in [first, end) for which `true` holds, else `end`. It holds for all after it too."""
    while first < end:
        middle = (first + end) // 2
        if true(middle):
            end = middle
        else:
            first = middle + 1
    return first
