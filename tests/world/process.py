"""A projector process: the product's loop, whole, on ports that lead into the world.

Every call of a port passes numbered points. At a point the process may be killed, frozen, or made to wait.
Where it differs from the projector: there is no HTTP server, no signal and no reader of policies or texts. In a replay
it has no deadline clock, because its log has all ticks.
"""

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any, Final

from services.projector.loop.projector import Projector
from shared.events.policies.book import PolicyBook
from tests.world.clock import clock_of
from tests.world.ports import Consumer, Policies, Replies, Store, Stream, Time
from tests.world.world import PROCESS, KilledError, World

# How long the group waits for a silent member.
SESSION_SECONDS: Final = 2.0
_FREEZES_SECONDS: Final = 6.0
_STUCK_SECONDS: Final = 10.0
_TICK_SECONDS: Final = 0.001
_NOTICED_SECONDS: Final = 0.5
_POLICY_LATE_SECONDS: Final = 8.0


class Process:
    """One projector, from its start to its end."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        # In order, because they are cancelled in this order.
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.dead = False
        self.frozen = False
        self.thaws_at = 0.0
        self.member = False
        self.book = PolicyBook()
        self.consumer = Consumer(self)
        self._thawed = asyncio.Event()
        self._context = contextvars.copy_context()
        self._context.run(PROCESS.set, self)
        self._read_policies()
        self.projector = Projector(
            partitions=world.plan.partitions,
            log=self.consumer,
            outcomes=Stream(self),
            replies=Replies(self),
            store=Store(self),
            book=self.book,
            policies=Policies(self),
            clock=Time(self),
        )
        self.spawn(self.projector.run())
        if world.ticking:
            self.spawn(clock_of(self).run())

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task of this process. It ends when the process is killed."""
        return self.world.loop.create_task(work, context=self._context)

    async def point(self, name: str) -> None:
        """Pass a numbered point. Raises KilledError if the process dies there."""
        world = self.world
        number = len(world.points)
        world.points.append(name)
        self.live()
        if number == world.plan.crash_at or world.happens("crash"):
            world.fired[f"crash {name}"] += 1
            self.kill()
            raise KilledError
        if number == world.plan.freeze_at:
            world.fired[f"frozen {name}"] += 1
            self.freeze(world.plan.freeze_seconds)
        elif not self.frozen and world.happens("frozen_here"):
            self.freeze(world.chance.random() * _FREEZES_SECONDS)
        # Each call takes a moment, so that others may go first.
        await asyncio.sleep(world.soon())
        while self.frozen:
            await self._thawed.wait()
        self.live()

    def live(self) -> None:
        """Raise KilledError if this process is dead."""
        if self.dead:
            raise KilledError

    # Ways to end.

    def kill(self) -> None:
        """End at once: its memory is gone, its connections are dropped, the group is not told."""
        self.dead = True
        self.consumer.close()
        self.world.processes.remove(self)
        self._fall_silent()
        for task in tuple(self.tasks):
            if task is not asyncio.current_task():
                task.cancel()

    @property
    def stuck(self) -> bool:
        """Whether it stays frozen for longer than the world waits."""
        return self.frozen and self.thaws_at - self.world.loop.now > _STUCK_SECONDS

    async def stop(self) -> None:
        """End as after SIGTERM: finish the batch, save the progress, leave the group. A frozen process is killed."""
        if self.frozen:
            self.kill()
            return
        await asyncio.wait([self.spawn(self.projector.stop())])
        if self.dead:
            return
        self.kill()
        if self.world.group is not None:
            self.world.group.leave(self)

    def _fall_silent(self) -> None:
        if self.world.group is not None:
            self.world.loop.call_later(SESSION_SECONDS, self.world.group.silent, self)

    # Ways to be away.

    def freeze(self, seconds: float) -> None:
        """Do nothing for a while, without noticing it."""
        self.frozen = True
        self._thawed.clear()
        thaw = self.world.loop.call_later(seconds, self.thaw)
        self.thaws_at = max(self.thaws_at, thaw.when())
        self._fall_silent()

    def thaw(self) -> None:
        """Go on as if no time had passed."""
        if self.world.loop.now + _TICK_SECONDS < self.thaws_at:
            return  # it was frozen again meanwhile, for longer
        self.frozen = False
        self._thawed.set()

    # The group.

    def assigned(self, kparts: list[int]) -> None:
        """Take the partitions that the group gives."""
        self.member = True
        self.consumer.assign(kparts)
        self._context.run(self.projector.keeper.assigned, kparts)

    async def revoked(self) -> None:
        """Give all partitions back, because the group rebalances."""
        await self.point("revoke")
        await self.projector.keeper.revoked(sorted(self.consumer.positions))
        self.consumer.positions.clear()

    def kicked(self) -> None:
        """Be removed from the group, and notice it a while later. Until then it is a zombie."""
        self.member = False
        self.spawn(self._notice())

    async def _notice(self) -> None:
        await asyncio.sleep(self.world.chance.random() * _NOTICED_SECONDS)
        await self.revoked()
        if self.world.group is not None:
            self.world.group.join(self)

    def displaced(self, kparts: list[int], reason: str) -> None:
        """Hear that the log does not have our positions."""
        self._context.run(self.projector.keeper.displaced, kparts, reason)

    # Policies.

    def hear_of_policies(self) -> None:
        """Read the new policies after a while."""
        late = self.world.happens("policy_late")
        self.world.loop.call_later(_POLICY_LATE_SECONDS if late else self.world.soon(), self._read_policies)

    def _read_policies(self) -> None:
        for offset, record in enumerate(self.world.policies.records):
            self.book.apply(offset, *record)
