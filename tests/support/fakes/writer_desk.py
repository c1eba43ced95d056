"""The writer of batches on its own, and a store that says no when a test wants it to.

Where it differs: there is no loop and no judged stream. What is committed is never published.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from services.projector.domain.entry import Entry
from services.projector.loop.partition.batch import Batch
from services.projector.loop.partition.partition import Partition
from services.projector.loop.partition.writer import BatchWriter
from services.projector.ports import (
    Advance,
    BusyError,
    FencedError,
    Found,
    KnownError,
    OutcomeLog,
    ReadRefusedError,
    Wanted,
    WriteRefusedError,
)
from shared.events.ids import partition_of, slot_of
from shared.events.outcome import Outcome, read_outcome
from tests.support.fakes.outcome_store import OutcomeStore
from tests.support.story.given import JERUSALEM, Told, book_of

PARTITIONS: Final = 12
HOME: Final = partition_of(slot_of("acme", "dana"), PARTITIONS)
NEXT_DOOR: Final = partition_of(slot_of("acme", "noam"), PARTITIONS)
PLACES: Final = {"home": HOME, "next_door": NEXT_DOOR}
BOOK: Final = book_of(JERUSALEM)
NOBODY_PUBLISHES: Final = cast("OutcomeLog", None)


@dataclass
class FussyStore(OutcomeStore):
    """An `OutcomeStore` that says no when a test wants it to, and remembers the size of each commit."""

    unreadable: Callable[[Wanted], bool] = lambda _: False
    unwritable: Callable[[Outcome], bool] = lambda _: False
    lost: set[int] = field(default_factory=set)
    held: set[int] = field(default_factory=set)
    away: bool = False
    meanwhile: Callable[[], None] = lambda: None
    on_known: Callable[[], None] = lambda: None
    commits: list[list[int]] = field(default_factory=list)
    reads: int = 0

    async def read(self, wanted: Wanted) -> Found:
        self.reads += 1
        self.meanwhile()
        if self.away:
            raise ConnectionError
        if self.unreadable(wanted):
            raise ReadRefusedError("UntranslatableCharacterError")
        return await super().read(wanted)

    async def commit(self, advances: Sequence[Advance]) -> None:
        self.commits.append([len(advance.outcomes) for advance in advances])
        if any(advance.to.kpart in self.lost for advance in advances):
            raise FencedError
        if any(advance.to.kpart in self.held for advance in advances):
            raise BusyError
        if any(self.unwritable(written.outcome) for advance in advances for written in advance.outcomes):
            raise WriteRefusedError("CheckViolationError")
        try:
            await super().commit(advances)
        except KnownError:
            self.on_known()
            raise


@dataclass
class WriterDesk:
    """A writer, and what it told its loop."""

    store: FussyStore = field(default_factory=FussyStore)
    partitions: dict[int, Partition] = field(default_factory=dict)
    trouble: list[tuple[int, str]] = field(default_factory=list)

    async def take(self, **told: Sequence[Told] | Sequence[Entry]) -> None:
        """Write one batch for each partition: `home` is dana's, `next_door` is noam's."""
        writer = BatchWriter(self.store, BOOK, self._committed, self._in_trouble)
        await writer.take_through([self._batch(PLACES[name], entries) for name, entries in told.items()])

    def said(self, kpart: int = HOME) -> list[tuple[int, str, str | None]]:
        """Return what was kept on a partition: offset, verdict, rule."""
        outcomes = [read_outcome(body) for body in self.store.bodies[kpart]]
        return [(outcome.source_offset, outcome.verdict, outcome.rule) for outcome in outcomes]

    def _batch(self, kpart: int, told: Sequence[Told] | Sequence[Entry]) -> Batch:
        partition = self.partitions.setdefault(kpart, Partition(kpart, PARTITIONS, NOBODY_PUBLISHES))
        begin = partition.at.next_offset
        entries = [one.logged(begin + n) if isinstance(one, Told) else one for n, one in enumerate(told)]
        return Batch(partition, entries, {})

    def _committed(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            batch.partition.at = batch.to
            batch.partition.cache.absorb(batch.ledger)

    def _in_trouble(self, partition: Partition, reason: str, error: Exception) -> None:
        del error
        self.trouble.append((partition.kpart, reason))
        partition.disturb(reason)


def noams(told: Callable[..., Told], at: str) -> Told:
    return told("desk", at=at, owner="noam")
