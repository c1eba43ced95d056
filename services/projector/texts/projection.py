"""Texts: the projection of comments and work items, beside the fold and independent of it.

Texts have a position of their own, so a comment may appear up to a tenth of a second after its timer. Seeing a record
twice does no harm. A projector that was thought dead cannot bring back an erased text, because its records lie below
the position.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
import structlog

from services.projector.texts.batch import Erased, TextBatch, TextRecord, UnreadableText, Written, read_text
from services.projector.texts.queries import query
from shared.events.ids import slot_of_timer
from shared.process.backoff import Backoff
from shared.process.logs import loggable
from shared.sql import POSTGRES_FAILED

_log = structlog.get_logger()

# SQLSTATE classes 22 and 23: the row itself cannot be kept, so a retry fails too.
_CANNOT_BE_KEPT: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)

_Read = tuple[TextRecord, Written | Erased | UnreadableText]


class PositionWentBackError(Exception):
    """The position in Postgres is before what we kept: an older dump was restored. Read on from `next_offsets`."""


class Texts:
    """Keeps texts in Postgres."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._moved_to: dict[int, int] = {}
        self.unreadable = 0

    async def next_offsets(self, partitions: Sequence[int]) -> dict[int, int]:
        """Return where to read on. Seek there: Postgres may be older than the group's own offsets."""
        rows = await self._pool.fetch(query("text_positions"), list(partitions))
        positions = dict.fromkeys(partitions, 0) | {row["kpart"]: row["next_offset"] for row in rows}
        self._moved_to |= positions
        return positions

    def stands_at(self, partition: int) -> int:
        """Return the position in Postgres when it was last read or written."""
        return self._moved_to.get(partition, 0)

    async def keep(self, records: Sequence[TextRecord]) -> None:
        """Keep the newest text of each timer, and return after the commit. Raises PositionWentBackError, no other.

        Records of one partition are in the order of the log.
        """
        if records:
            await self._keep_patiently([(record, read_text(record)) for record in records])

    async def _keep_patiently(self, read: Sequence[_Read]) -> None:
        backoff = Backoff()
        while True:
            try:
                passed_by = await self._commit(read)
            except _CANNOT_BE_KEPT as error:
                return await self._keep_one_by_one(read, error)
            except POSTGRES_FAILED as error:
                seconds = backoff.next()
                _log.warning("texts_kept_waiting", records=len(read), error=loggable(error), seconds=seconds)
                await asyncio.sleep(seconds)
                continue
            return self._report(passed_by)

    async def _keep_one_by_one(self, read: Sequence[_Read], error: Exception) -> None:
        if len(read) > 1:
            for one in read:
                await self._keep_patiently([one])
        else:
            # The error's message may quote the row, so only its kind is logged.
            [(record, _)] = read
            await self._keep_patiently([(record, UnreadableText(f"row: {type(error).__name__}"))])

    async def _commit(self, read: Sequence[_Read]) -> list[tuple[TextRecord, UnreadableText]]:
        """Write what is new, and return the records that were passed because they do not read."""
        partitions = sorted({record.partition for record, _ in read})
        async with self._pool.acquire() as conn, conn.transaction():
            positions = await _locked(conn, partitions)
            if any(positions[partition] < self._moved_to.get(partition, 0) for partition in partitions):
                raise PositionWentBackError(f"text positions {positions} are before {self._moved_to}")
            fresh = [(record, text) for record, text in read if record.offset >= positions[record.partition]]
            if fresh:
                batch = TextBatch.of(text for _, text in fresh if not isinstance(text, UnreadableText))
                moved = {record.partition: record.offset + 1 for record, _ in fresh}
                await _write(conn, batch, moved)
                positions |= moved
        self._moved_to |= positions
        return [(record, text) for record, text in fresh if isinstance(text, UnreadableText)]

    def _report(self, passed_by: Sequence[tuple[TextRecord, UnreadableText]]) -> None:
        for record, text in passed_by:
            self.unreadable += 1
            _log.error("text_unreadable", partition=record.partition, offset=record.offset, reason=text.reason)


async def _locked(conn: asyncpg.pool.PoolConnectionProxy, partitions: Sequence[int]) -> dict[int, int]:
    """Lock the positions of partitions until the end of the transaction, and return them."""
    rows = await conn.fetch(query("lock_text_positions"), partitions)
    # The first texts of a partition. If two transactions make rows and wait for each other, Postgres ends one of them,
    # and that one is tried again.
    if len(rows) < len(partitions):
        await conn.execute(query("make_text_positions"), partitions)
        rows = await conn.fetch(query("lock_text_positions"), partitions)
    return {row["kpart"]: row["next_offset"] for row in rows}


async def _write(conn: asyncpg.pool.PoolConnectionProxy, batch: TextBatch, moved: Mapping[int, int]) -> None:
    """Erase and keep what a batch says, and move the positions of its partitions."""
    if batch.erased:
        erased = sorted(batch.erased)
        await conn.execute(query("erase_texts"), [slot_of_timer(timer) for timer in erased], erased)
    timers = [timer for timer, _ in batch.kept]
    texts = list(batch.kept.values())
    await conn.execute(
        query("keep_texts"),
        [slot_of_timer(timer) for timer in timers],
        timers,
        [text.event_id for text in texts],
        [text.tenant for text in texts],
        [text.owner for text in texts],
        [text.comment for text in texts],
        [text.work_item for text in texts],
        list(moved),
        list(moved.values()),
    )
