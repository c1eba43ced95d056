"""Progress: whether the loop gets what the log holds. Consumers get stuck without a word (aiokafka #1037, #1154)."""

import asyncio
from typing import Final, Protocol

from aiokafka.errors import KafkaError

from services.projector.loop.partition import Status
from services.projector.loop.projector import Projector

_LOOK_EVERY_SECONDS: Final = 15.0
_LOOKS: Final = 2


class Ends(Protocol):
    """Where the log ends."""

    async def ends(self) -> dict[int, int]:
        """Return where each of our partitions ends now. Raises KafkaError."""


class StuckError(Exception):
    """The log holds records that never reach the loop. Only a new process helps."""


async def watch_progress(projector: Projector, log: Ends, look_every_seconds: float = _LOOK_EVERY_SECONDS) -> None:
    """Return never. Raises StuckError when a live partition has stood still before what was there for two looks."""
    stood: dict[int, tuple[int, int]] = {}
    while True:
        await asyncio.sleep(look_every_seconds)
        try:
            ends = await log.ends()
        except (KafkaError, TimeoutError):
            stood = {}  # the broker is away, which is not the consumer's fault
            continue
        live = {p.kpart: p.at.next_offset for p in projector.ours.values() if p.status is Status.LIVE}
        behind = {kpart: at for kpart, at in live.items() if at < ends.get(kpart, 0)}
        # Twice, for a process that was frozen looks before its loop has had a turn.
        stood = {
            kpart: (at, stood[kpart][1] + 1 if kpart in stood and stood[kpart][0] == at else 0)
            for kpart, at in behind.items()
        }
        if stuck := sorted(kpart for kpart, (_, looks) in stood.items() if looks >= _LOOKS):
            raise StuckError(f"partitions {stuck} are live, have records waiting, and get none")
