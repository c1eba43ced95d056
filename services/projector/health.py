"""Health: is this projector alive (`/livez`), does it fold what it was given (`/readyz`), does it advance.

A consumer can get stuck without a word (aiokafka #1037, #1154): `watch_progress` notices, and only a new process helps.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.projector.loop.partition import POLICY_AWAITED, Partition, Status
from services.projector.loop.projector import Projector
from shared.kafka.clients import KafkaError

_LOOK_EVERY_SECONDS: Final = 15.0
_LOOKS: Final = 2


def routes(
    projector: Callable[[], Projector | None], joined: Callable[[], bool], alive: Callable[[], bool]
) -> list[BaseRoute]:
    """Return the routes of both questions. Each is answered from memory."""

    async def livez(_: Request) -> Response:
        is_alive = alive()
        return JSONResponse({"alive": is_alive}, 200 if is_alive else 500)

    async def readyz(_: Request) -> Response:
        running = projector()
        ours = {} if running is None else running.keeper.ours
        waiting = {str(p.kpart): f"{p.status}: {p.reason}" for p in ours.values() if _waits(p)}
        is_ready = joined() and not waiting
        said = {"ready": is_ready, "joined": joined(), "partitions": len(ours), "waiting": waiting}
        return JSONResponse(said, 200 if is_ready else 503)

    return [Route("/livez", livez), Route("/readyz", readyz)]


def _waits(partition: Partition) -> bool:
    return partition.status is not Status.LIVE and partition.reason != POLICY_AWAITED


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
        live = {p.kpart: p.at.next_offset for p in projector.keeper.ours.values() if p.status is Status.LIVE}
        behind = {kpart: at for kpart, at in live.items() if at < ends.get(kpart, 0)}
        # Twice, for a process that was frozen looks before its loop has had a turn.
        stood = {
            kpart: (at, stood[kpart][1] + 1 if kpart in stood and stood[kpart][0] == at else 0)
            for kpart, at in behind.items()
        }
        if stuck := sorted(kpart for kpart, (_, looks) in stood.items() if looks >= _LOOKS):
            raise StuckError(f"partitions {stuck} are live, have records waiting, and get none")
