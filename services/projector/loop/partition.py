"""A partition as its one writer holds it: where it stands, what it remembers, and whether it may be read."""

import asyncio
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import structlog

from services.projector.loop.cache import Cache
from services.projector.loop.outbox import Outbox
from services.projector.ports import Checkpoint, OutcomeLog
from shared.process.backoff import Backoff

# Some milliseconds after a policy changed, for a press that its API judged to come after it. Nothing is wrong yet.
POLICY_AWAITED: Final = "policy_awaited"


class Status(StrEnum):
    """LOADING: being taken up. LIVE: read and folded. HELD: waits for something that is not in our hands."""

    LOADING = "loading"
    LIVE = "live"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Gap:
    """Between `at` and `goes_on_at` the log has no record, and never will."""

    at: int
    goes_on_at: int


class Partition:
    """One partition that the group gave us. The keeper has its states drawn.

    `saved` is what the store has of its progress, and `asked_at` when the store was last asked whether it is still
    ours; `sought` is the offset from which it was last told to be read; `in_hand` says that a batch is on its way.
    """

    def __init__(self, kpart: int, partitions: int, outcomes: OutcomeLog) -> None:
        self.kpart = kpart
        self.partitions = partitions
        self.status = Status.LOADING
        self.reason = "assigned"
        self.log: Any = structlog.get_logger().bind(partition=kpart)
        self._outcomes = outcomes
        self._tasks: set[asyncio.Task[None]] = set()
        self.asked_at = 0.0
        self.in_hand = False
        self.backoff = Backoff()
        self.stand_at(Checkpoint(kpart))

    def stand_at(self, at: Checkpoint) -> None:
        """Forget everything but where the partition stands. Batches from before may be committed, and nothing more."""
        self.generation = object()
        self.at = at
        self.saved = at
        self.sought: int | None = None
        self.gap: Gap | None = None
        # The record here names a policy revision that was never written: it is refused, not waited for.
        self.no_such_policy_at: int | None = None
        self.cache = Cache()
        self.outbox = Outbox(self.kpart, self._outcomes, at.published, at.outcomes_next)

    def reached(self) -> Checkpoint:
        """Return where the partition stands, with how far its outcomes are published."""
        return replace(self.at, published=self.outbox.published, outcomes_next=self.outbox.outcomes_next)

    def becomes(self, status: Status, reason: str) -> None:
        """Change what may be done with the partition, and say why."""
        self.status, self.reason = status, reason
        self.log.info("partition_changed", status=status.value, reason=reason, next_offset=self.at.next_offset)

    def run(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        """Let something run beside the loop for as long as this partition is ours and undisturbed."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def skipped(self, offset: int, reason: str) -> None:
        """Raise the alarm about a record of the judged stream that is no outcome. It is passed over."""
        self.log.error("outcome_record_skipped", stream_offset=offset, reason=reason)

    def disturb(self, reason: str) -> None:
        """End all that goes on with the partition: it is to be taken up again."""
        self.generation = object()
        self.halt()
        self.becomes(Status.LOADING, reason)

    def halt(self) -> None:
        """End all that runs beside the loop for this partition, the caller's own task excepted."""
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
