"""The keeper: partitions that the group gave us, from the first check to the last commit.

    LOADING --- recovered ---> LIVE --- policy unseen, newer event ---> HELD
     |   ^                     | ^                                       |
     |   +-- fenced, trouble --+ +------------ policy read --------------+
     |
     +--- log went back, newer outcome, clock off ---> HELD --- checked every 10 s, recovered ---> LIVE

Only the keeper changes a status. A partition that is not LIVE is never folded. A partition in trouble is taken up again
by itself, from what is committed; the other partitions go on meanwhile. After a newer event a partition stays HELD
until a newer release runs. `displaced` sends a partition to LOADING from every state.
"""

import asyncio
from collections.abc import Iterable
from typing import Final, assert_never

from services.projector.loop.partition.batch import LateEnough, NewerEvent, PolicyUnseen, Stop
from services.projector.loop.partition.cache import Bounds
from services.projector.loop.partition.partition import POLICY_AWAITED, Gap, Partition, Status
from services.projector.loop.partition.recover import LogWentBackError, recover
from services.projector.ports import (
    Checkpoint,
    Clock,
    ClockOffError,
    EventLog,
    FencedError,
    Helpers,
    OutcomeLog,
    PolicyProgress,
    Store,
)
from shared.events.outcome import NewerOutcomeError
from shared.process.backoff import Backoff
from shared.process.logs import loggable

_BETWEEN_TWO_LOSSES_SECONDS: Final = 1.0
_LOOK_AGAIN_SECONDS: Final = 10.0
_POLICY_WAIT_SECONDS: Final = 5.0
# A new policy arrives within milliseconds. When it does not, the end of its topic shows whether the revision exists.
_POLICY_GLANCE_SECONDS: Final = 0.2
# Kafka or Postgres has restarted by then. A longer failure should wake a person.
_FAILURES_BEFORE_AN_ALARM: Final = 5
_NEWER_EVENT: Final = "a newer release wrote this press: upgrade this process"


