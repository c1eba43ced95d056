"""Fill: outcomes into the new tables, most of them from the judged stream, the last ones from the table `outcome`."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import asyncpg
import structlog
from pydantic import ValidationError

from services.projector.domain.outcomes import Kept
from services.projector.helpers.helpers import HelperProcesses
from services.projector.helpers.quick_reader import read_quickly
from services.projector.kafka.outcomes import KafkaStreamInPieces
from services.projector.loop.partition.recover import FAR_BEHIND, after, catch_up
from services.projector.ports import Advance, Checkpoint
from services.projector.rebuild.filled import FilledStore
from services.projector.rebuild.queries import query
from services.projector.rebuild.told import RebuildError
from services.projector.store.postgres import Connection
from shared.events.outcome import read_outcome
from shared.kafka.clients import KafkaAddress
from shared.packing.bodies import DamagedBodyError, body_of

_log = structlog.get_logger()


class Filling:
    """Takes partitions to the end of the judged stream, several at once. `store` is told of each step.

    A partition that is far from the end is given to a helper, because rows are made on one core. What little comes
    while people press is not worth a process.
    """

    def __init__(
        self, kafka: KafkaAddress, pool: asyncpg.Pool, helpers: HelperProcesses, tell: Callable[[int, int], None]
    ) -> None:
        self.store = FilledStore(pool, self._reached)
        self._stream = KafkaStreamInPieces(kafka)
        self._helpers = helpers
        self._tell = tell
        # How far each partition is read, and where its stream begins and ends.
        self._read: dict[int, int] = {}
        self._begin: dict[int, int] = {}
        self._end: dict[int, int] = {}

    async def stop(self) -> None:
        """Close the reader, and end the helpers."""
        await asyncio.gather(self._stream.stop(), self._helpers.stop())

    async def to_the_end(self, kparts: Sequence[int]) -> int:
        """Fill up to where the stream ends when a partition is begun; return how many outcomes came."""
        for kpart in kparts:
            span = await self._stream.span(kpart)
            self._begin[kpart], self._end[kpart] = span.begin, span.end
            self._read[kpart] = (await self.store.checkpoint(kpart)).outcomes_next
        self._tell_all()
        before = sum(self._read.values())
        try:
            async with asyncio.TaskGroup() as group:
                for kpart in kparts:
                    group.create_task(self._fill(kpart))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        return sum(self._read.values()) - before

    async def _fill(self, kpart: int) -> None:
        if self._end[kpart] - self._read[kpart] >= FAR_BEHIND:
            await self._helpers.catch_up(kpart, _skipped, partial(self._reached, kpart))
        at = await self.store.checkpoint(kpart)
        reached = await catch_up(at, self._stream, self.store, _skipped, read_quickly, self.store.gather)
        self._reached(kpart, reached.outcomes_next)

    def _reached(self, kpart: int, outcomes_next: int) -> None:
        self._read[kpart] = outcomes_next
        self._end[kpart] = max(self._end[kpart], outcomes_next)
        self._tell_all()

    def _tell_all(self) -> None:
        done = sum(self._read[kpart] - begin for kpart, begin in self._begin.items())
        self._tell(done, sum(self._end[kpart] - begin for kpart, begin in self._begin.items()))


async def take_the_rest(conn: Connection, store: FilledStore) -> None:
    """Write what the live tables have and the new ones lack, from the table `outcome`, in the caller's transaction.

    Everything that is committed counts, published or not. Raises RebuildError for a row that is damaged, and when the
    new tables are further on: the live ones were restored from a dump, and their projectors have not caught up.
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
        if kept := [_kept(at.kpart, one) for one in rest]:
            advances.append(Advance(at.next_offset, after(at, kept[-1], at.outcomes_next), kept))
    if advances:
        await store.write(conn, advances)


def _kept(kpart: int, row: asyncpg.Record) -> Kept:
    try:
        body = body_of(row["body"], row["packed"])
        return Kept(read_outcome(body), body.encode())
    except (DamagedBodyError, ValidationError):
        raise RebuildError(
            f"The row of the outcome {kpart}:{row['source_offset']} is damaged, and the judged stream has not told it "
            "yet. See the alarm `recovery_failed` in docs/operations.md."
        ) from None


def _skipped(offset: int, reason: str) -> None:
    _log.warning("outcome_record_skipped", stream_offset=offset, reason=reason)
