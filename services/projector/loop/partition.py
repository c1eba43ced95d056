"""A partition as its one writer holds it: where it stands, what it remembers, and whether it may be read."""

import asyncio
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

import structlog

from services.projector.loop.cache import Cache
from services.projector.loop.outbox import Outbox
from services.projector.ports import Checkpoint, OutcomeLog

_BACKOFF_SECONDS: Final = 0.1
_BACKOFF_SECONDS_MAX: Final = 5.0


# Some milliseconds after a policy changed, for a press that its API judged to come after it. Nothing is wrong yet.
POLICY_AWAITED: Final = "policy_awaited"


class Status(StrEnum):
    """LOADING: being taken up. LIVE: read and folded. HELD: waits for something that is not in our hands."""

    LOADING = "loading"
    LIVE = "live"
    HELD = "held"


class Partition:
    """One partition that the group gave us. In trouble it is held and taken up again by itself; the others go on."""

    def __init__(self, kpart: int, partitions: int, outcomes: OutcomeLog) -> None:
        self.kpart = kpart
        self.partitions = partitions
        self.status = Status.LOADING
        self.reason = "assigned"
        self.log: Any = structlog.get_logger().bind(partition=kpart)
        self._outcomes = outcomes
        self._tasks: set[asyncio.Task[None]] = set()
        self.looked_at = 0.0
        self._backoff_seconds = 0.0
        self.stand_at(Checkpoint(kpart))

    def stand_at(self, at: Checkpoint) -> None:
        """Forget everything but where the partition stands. Batches from before may be committed, and nothing more."""
        self.life = object()
        self.at = at
        self.saved = at
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

    def backoff(self) -> float:
        """Return how many seconds to leave it alone: none at first, and longer each time until something succeeds."""
        seconds = self._backoff_seconds
        self._backoff_seconds = min(max(2 * seconds, _BACKOFF_SECONDS), _BACKOFF_SECONDS_MAX)
        return seconds

    def succeeded(self) -> None:
        """Take it that whatever was wrong is over."""
        self._backoff_seconds = 0.0

    def disturb(self, reason: str) -> None:
        """End all that goes on with the partition: it is to be taken up again."""
        self.life = object()
        self.halt()
        self.becomes(Status.LOADING, reason)

    def halt(self) -> None:
        """End all that runs beside the loop for this partition, the caller's own task excepted."""
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