class Keeper:
    """Takes partitions up, holds them, lets them go. `folding` is held while a batch is on its way to its commit."""

    def __init__(
        self,
        *,
        partitions: int,
        log: EventLog,
        outcomes: OutcomeLog,
        store: Store,
        policies: PolicyProgress,
        clock: Clock,
    ) -> None:
        self.ours: dict[int, Partition] = {}
        self.folding = asyncio.Lock()
        # Without any, a partition that is far behind catches up in this process.
        self.helpers: Helpers | None = None
        self._partitions = partitions
        self._bounds = Bounds()
        self._log = log
        self._outcomes = outcomes
        self._store = store
        self._policies = policies
        self._clock = clock
        self._ended = False

    def assigned(self, kparts: Iterable[int]) -> None:
        """Take up partitions that the group gave us. None of their records is read before recovery."""
        if self._ended:
            return
        for kpart in kparts:
            self.let_go(kpart)
            self.ours[kpart] = partition = Partition(kpart, self._partitions, self._outcomes, self._bounds)
            partition.run(self._take_up(partition))
        self._bounds.caches = max(1, len(self.ours))
        for partition in self.ours.values():
            # A quiet partition would keep its larger share. During a batch all that was read is needed; the writer
            # trims.
            if not partition.in_hand:
                partition.cache.trim()

    async def revoked(self, kparts: Iterable[int]) -> None:
        """Let go of partitions, after the batch that is being folded."""
        async with self.folding:
            for kpart in kparts:
                self.let_go(kpart)

    def displaced(self, kparts: Iterable[int], reason: str) -> None:
        """Take partitions up again: the log does not hold their position, or its records do not reach the loop."""
        for kpart in kparts:
            if (partition := self.ours.get(kpart)) is not None:
                self.disturb(partition, reason)

    def let_go(self, kpart: int) -> None:
        """Forget a partition. Does nothing when the partition is not ours."""
        partition = self.ours.pop(kpart, None)
        if partition is not None:
            # It may have been taken up after the log stopped reading for a rebalance.
            self._log.hold(kpart)
            partition.halt()
            self._bounds.caches = max(1, len(self.ours))

    def end(self) -> None:
        """Forget all partitions, and take up none any more: the process is about to leave the group."""
        self._ended = True
        for kpart in list(self.ours):
            self.let_go(kpart)

    def live(self, kpart: int) -> Partition | None:
        """Return a partition that may be folded now, or None."""
        partition = self.ours.get(kpart)
        return partition if partition is not None and partition.status is Status.LIVE else None

    def is_next(self, partition: Partition, offset: int) -> bool:
        """Return whether a record is the next that a partition folds. When it is not, seek the record that is.

        Offsets have gaps where a foreign transaction ended or was aborted. A second read of the log has to confirm a
        gap, because records that were fetched before a seek look the same as records behind a gap.
        """
        at = partition.at.next_offset
        if offset == at or partition.gap == Gap(at, offset):
            return True
        if partition.sought != at or offset < at:
            self._read_on(partition)
        else:
            self._log.hold(partition.kpart)
            partition.run(self._measure_gap(partition, at))
        return False

    def trouble(self, partition: Partition, reason: str, error: Exception) -> None:
        """Take a partition up again after a failure. Each further failure doubles the wait before it."""
        wait_seconds = _BETWEEN_TWO_LOSSES_SECONDS if isinstance(error, FencedError) else partition.backoff.next()
        if partition.backoff.failures > _FAILURES_BEFORE_AN_ALARM:
            partition.log.error("partition_in_trouble", reason=reason, error=loggable(error))
        else:
            partition.log.warning("partition_in_trouble", reason=reason, error=loggable(error))
        self.disturb(partition, reason, wait_seconds)

    def disturb(self, partition: Partition, reason: str, wait_seconds: float = 0.0) -> None:
        """Stop reading a partition, drop all that is cached of it, and take it up again."""
        if self.ours.get(partition.kpart) is not partition:
            return
        self._log.hold(partition.kpart)
        partition.disturb(reason)
        partition.run(self._take_up(partition, wait_seconds))

    def stop_at(self, partition: Partition, stop: Stop) -> None:
        """Read no further in a partition until the policy is read, or a newer release runs; or read on from there."""
        self._log.hold(partition.kpart)
        match stop:
            case LateEnough():
                self._read_on(partition)
            case NewerEvent(type=type_, offset=offset):
                partition.becomes(Status.HELD, "newer_event")
                partition.log.error("event_newer_than_we_are", event_type=type_, offset=offset, error=_NEWER_EVENT)
            case PolicyUnseen():
                partition.becomes(Status.HELD, POLICY_AWAITED)
                partition.run(self._await_policy(partition, stop))
            case _:
                assert_never(stop)

    async def _take_up(self, partition: Partition, wait_seconds: float = 0.0) -> None:
        """Recover a partition, with retries for as long as it takes, and read on."""
        backoff = Backoff()
        while True:
            if wait_seconds:
                await self._clock.sleep(wait_seconds)
            try:
                ports = self._log, self._outcomes, self._store
                at = await recover(partition.kpart, *ports, partition.skipped, self.helpers)
            except LogWentBackError as error:
                partition.becomes(Status.HELD, "log_went_back")
                partition.log.error("log_went_back", error=str(error))  # noqa: TRY400 - the message is enough
                wait_seconds = _LOOK_AGAIN_SECONDS
            except NewerOutcomeError as error:
                partition.becomes(Status.HELD, "newer_outcome")
                partition.log.error("outcome_newer_than_we_are", error=str(error))  # noqa: TRY400 - as above
                wait_seconds = _LOOK_AGAIN_SECONDS
            except ClockOffError as error:
                partition.becomes(Status.HELD, "clock_disagrees")
                partition.log.error("clock_disagrees", error=str(error))  # noqa: TRY400 - as above
                wait_seconds = _LOOK_AGAIN_SECONDS
            except FencedError:
                wait_seconds = _BETWEEN_TWO_LOSSES_SECONDS
            except Exception as error:  # noqa: BLE001 - Kafka or Postgres is away; retry
                wait_seconds = backoff.next()
                if backoff.failures > _FAILURES_BEFORE_AN_ALARM:
                    partition.log.error("recovery_failed", error=loggable(error))  # noqa: TRY400 - a part is away
                else:
                    partition.log.warning("recovery_not_yet", error=loggable(error), again_in_seconds=wait_seconds)
            else:
                self._go_live(partition, at)
                return

    def _go_live(self, partition: Partition, at: Checkpoint) -> None:
        partition.stand_at(at)
        partition.becomes(Status.LIVE, "recovered")
        partition.run(self._publish(partition))
        self._read_on(partition)

    async def _publish(self, partition: Partition) -> None:
        try:
            await partition.outbox.run()
        except Exception as error:  # noqa: BLE001 - of unknown fate: recovery publishes again what is committed
            self.trouble(partition, "publish_failed", error)

    def _read_on(self, partition: Partition) -> None:
        partition.sought = partition.at.next_offset
        self._log.read_from(partition.kpart, partition.sought)

    async def _measure_gap(self, partition: Partition, at: int) -> None:
        """Find the first record at or after `at`, and read on from there."""
        try:
            record = await self._log.first_from(partition.kpart, at)
        except Exception as error:  # noqa: BLE001 - Kafka is away: taking the partition up asks it again
            self.trouble(partition, "gap_not_measured", error)
            return
        if record is not None and record.offset == at:
            # The record exists and was not handed to us: the consumer has lost its place.
            self.disturb(partition, "records_skipped", partition.backoff.next())
            return
        if record is not None:
            partition.gap = Gap(at, record.offset)
            partition.log.warning("offsets_missing", next_offset=at, goes_on_at=record.offset)
        self._read_on(partition)

    async def _await_policy(self, partition: Partition, stop: PolicyUnseen) -> None:
        wait_seconds = _POLICY_GLANCE_SECONDS
        while not await self._policies.reach(stop.policy_rev, wait_seconds):
            if await self._was_never_written(partition, stop):
                partition.no_such_policy_at = stop.offset
                break
            if wait_seconds == _POLICY_WAIT_SECONDS:
                partition.becomes(Status.HELD, "policy_unseen")
                partition.log.error("policy_unseen", policy_rev=stop.policy_rev)
            wait_seconds = _POLICY_WAIT_SECONDS
        partition.becomes(Status.LIVE, "policy_seen")
        self._read_on(partition)

    async def _was_never_written(self, partition: Partition, stop: PolicyUnseen) -> bool:
        """Return whether a press names a revision beyond the end of the topic, read after the press arrived."""
        if stop.policy_rev <= partition.at.policy_rev:
            return False  # the partition has met the revision: it exists, and we are behind
        try:
            return stop.policy_rev >= await self._policies.end()
        except Exception:  # noqa: BLE001 - the broker is away: wait on
            return False
