"""The eraser: it searches the outcomes for erasures, and deletes texts, on their topic first.

1. Search the outcomes since the last search. In one transaction: note whose texts are erased, put those that are here
   onto the list of texts to erase, move the position. A crash before its commit: the next search finds the same.
2. Write a tombstone for each timer of the list, and wait for the acks. A crash after it: the list is as it was, and
   the tombstones are written once more.
3. In one transaction: delete the texts and take their timers off the list. A crash before its commit: as above.

A text that comes after its erasure is put onto the list when it is kept, in the same transaction (`projection`). Both
transactions hold the text's position, so a text and its erasure never miss each other.

Each projector has an eraser, and all may run at once: what one has done, another finds done, or does again.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import asyncpg
import structlog

from services.projector.texts.erasures import Erasure, UnreadableErasureError, newest, read_erasure
from services.projector.texts.queries import query
from shared.events.ids import partition_of
from shared.process.backoff import Backoff, Setbacks

_log = structlog.get_logger()

# A caller whose erasure was accepted reads no text after about this time.
LOOK_EVERY_SECONDS: Final = 0.25
# Of each partition in one search. A new database has thirty days to search, and a search is one transaction, which must
# be short.
OUTCOMES_AT_ONCE: Final = 2_000
TIMERS_AT_ONCE: Final = 1_000

_Connection = asyncpg.pool.PoolConnectionProxy


class TombstoneLog(Protocol):
    """`timer.texts.v1`, to be written to."""

    async def partitions(self) -> int:
        """Return how many partitions the topic has, after the broker was reached."""

    async def erase(self, timers: Sequence[tuple[int, int]]) -> None:
        """Write a tombstone for each timer, given as its partition and its id, and return after the acks. May raise."""


class Eraser:
    """Deletes erased texts, from the topic and from Postgres."""

    def __init__(self, pool: asyncpg.Pool, log: TombstoneLog) -> None:
        self._pool = pool
        self._tombstones = log
        self.unreadable = 0

    async def run(self) -> None:
        """Search and delete, for ever."""
        backoff, setbacks = Backoff(), Setbacks("erasures_waiting")
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - Kafka or Postgres is away; nothing is lost meanwhile
                setbacks.failed(error)
                await asyncio.sleep(backoff.next())
            else:
                setbacks.recovered()
                backoff.reset()
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Search once, and delete what is on the list."""
        await self._search()
        while timers := await self._pool.fetch(query("texts_to_erase"), TIMERS_AT_ONCE):
            await self._erase([(row["slot"], row["timer_id"]) for row in timers])

    async def _search(self) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval(query("look_alone")):
                return
            shares = await conn.fetch(query("judged_since"), OUTCOMES_AT_ONCE)
            if not shares:
                return
            if erasures := newest(self._erasures_in(shares)):
                await _hold(conn, {erasure.kpart for erasure in erasures})
                await conn.execute(query("keep_erasures"), *_columns(erasures))
                _log.info("texts_erasure_found", owners=len(erasures))
            moved = {row["kpart"]: row["next_offset"] for row in shares}
            await conn.execute(query("move_erasure_positions"), list(moved), list(moved.values()))

    def _erasures_in(self, shares: Sequence[asyncpg.Record]) -> Iterator[Erasure]:
        for share in shares:
            for body in share["erasures"] or ():
                try:
                    erasure = read_erasure(share["kpart"], body)
                except UnreadableErasureError:
                    self.unreadable += 1
                    _log.error("erasure_unreadable", partition=share["kpart"], below=share["next_offset"])
                else:
                    if erasure is not None:
                        yield erasure

    async def _erase(self, timers: Sequence[tuple[int, int]]) -> None:
        partitions = await self._tombstones.partitions()
        await self._tombstones.erase([(partition_of(slot, partitions), timer_id) for slot, timer_id in timers])
        slots, ids = [slot for slot, _ in timers], [timer_id for _, timer_id in timers]
        async with self._pool.acquire() as conn, conn.transaction():
            await _hold(conn, {partition_of(slot, partitions) for slot in slots})
            await conn.execute(query("erase_texts"), slots, ids)
            await conn.execute(query("forget_texts_to_erase"), slots, ids)
        _log.info("texts_erased", timers=len(timers))


async def _hold(conn: _Connection, kparts: set[int]) -> None:
    """Keep texts of some partitions from coming until the end of the transaction."""
    await conn.execute(query("make_text_positions"), sorted(kparts))
    await conn.fetch(query("lock_text_positions"), sorted(kparts))


def _columns(erasures: Sequence[Erasure]) -> list[list[int] | list[str]]:
    return [
        [erasure.slot for erasure in erasures],
        [erasure.tenant for erasure in erasures],
        [erasure.owner for erasure in erasures],
        [erasure.kpart for erasure in erasures],
        [erasure.source_offset for erasure in erasures],
        [erasure.timers_below for erasure in erasures],
    ]
