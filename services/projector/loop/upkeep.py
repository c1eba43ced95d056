"""Upkeep: what is done beside the fold. Progress is saved, and old outcomes are deleted.

The fold waits for neither. A slow or absent store delays upkeep, and never a poll or a commit.
"""

import asyncio
from itertools import count
from typing import Final

from services.projector.loop.keeper import Keeper
from services.projector.loop.partition.partition import Partition, Status
from services.projector.ports import Clock, FencedError, Store
from shared.process.backoff import Setbacks

_LOOK_EVERY_SECONDS: Final = 1.0
# An idle partition learns within this time that another projector owns it, or that an older dump was restored.
_CONFIRM_EACH_WITHIN_SECONDS: Final = 60.0
_PRUNE_EVERY_SECONDS: Final = 60.0
_BETWEEN_TWO_DELETIONS_SECONDS: Final = 0.1
# After that, a failure wakes a person.
_PASSING_SECONDS: Final = 60.0
_PRUNED_WITHIN_SECONDS: Final = 600.0


class Upkeep:
    """Saves progress and prunes outcomes, for the keeper's partitions."""

    def __init__(self, keeper: Keeper, store: Store, clock: Clock) -> None:
        self._keeper = keeper
        self._store = store
        self._clock = clock
        self._unsaved = Setbacks("progress_not_saved", _PASSING_SECONDS, clock.monotonic)
        self._unpruned = Setbacks("outcomes_not_pruned", _PRUNED_WITHIN_SECONDS, clock.monotonic)

    async def run(self) -> None:
        """Do both, for ever. An error of either ends both, and is raised."""
        both = [
            asyncio.create_task(self._keep_progress(), name="upkeep of progress"),
            asyncio.create_task(self._keep_pruned(), name="upkeep of old outcomes"),
        ]
        try:
            await asyncio.gather(*both)
        finally:
            for task in both:
                task.cancel()

    async def save_progress(self) -> None:
        """Save how far outcomes are published, in one statement for all partitions that moved."""
        now = self._clock.monotonic()
        due = {p.kpart: (p, p.at, p.reached()) for p in self._keeper.ours.values() if _is_due(p, now)}
        if not due:
            return
        try:
            stands = await self._store.save_progress([reached for _, _, reached in due.values()])
        except Exception as error:  # noqa: BLE001 - without it the next owner only publishes more again
            self._unsaved.failed(error, partitions=len(due))
            return
        self._unsaved.recovered()
        for kpart, is_there in stands.items():
            partition, at, reached = due[kpart]
            # A batch may have been committed while the statement ran. Then the answer is stale: ignore it.
            if partition.at is not at or partition.in_hand:
                continue
            partition.confirmed_at = now
            if is_there:
                partition.saved = reached
            else:
                self._keeper.trouble(partition, "fenced", FencedError(f"no longer at {reached.next_offset}"))

    async def _keep_progress(self) -> None:
        while True:
            await self._clock.sleep(_LOOK_EVERY_SECONDS)
            await self.save_progress()

    async def _keep_pruned(self) -> None:
        """Delete outcomes whose keys are forgotten, partition after partition.

        A failure ends the round, because a store that is away would fail for each. Each round begins with the next
        partition, so that a partition that always fails keeps no other from its turn.
        """
        for turn in count():
            await self._clock.sleep(_PRUNE_EVERY_SECONDS)
            ours = list(self._keeper.ours.values())
            first = turn % len(ours) if ours else 0
            try:
                for partition in ours[first:] + ours[:first]:
                    while self._keeper.live(partition.kpart) is partition and await self._store.prune(partition.kpart):
                        await self._clock.sleep(_BETWEEN_TWO_DELETIONS_SECONDS)
            except Exception as error:  # noqa: BLE001 - it is deleted later
                self._unpruned.failed(error)
            else:
                self._unpruned.recovered()


def _is_due(partition: Partition, now: float) -> bool:
    if partition.status is not Status.LIVE or partition.in_hand:
        return False
    return partition.reached() != partition.saved or now - partition.confirmed_at >= _CONFIRM_EACH_WITHIN_SECONDS
