"""Fill: outcomes into the new tables, most of them from the judged stream, the last ones from the table `outcome`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
import structlog

from services.projector.domain.outcomes import Kept
from services.projector.kafka.outcomes import KafkaJudgedStream
from services.projector.loop.partition.recover import after, catch_up
from services.projector.ports import Advance, Checkpoint
from services.projector.rebuild.filled import FilledStore
from services.projector.rebuild.queries import query
from services.projector.rebuild.told import RebuildError
from services.projector.store.postgres import Connection
from shared.events.outcome import read_outcome
from shared.kafka.clients import KafkaAddress

# Partitions at once. Rows are built on one core, and Postgres writes meanwhile.
AT_ONCE: Final = 3
# A merge of some thousand rows costs little more than one of a hundred.
_PIECE: Final = 5_000

_log = structlog.get_logger()


class Filling:
    """Takes partitions to the end of the judged stream, several at once. `store` is told of each step."""

    def __init__(self, kafka: KafkaAddress, pool: asyncpg.Pool, tell: Callable[[int, int], None]) -> None:
        self.store = FilledStore(pool, self._reached)
        self._streams = [_InPieces(kafka) for _ in range(AT_ONCE)]
        self._tell = tell
        # How far each partition is read, and where its stream begins and ends.
        self._read: dict[int, int] = {}
        self._begin: dict[int, int] = {}
        self._end: dict[int, int] = {}

    async def stop(self) -> None:
        """Close the readers."""
        await asyncio.gather(*(stream.stop() for stream in self._streams))

    async def to_the_end(self, kparts: Sequence[int]) -> int:
        """Fill up to where the stream ends when a partition is begun; return how many outcomes came."""
        for kpart in kparts:
            span = await self._streams[0].span(kpart)
            self._begin[kpart], self._end[kpart] = span.begin, span.end
            self._read[kpart] = (await self.store.checkpoint(kpart)).outcomes_next
        before = sum(self._read.values())
        waiting = list(reversed(kparts))
        try:
            async with asyncio.TaskGroup() as workers:
                for stream in self._streams:
                    workers.create_task(self._work(stream, waiting))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        return sum(self._read.values()) - before

    async def _work(self, stream: "_InPieces", waiting: list[int]) -> None:
        while waiting:
            kpart = waiting.pop()
            reached = await catch_up(await self.store.checkpoint(kpart), stream, self.store, _skipped)
            self._reached(kpart, reached.outcomes_next)

    def _reached(self, kpart: int, outcomes_next: int) -> None:
        self._read[kpart] = outcomes_next
        self._end[kpart] = max(self._end[kpart], outcomes_next)
        done = sum(self._read[kpart] - begin for kpart, begin in self._begin.items())
        self._tell(done, sum(self._end[kpart] - begin for kpart, begin in self._begin.items()))


class _InPieces(KafkaJudgedStream):
    """The judged stream, read in larger pieces than a fetch."""

    async def read(self, kpart: int, start: int, end: int) -> Sequence[tuple[int, bytes | None]]:
        """Return some of the records in [start, end), in order with their offsets; empty only when there is none."""
        records: list[tuple[int, bytes | None]] = []
        while start < end and len(records) < _PIECE and (more := await super().read(kpart, start, end)):
            records += more
            start = more[-1][0] + 1
        return records


async def take_the_rest(conn: Connection, store: FilledStore) -> None:
    """Write what the live tables have and the new ones lack, from the table `outcome`, in the caller's transaction.

    Everything that is committed counts, published or not. Raises RebuildError when the new tables are further on: the
    live ones were restored from a dump, and their projectors have not caught up.
    """
    advances: list[Advance] = []
    for row in await conn.fetch(query("both_checkpoints")):
        at = Checkpoint(row["kpart"], next_offset=row["next_offset"], outcomes_next=row["outcomes_next"])
        if at.next_offset > row["live_offset"]:
            raise RebuildError(
                f"The live tables of partition {at.kpart} are behind the judged stream. "
                "Wait until its projector has caught up (`stint doctor`), then `stint rebuild --resume`."
            )
        rest = await conn.fetch(query("rest"), at.kpart, at.next_offset, row["live_offset"])
        if kept := [Kept(read_outcome(one["body"]), one["body"].encode()) for one in rest]:
            advances.append(Advance(at.next_offset, after(at, kept[-1], at.outcomes_next), kept))
    if advances:
        await store.write(conn, advances)


def _skipped(offset: int, reason: str) -> None:
    _log.warning("outcome_record_skipped", stream_offset=offset, reason=reason)
