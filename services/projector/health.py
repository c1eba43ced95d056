"""Health: is this projector alive (`/livez`), does it fold what it was given (`/readyz`), does it advance.

A consumer can get stuck without an error (aiokafka #1037, #1154); `watch_progress` notices. A partition that is stuck
alone is taken up again. A consumer that hands out nothing at all needs a new process.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.projector.loop.partition.partition import POLICY_AWAITED, Partition, Status
from services.projector.loop.projector import Projector
from services.projector.ports import RawRecord
from shared.kafka.clients import KafkaError

_LOOK_EVERY_SECONDS: Final = 15.0
_LOOKS: Final = 2


def routes(
    projector: Callable[[], Projector | None], joined: Callable[[], bool], alive: Callable[[], bool]
) -> list[BaseRoute]:
    """Return the routes of both probes. Each is answered from memory."""

    async def livez(_: Request) -> Response:
        is_alive = alive()
        return JSONResponse({"alive": is_alive}, 200 if is_alive else 500)

    async def readyz(_: Request) -> Response:
        running = projector()
        ours = {} if running is None else running.keeper.ours
        waiting = {str(p.kpart): f"{p.status}: {p.reason}" for p in ours.values() if _waits(p)}
        is_ready = joined() and not waiting
        state = {"ready": is_ready, "joined": joined(), "partitions": len(ours), "waiting": waiting}
        return JSONResponse(state, 200 if is_ready else 503)

    return [Route("/livez", livez), Route("/readyz", readyz)]


def _waits(partition: Partition) -> bool:
    return partition.status is not Status.LIVE and partition.reason != POLICY_AWAITED


class Folding(Protocol):
    """The keeper, as far as its progress is watched."""

    @property
    def ours(self) -> Mapping[int, Partition]:
        """Return the partitions that the group gave us."""

    def displaced(self, kparts: Iterable[int], reason: str) -> None:
        """Take partitions up again."""


class Log(Protocol):
    """The log, read beside the loop and independently of it."""

    async def ends(self) -> dict[int, int]:
        """Return where each of our partitions ends now. Raises KafkaError."""

    async def first_from(self, kpart: int, offset: int) -> RawRecord | None:
        """Return the first record at or after an offset; None: the log holds none there. Raises KafkaError."""


class StuckError(Exception):
    """The log holds records that never reach the loop. Only a new process helps."""


async def watch_progress(projector: Folding, log: Log, look_every_seconds: float = _LOOK_EVERY_SECONDS) -> None:
    """Never return. Raises StuckError when records that wait on the log no longer reach the loop."""
    progress = Progress(projector, log)
    while True:
        await asyncio.sleep(look_every_seconds)
        try:
            await progress.look()
        except (KafkaError, TimeoutError):
            progress.forget()  # the broker is away: the consumer is not stuck


class Progress:
    """Where each live partition stands that has not reached the end of its log, look by look.

    1. A partition stands at one offset for three looks: a second reader asks whether the log holds a record there.
    2. The log does, and other partitions advance: the partition is taken up again.
    3. No partition advances, or one is stuck at the offset where it was taken up: StuckError.
    """

    def __init__(self, projector: Folding, log: Log) -> None:
        self._projector = projector
        self._log = log
        # Where a partition stood, and how many looks ago it was first seen there.
        self._stood: dict[int, tuple[int, int]] = {}
        # Where a partition was stuck when it was taken up again.
        self._disturbed: dict[int, int] = {}

    def forget(self) -> None:
        """Count looks from zero again."""
        self._stood.clear()

    async def look(self) -> None:
        """Look once. Raises StuckError, or what the log raises."""
        waiting = await self._waiting()
        stuck = {kpart: at for kpart, at in waiting.items() if self._stood[kpart][1] >= _LOOKS}
        if not stuck:
            return
        again = sorted(kpart for kpart, at in stuck.items() if self._disturbed.get(kpart) == at)
        if again or stuck.keys() == waiting.keys():
            raise StuckError(f"partitions {again or sorted(stuck)} are live, have records waiting, and get none")
        structlog.get_logger().warning("partitions_stuck", next_offsets=stuck)
        self._disturbed |= stuck
        self._projector.displaced(sorted(stuck), "stuck")

    async def _waiting(self) -> dict[int, int]:
        """Return the live partitions that have records waiting, with where they stand."""
        ends = await self._log.ends()
        live = {p.kpart: p.at.next_offset for p in self._projector.ours.values() if p.status is Status.LIVE}
        behind = {kpart: at for kpart, at in live.items() if at < ends.get(kpart, 0)}
        # More than one look, because a process that was frozen looks before its loop has had a turn.
        self._stood = {
            kpart: (at, self._stood[kpart][1] + 1 if kpart in self._stood and self._stood[kpart][0] == at else 0)
            for kpart, at in behind.items()
        }
        return {kpart: at for kpart, at in behind.items() if await self._has_one(kpart, at)}

    async def _has_one(self, kpart: int, at: int) -> bool:
        # An end offset proves no record: the last offsets may be control records of transactions.
        return self._stood[kpart][1] < _LOOKS or await self._log.first_from(kpart, at) is not None
