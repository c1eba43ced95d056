"""The projector's loop. Poll, fold, commit, answer; a partition in trouble steps aside by itself.

The group says who should own a partition, the compare-and-set says who does. In production the world around is Kafka
and Postgres, in tests/world a seeded one; the loop is the same.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, assert_never

import structlog

from services.projector.domain.fold import Voided
from services.projector.domain.outcomes import Kept
from services.projector.loop.batch import Batch, NewerEvent, PolicyUnseen, Stop, entries_of
from services.projector.loop.outbox import BACKLOG_MAX, send_replies
from services.projector.loop.partition import POLICY_AWAITED, Partition, Status
from services.projector.loop.recover import LogWentBackError, recover
from services.projector.loop.writer import BatchWriter
from services.projector.ports import (
    Checkpoint,
    Clock,
    EventLog,
    FencedError,
    OutcomeLog,
    Policies,
    RawRecord,
    Replies,
    Store,
)
from shared.events.policy import PolicyBook
from shared.events.rules import Rule

_log = structlog.get_logger()

_BETWEEN_TWO_LOSSES_SECONDS: Final = 1.0
_BACKOFF_SECONDS: Final = 0.1
_BACKOFF_SECONDS_MAX: Final = 5.0
_LOOK_AGAIN_SECONDS: Final = 10.0
_POLICY_WAIT_SECONDS: Final = 5.0
# How often progress is written down beside the commits, which write it too.
_IDLE_SECONDS: Final = 1.0
_LAST_ACKS_WITHIN_SECONDS: Final = 2.0
_PRUNE_EVERY_SECONDS: Final = 60.0
_BETWEEN_TWO_BITES_SECONDS: Final = 0.1
_LOOK_FOR_ACKS_SECONDS: Final = 0.02
_BUSY_SECONDS: Final = 60.0


class Projector:
    """Folds the partitions that the group gives it."""

    def __init__(
        self,
        *,
        partitions: int,
        log: EventLog,
        outcomes: OutcomeLog,
        replies: Replies,
        store: Store,
        book: PolicyBook,
        policies: Policies,
        clock: Clock,
    ) -> None:
        self.ours: dict[int, Partition] = {}
        self.polled_at = clock.monotonic()
        self._partitions = partitions
        self._log = log
        self._outcomes = outcomes
        self._replies = replies
        self._store = store
        self._book = book
        self._policies = policies
        self._clock = clock
        self._writer = BatchWriter(store, book, self._committed, self._trouble)
        self._folding = asyncio.Lock()
        self._stopping = False
        self._tidied_at = clock.monotonic()

    # What the group says.

    def assigned(self, kparts: Iterable[int]) -> None:
        """Take up partitions. Nothing of them is read before they are recovered."""
        for kpart in kparts:
            self._let_go(kpart)
            self.ours[kpart] = partition = Partition(kpart, self._partitions, self._outcomes)
            partition.run(self._take_up(partition))

    async def revoked(self, kparts: Iterable[int]) -> None:
        """Let go of partitions, after the batch that is being folded."""
        async with self._folding:
            for kpart in kparts:
                self._let_go(kpart)

    def displaced(self, kparts: Iterable[int]) -> None:
        """Take partitions up again whose position the log does not hold."""
        for kpart in kparts:
            if (partition := self.ours.get(kpart)) is not None:
                self._disturb(partition, "position_out_of_range")

    def _let_go(self, kpart: int) -> None:
        partition = self.ours.pop(kpart, None)
        if partition is not None:
            partition.halt()

    # The loop.

    async def run(self) -> None:
        """Fold until `stop`."""
        while not self._stopping:
            records = await self._log.poll()
            self.polled_at = self._clock.monotonic()
            async with self._folding:
                if records:
                    await self._fold(records)
                if self.polled_at - self._tidied_at >= (_BUSY_SECONDS if records else _IDLE_SECONDS):
                    await self._tidy()

    async def stop(self) -> None:
        """End the loop after the batch in hand, and write down how far the outcomes are published."""
        self._stopping = True
        async with self._folding:
            await self._published_within(_LAST_ACKS_WITHIN_SECONDS)
            await self._tidy()
            for kpart in list(self.ours):
                self._let_go(kpart)

    async def _fold(self, records: Mapping[int, Sequence[RawRecord]]) -> None:
        batches: list[Batch] = []
        stops: list[tuple[Partition, Stop]] = []
        for kpart in sorted(records):
            partition = self.ours.get(kpart)
            if partition is None or partition.status is not Status.LIVE or not records[kpart]:
                continue
            if records[kpart][0].offset != partition.at.next_offset:
                # Fetched before a seek. What is missing, if anything, the next fetch or the next check will say.
                self._log.read_from(kpart, partition.at.next_offset)
                continue
            entries, stop = entries_of(records[kpart], self._book, partition.at.policy_rev)
            if entries:
                batches.append(Batch(partition, entries, {}))
            if stop is not None:
                stops.append((partition, stop))
        if batches:
            await self._writer.take_through(batches)
        for partition, stop in stops:
            if partition.status is Status.LIVE:
                self._wait_for(partition, stop)

    async def _published_within(self, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        while any(p.outbox.backlog for p in self.ours.values()) and self._clock.monotonic() < until:
            await self._clock.sleep(_LOOK_FOR_ACKS_SECONDS)

    async def _tidy(self) -> None:
        """Write down how far outcomes are published."""
        self._tidied_at = self._clock.monotonic()
        for partition in list(self.ours.values()):
            reached = partition.reached()
            looked = self._tidied_at - partition.looked_at < _BUSY_SECONDS
            if partition.status is not Status.LIVE or (reached == partition.saved and looked):
                continue
            partition.looked_at = self._tidied_at
            try:
                if not await self._store.save_progress(reached):
                    # Another projector's, or an older dump was restored: an idle partition hears of it here.
                    self._trouble(partition, "fenced", FencedError(f"no longer at {reached.next_offset}"))
                    continue
            except Exception as error:  # noqa: BLE001 - progress is a convenience: without it more is looked at twice
                partition.log.warning("progress_not_saved", error=repr(error))
            else:
                partition.saved = reached

    # After a commit.

    def _committed(self, batches: Sequence[Batch]) -> None:
        send_replies(self._replies, [reply for batch in batches for reply in batch.replies()])
        for batch in batches:
            self._raise_alarms(batch)
            if not batch.is_current:
                continue  # it was taken up again meanwhile, from before this commit or from after it
            partition = batch.partition
            partition.succeeded()
            partition.at = batch.target()
            partition.cache.absorb(batch.ledger)
            partition.outbox.add(batch.to_publish())
            if partition.outbox.backlog > BACKLOG_MAX:
                self._disturb(partition, "backlog_full")

    def _raise_alarms(self, batch: Batch) -> None:
        for entry, folded in batch.answers:
            match folded:
                case Kept(outcome=outcome) if outcome.verdict == "unreadable":
                    batch.partition.log.error("record_unreadable", offset=entry.offset, reason=outcome.reason)
                case Kept(outcome=outcome) if outcome.rule == Rule.INTERNAL:
                    batch.partition.log.error("press_refused_internally", offset=entry.offset, reason=outcome.reason)
                case Voided(rule=Rule.ID_TAKEN) if not batch.is_waited_for(entry):
                    batch.partition.log.error("timer_id_taken_unheard", offset=entry.offset)
                case _:
                    pass

    # In trouble.

    def _trouble(self, partition: Partition, reason: str, error: Exception) -> None:
        partition.log.warning("partition_in_trouble", reason=reason, error=repr(error))
        fenced = isinstance(error, FencedError)
        self._disturb(partition, reason, _BETWEEN_TWO_LOSSES_SECONDS if fenced else partition.backoff())

    def _disturb(self, partition: Partition, reason: str, wait_seconds: float = 0.0) -> None:
        """Stop reading a partition, forget what was remembered of it, and take it up again."""
        if self.ours.get(partition.kpart) is not partition:
            return
        self._log.hold(partition.kpart)
        partition.disturb(reason)
        partition.run(self._take_up(partition, wait_seconds))

    async def _take_up(self, partition: Partition, wait_seconds: float = 0.0) -> None:
        """Recover a partition, however long it takes, and read on. The others do not wait for it."""
        pause = _BACKOFF_SECONDS
        while True:
            if wait_seconds:
                await self._clock.sleep(wait_seconds)
            try:
                at = await recover(partition.kpart, self._log, self._outcomes, self._store)
            except LogWentBackError as error:
                partition.becomes(Status.HELD, "log_went_back")
                partition.log.error("log_went_back", error=str(error))  # noqa: TRY400 - the sentence says it all
                wait_seconds = _LOOK_AGAIN_SECONDS
            except FencedError:
                wait_seconds = _BETWEEN_TWO_LOSSES_SECONDS
            except Exception as error:  # noqa: BLE001 - Kafka or Postgres is away; both come back
                partition.log.warning("recovery_failed", error=repr(error), again_in_seconds=pause)
                wait_seconds, pause = pause, min(pause * 2, _BACKOFF_SECONDS_MAX)
            else:
                self._go_live(partition, at)
                return

    def _go_live(self, partition: Partition, at: Checkpoint) -> None:
        partition.stand_at(at)
        partition.becomes(Status.LIVE, "recovered")
        partition.run(self._publish(partition))
        partition.run(self._prune(partition))
        self._log.read_from(partition.kpart, at.next_offset)

    async def _publish(self, partition: Partition) -> None:
        try:
            await partition.outbox.run()
        except Exception as error:  # noqa: BLE001 - published or not, nobody knows: publish what is committed again
            self._trouble(partition, "publish_failed", error)

    async def _prune(self, partition: Partition) -> None:
        """Delete outcomes that nobody may ask for any more, beside the fold, for as long as the partition is ours."""
        while True:
            await self._clock.sleep(_PRUNE_EVERY_SECONDS)
            try:
                while await self._store.prune(partition.kpart):
                    await self._clock.sleep(_BETWEEN_TWO_BITES_SECONDS)
            except Exception as error:  # noqa: BLE001 - what is not deleted now is deleted later
                partition.log.warning("outcomes_not_pruned", error=repr(error))

    # Waiting for what is not in our hands.

    def _wait_for(self, partition: Partition, stop: Stop) -> None:
        self._log.hold(partition.kpart)
        match stop:
            case NewerEvent(type=type_, offset=offset):
                partition.becomes(Status.HELD, "newer_event")
                partition.log.error("event_newer_than_we_are", event_type=type_, offset=offset)
            case PolicyUnseen(policy_rev=policy_rev):
                partition.becomes(Status.HELD, POLICY_AWAITED)
                partition.run(self._await_policy(partition, policy_rev))
            case _:
                assert_never(stop)

    async def _await_policy(self, partition: Partition, policy_rev: int) -> None:
        while not await self._policies.reach(policy_rev, _POLICY_WAIT_SECONDS):
            partition.becomes(Status.HELD, "policy_unseen")
            partition.log.error("policy_unseen", policy_rev=policy_rev)
        partition.becomes(Status.LIVE, "policy_seen")
        self._log.read_from(partition.kpart, partition.at.next_offset)
