"""Lag: how many offsets of the log each of our partitions has not folded yet, measured every few seconds."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from services.projector.loop.partition.partition import Partition

LOOK_EVERY_SECONDS: Final = 5.0


class Ends(Protocol):
    """The log, read beside the loop and independently of it."""

    async def ends(self) -> dict[int, int]:
        """Return where each of our partitions ends now. Raises while the broker is away."""


class Lag:
    """The lag as it was measured last. `offsets` is empty before the first success, and while the broker is away."""

    def __init__(self, log: Ends, ours: Callable[[], Mapping[int, Partition]]) -> None:
        self.offsets: dict[int, int] = {}
        self._log = log
        self._ours = ours

    async def run(self) -> None:
        """Measure, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Measure once."""
        try:
            async with asyncio.timeout(LOOK_EVERY_SECONDS):
                ends = await self._log.ends()
        except Exception:  # noqa: BLE001 - Kafka is away, or the consumer ends: a number must not end the process
            self.offsets = {}
            return
        ours = self._ours()
        self.offsets = {kpart: max(0, end - ours[kpart].at.next_offset) for kpart, end in ends.items() if kpart in ours}
