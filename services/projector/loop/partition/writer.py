"""The writer: batches read, folded and committed, and what is tried next when the store refuses.

| the store raises          | tried next                                   | how it ends                          |
|---------------------------|----------------------------------------------|--------------------------------------|
| FencedError, BusyError    | each partition of the commit alone           | fails again: taken up again          |
| KnownError                | all of the commit, after a full read         | as above; KnownError cannot recur    |
| ReadRefused, WriteRefused | each partition alone, then each record alone | fails again: refused R23, and passed |
| anything else             | nothing: only the store knows its fate       | all taken up again from the store    |

Backdated presses are batches of their own in any case, each in its turn.
"""

import asyncio
from collections.abc import Callable, Sequence

from services.projector.domain.entry import LoggedPress
from services.projector.loop.partition.batch import Batch
from services.projector.loop.partition.partition import Partition
from services.projector.ports import (
    BusyError,
    FencedError,
    KnownError,
    ReadRefusedError,
    Store,
    Wanted,
    WriteRefusedError,
)
from shared.events.ids import partition_of, slot_of
from shared.events.policies.book import PolicyBook


class BatchWriter:
    """Takes batches through the store. Calls `committed` after each commit, `trouble` for a partition that failed."""

    def __init__(
        self,
        store: Store,
        book: PolicyBook,
        committed: Callable[[Sequence[Batch]], None],
        trouble: Callable[[Partition, str, Exception], None],
    ) -> None:
        self._store = store
        self._book = book
        self._committed = committed
        self._trouble = trouble

    async def take_through(self, batches: Sequence[Batch]) -> None:
        """Read, fold and commit batches of different partitions. Raises nothing but cancellation."""
        runs = [(batch, batch.runs()) for batch in batches]
        # Batches without backdated presses come first, because the others take many times as long.
        if together := [batch for batch, pieces in runs if len(pieces) == 1]:
            await self._take_together(together)
        for batch, pieces in runs:
            if len(pieces) > 1:
                await self._in_turn(batch, pieces)

    async def _take_together(self, batches: Sequence[Batch], *, whole: bool = False) -> None:
        try:
            await self._read(batches, whole=whole)
        except ReadRefusedError:
            await self._take_apart(batches)
            return
        except Exception as error:  # noqa: BLE001 - nothing was written: the records are read again
            self._all_in_trouble(batches, "read_failed", error)
            return
        current = [batch.fold(self._book) for batch in batches if batch.is_current]
        if current:
            await self._commit(current)
        for batch in batches:
            batch.partition.cache.trim()

    async def _take_apart(self, batches: Sequence[Batch]) -> None:
        if len(batches) == 1:
            await self._in_turn(batches[0], batches[0].alone())
            return
        for batch in batches:
            if batch.is_current:
                await self._take_together([batch])

    async def _read(self, batches: Sequence[Batch], *, whole: bool) -> None:
        """Read what the caches lack.

        Nothing is read for a batch that should be news, unless `whole`: its commit checks that (ADR 45).
        """
        lacking, wanted = [], Wanted()
        for batch in batches:
            batch.unread = None if whole else _news_in(batch)
            if batch.unread is None:
                lacking.append(batch)
                _want(batch, wanted)
        if not lacking:
            return
        found = await self._store.read(wanted)
        by_kpart = {batch.partition.kpart: batch for batch in lacking}
        for owner, sheet in found.sheets.items():
            kpart = partition_of(slot_of(*owner), batches[0].partition.partitions)
            if kpart in by_kpart and by_kpart[kpart].is_current:
                by_kpart[kpart].partition.cache.take({owner: sheet})
        for (kpart, event_id), verdict in found.verdicts.items():
            # A verdict counts only on its own partition: a copy elsewhere is a press on the wrong partition.
            by_kpart[kpart].verdicts[event_id] = verdict

    async def _commit(self, batches: Sequence[Batch]) -> None:
        try:
            await self._store.commit([batch.advance() for batch in batches])
        except KnownError:
            if current := [batch for batch in batches if batch.is_current]:
                await self._take_together(current, whole=True)
        except (BusyError, FencedError, WriteRefusedError) as error:
            if len(batches) > 1:
                for batch in batches:
                    if batch.is_current:
                        await self._commit([batch])
            elif isinstance(error, WriteRefusedError):
                await self._in_turn(batches[0], batches[0].alone())
            else:
                self._trouble(batches[0].partition, "fenced" if isinstance(error, FencedError) else "busy", error)
        except Exception as error:  # noqa: BLE001 - of unknown fate: recovery reads the checkpoint
            self._all_in_trouble(batches, "commit_failed", error)
        else:
            self._committed(batches)

    async def _in_turn(self, batch: Batch, pieces: Sequence[Batch]) -> None:
        """Take the pieces of one batch through, each after the one before it is committed."""
        for piece in pieces:
            if not batch.is_current:
                return
            try:
                await self._take_piece(piece)
            except Exception as error:  # noqa: BLE001 - as above
                self._trouble(batch.partition, "fenced" if isinstance(error, FencedError) else "commit_failed", error)
                return
            batch.partition.cache.trim()
            # A thousand single commits must not delay the heartbeats to the group.
            await asyncio.sleep(0)

    async def _take_piece(self, piece: Batch) -> None:
        try:
            await self._read([piece], whole=True)
            if not piece.is_current:
                return
            await self._store.commit([piece.fold(self._book).advance()])
        except (ReadRefusedError, WriteRefusedError) as refused:
            if len(piece.entries) > 1:
                await self._in_turn(piece, piece.alone())
                return
            piece.partition.log.warning("press_refused_by_store", offset=piece.entries[0].offset, error=str(refused))
            await self._refuse(piece)
        piece.verdicts.update(piece.ledger.verdicts)
        self._committed([piece])

    async def _refuse(self, alone: Batch) -> None:
        # An event id can be looked up even when the rest of the press cannot.
        events = [(alone.partition.kpart, e.envelope.event_id) for e in alone.entries if isinstance(e, LoggedPress)]
        found = await self._store.read(Wanted(events=events))
        alone.verdicts.update({event_id: verdict for (_, event_id), verdict in found.verdicts.items()})
        await self._store.commit([alone.fold_as_failed(self._book).advance()])

    def _all_in_trouble(self, batches: Sequence[Batch], reason: str, error: Exception) -> None:
        for batch in batches:
            self._trouble(batch.partition, reason, error)


def _want(batch: Batch, wanted: Wanted) -> None:
    presses = [entry for entry in batch.entries if isinstance(entry, LoggedPress)]
    batch.partition.cache.want(presses, batch.partition.kpart, wanted)


def _news_in(batch: Batch) -> Wanted | None:
    """Return what is wanted of a batch if that should be news; None if there is something to read."""
    wanted = Wanted()
    _want(batch, wanted)
    return wanted if wanted.is_news else None
