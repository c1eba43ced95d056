"""A partition as its one writer holds it: where it stands, what is cached, and whether it may be read."""

import asyncio
import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import structlog

from services.projector.loop.partition.cache import Bounds, Cache
from services.projector.loop.partition.outbox import Outbox
from services.projector.ports import Checkpoint, OutcomeLog
from shared.process.backoff import Backoff

# The policy of a press has not arrived yet. That is normal for milliseconds after a change, so health ignores it.
POLICY_AWAITED: Final = "policy_awaited"


class Status(StrEnum):
    """LOADING: being taken up. LIVE: read and folded. HELD: waits for something outside this process."""

    LOADING = "loading"
    LIVE = "live"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Gap:
    """The log has no record in [at, goes_on_at), and never will have one."""

    at: int
    goes_on_at: int


class Partition:
    """One partition that the group gave us. Its states are drawn in `keeper`.

    at            where the fold stands; `saved` is the same as the store has it
    confirmed_at  when the store last confirmed that the partition is ours; a take-up resets it
    sought        the offset of the last `EventLog.read_from`
    in_hand       a batch is on its way to its commit
    generation    a new object after each take-up; an older batch may be committed, and nothing more
    """

    def __init__(self, kpart: int, partitions: int, outcomes: OutcomeLog, bounds: Bounds | None = None) -> None:
        self.kpart = kpart
        self.partitions = partitions
        self.status = Status.LOADING
        self.reason = "assigned"
        self.log: Any = structlog.get_logger().bind(partition=kpart)
        self._outcomes = outcomes
        # Of this partition alone, unless it has peers.
        self._bounds = bounds or Bounds()
        self._tasks: set[asyncio.Task[None]] = set()
        self.in_hand = False
        self.backoff = Backoff()
        self.stand_at(Checkpoint(kpart))

    def stand_at(self, at: Checkpoint) -> None:
        """Begin a generation at a checkpoint, with an empty cache and outbox."""
        self.generation = object()
        self.at = at
        # Recovery saves past a row that is locked, and then nothing was saved.
        self.saved = at
        self.confirmed_at = -math.inf
        self.sought: int | None = None
        self.gap: Gap | None = None
        # The offset of a press whose policy revision was never written: it is refused, and not waited for.
        self.no_such_policy_at: int | None = None
        self.cache = Cache(self._bounds)
        self.outbox = Outbox(self.kpart, self._outcomes, at.published, at.outcomes_next)

    def reached(self) -> Checkpoint:
        """Return where the partition stands, and how far its outcomes are published."""
        return replace(self.at, published=self.outbox.published, outcomes_next=self.outbox.outcomes_next)

    def becomes(self, status: Status, reason: str) -> None:
        """Change the status, and log why."""
        self.status, self.reason = status, reason
        self.log.info("partition_changed", status=status.value, reason=reason, next_offset=self.at.next_offset)

    def run(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        """Run a task beside the loop, until the partition is disturbed or let go."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def skipped(self, offset: int, reason: str) -> None:
        """Raise an alarm: a record of the judged stream is no outcome, and is passed over."""
        self.log.error("outcome_record_skipped", stream_offset=offset, reason=reason)

    def disturb(self, reason: str) -> None:
        """End this generation, before the partition is taken up again."""
        self.generation = object()
        self.halt()
        self.becomes(Status.LOADING, reason)

    def halt(self) -> None:
        """Cancel all tasks of this partition but the caller's own."""
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
