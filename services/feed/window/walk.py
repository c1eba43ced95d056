"""A walk: one reader's way along its tenant's shelf, at its own pace.

Nothing waits for a reader and nothing is kept for one. A reader that is so slow that an outcome left the window before
it was taken has *fallen out*: its walk is over, and the next request of its caller hears where to begin anew.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, NamedTuple, Self

from services.feed.window.position import FeedPlace, MovingPosition
from services.feed.window.window import FeedWindow, Landmark, Shelved, first_where

# Bounds of what a walk hands out at once. One outcome may be larger.
LINES_AT_ONCE: Final = 100
BYTES_AT_ONCE: Final = 64 * 1024


class Line(NamedTuple):
    """One outcome, and the position after it."""

    position: str
    body: bytes


class Walk:
    """A walk from `places` on, which the window must hold. Use it in a `with`: it counts as a reader inside."""

    def __init__(self, window: FeedWindow, tenant: str, places: Sequence[FeedPlace]) -> None:
        self._window = window
        self._standing = MovingPosition(places)
        self._shelf = window.enter(tenant)
        self._landmark: Landmark | None = None
        self._at = self._begin(places)

    def __enter__(self) -> Self:
        """Return the walk."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the shelf."""
        self._window.leave(self._shelf)

    @property
    def over(self) -> bool:
        """Whether nothing more will come: the reader fell out of the window, or the window is closed."""
        return self._window.closed or self._at < self._shelf.first

    @property
    def position(self) -> str:
        """Where to go on: nothing before it is missing, and nothing after it was handed out."""
        return self._standing.text

    def take(self, at_most: int = LINES_AT_ONCE) -> list[Line]:
        """Return the next lines, a few at a time; none when all was taken, or the walk is over."""
        taken: list[Line] = []
        room = BYTES_AT_ONCE
        while not self.over and len(taken) < min(at_most, LINES_AT_ONCE):
            if self._at == self._shelf.end:
                self._standing.pass_all(self._window.frontier)
                break
            kept = self._shelf[self._at]
            if taken and len(kept.body) > room:
                break
            self._at += 1
            if self._is_new(kept):
                taken.append(Line(self._standing.text, kept.body))
                room -= len(kept.body)
        return taken

    async def news(self, within_seconds: float) -> bool:
        """Wait until something came, or the walk is over; False: neither did in time."""
        news = self._shelf.news
        if self.over or self._at < self._shelf.end:
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await news.wait()
                return True
        return False

    def _begin(self, places: Sequence[FeedPlace]) -> int:
        """Return where to begin on the shelf: after what lies before a landmark that these places have passed."""
        shelf = self._shelf

        def is_open(number: int) -> bool:
            frontier = shelf[number].landmark.frontier
            return any(place.next < passed.next for place, passed in zip(places, frontier, strict=True))

        unpassed = first_where(shelf.first, shelf.end, is_open)
        if unpassed == shelf.first:
            return unpassed
        # The last outcome before it has a landmark that was passed. Others of that landmark may be new.
        landmark = shelf[unpassed - 1].landmark
        return first_where(shelf.first, unpassed, lambda number: shelf[number].landmark is landmark)

    def _is_new(self, kept: Shelved) -> bool:
        if kept.landmark is not self._landmark:
            # All before the landmark was looked at, on every partition.
            self._landmark = kept.landmark
            self._standing.pass_all(kept.landmark.frontier)
        # Both numbers count: `wanted` is 0 in a place of a process that began at the end of the stream.
        place = self._standing[kept.partition]
        self._standing.move(kept.partition, FeedPlace(kept.offset + 1, kept.source_offset + 1))
        return kept.offset >= place.next and kept.source_offset >= place.wanted
