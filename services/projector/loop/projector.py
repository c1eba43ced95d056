"""The projector: poll, fold, commit, answer.

The group says which projector should own a partition. The compare-and-set says which one does. In production the ports
lead to Kafka and Postgres, in `tests/world` to a seeded world; the loop is the same.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.projector.domain.entry import Entry
from services.projector.domain.fold import Folded, Repeated, Voided
from services.projector.domain.outcomes import Kept
from services.projector.loop.keeper import Keeper
from services.projector.loop.partition.batch import Batch, Stop, entries_of
from services.projector.loop.partition.outbox import BACKLOG_MAX, send_replies
from services.projector.loop.partition.partition import Partition
from services.projector.loop.partition.writer import BatchWriter
from services.projector.loop.upkeep import Upkeep
from services.projector.ports import Clock, EventLog, OutcomeLog, PolicyProgress, RawRecord, Replies, Store
from shared.events.policies.book import PolicyBook
from shared.events.rules import Rule

_LAST_ACKS_WITHIN_SECONDS: Final = 2.0
_LOOK_FOR_ACKS_SECONDS: Final = 0.02


class Projector:
    """Folds the partitions that its keeper holds LIVE."""

    def __init__(
        self,
        *,
        partitions: int,
        log: EventLog,
        outcomes: OutcomeLog,
        replies: Replies,
        store: Store,
        book: PolicyBook,
        policies: PolicyProgress,
        clock: Clock,
    ) -> None:
        self.keeper = Keeper(
            partitions=partitions, log=log, outcomes=outcomes, store=store, policies=policies, clock=clock
        )
        self.polled_at = clock.monotonic()
        # Called with the answers of each commit, so that they can be counted.
        self.count: Callable[[Sequence[tuple[Entry, Folded]]], None] = _count_nothing
        self._log = log
        self._replies = replies
        self._book = book
        self._clock = clock
        self._writer = BatchWriter(store, book, self._committed, self.keeper.trouble)
        self._upkeep = Upkeep(self.keeper, store, clock)
        self._stopping = False

    async def run(self) -> None:
        """Fold until `stop`."""
        upkeep = asyncio.create_task(self._upkeep.run(), name="upkeep")
        try:
            while not self._stopping:
                records = await self._log.poll()
                if upkeep.done():
                    upkeep.result()  # it ends by an error alone, which then ends the process
                self.polled_at = self._clock.monotonic()
                if records:
                    async with self.keeper.folding:
                        await self._fold(records)
        finally:
            upkeep.cancel()

    async def stop(self) -> None:
        """End the loop after the batch in hand, and save how far outcomes are published."""
        self._stopping = True
        async with self.keeper.folding:
            await self._published_within(_LAST_ACKS_WITHIN_SECONDS)
            await self._upkeep.save_progress()
            self.keeper.end()

    async def _fold(self, records: Mapping[int, Sequence[RawRecord]]) -> None:
        batches: list[Batch] = []
        stops: list[tuple[Partition, object, Stop]] = []
        for kpart in sorted(records):
            partition = self.keeper.live(kpart)
            if partition is None or not records[kpart] or not self.keeper.is_next(partition, records[kpart][0].offset):
                continue
            entries, stop = entries_of(records[kpart], self._book, partition.at.policy_rev, partition.no_such_policy_at)
            if entries:
                batches.append(Batch(partition, entries, {}))
            if stop is not None:
                stops.append((partition, partition.generation, stop))
        if batches:
            await self._take_through(batches)
        for partition, generation, stop in stops:
            # A partition that was taken up again meanwhile stands before its stop, and will meet it anew.
            if self.keeper.live(partition.kpart) is partition and partition.generation is generation:
                self.keeper.stop_at(partition, stop)

    async def _take_through(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            batch.partition.in_hand = True
        try:
            await self._writer.take_through(batches)
        finally:
            for batch in batches:
                batch.partition.in_hand = False

    def _committed(self, batches: Sequence[Batch]) -> None:
        send_replies(self._replies, [reply for batch in batches for reply in batch.replies()])
        for batch in batches:
            self.count(batch.answers)
            _raise_alarms(batch)
            if not batch.is_current:
                # The partition was taken up again during this commit. Recovery has read the database and publishes, so
                # touching cache or outbox here would do the same work twice.
                continue
            partition = batch.partition
            partition.backoff.reset()
            partition.at = partition.saved = batch.to
            partition.cache.absorb(batch.ledger)
            partition.outbox.add(batch.to_publish())
            if partition.outbox.backlog > BACKLOG_MAX:
                self.keeper.disturb(partition, "backlog_full")

    async def _published_within(self, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        while any(p.outbox.backlog for p in self.keeper.ours.values()) and self._clock.monotonic() < until:
            await self._clock.sleep(_LOOK_FOR_ACKS_SECONDS)


def _count_nothing(_: Sequence[tuple[Entry, Folded]]) -> None:
    pass


def _raise_alarms(batch: Batch) -> None:
    for entry, folded in batch.answers:
        match folded:
            case Kept(outcome=outcome) if outcome.verdict == "unreadable":
                batch.partition.log.error("record_unreadable", offset=entry.offset, reason=outcome.reason)
            case Kept(outcome=outcome) if outcome.rule == Rule.INTERNAL:
                batch.partition.log.error("press_refused_internally", offset=entry.offset, reason=outcome.reason)
            case Repeated(body=b""):
                batch.partition.log.error("outcome_unreadable", reason="damaged", offset=entry.offset)
            case Voided(rule=Rule.ID_TAKEN) if not batch.is_waited_for(entry):
                batch.partition.log.error("timer_id_taken_unheard", offset=entry.offset)
            case _:
                pass
