"""A projector process: the product's loop, whole, on ports that lead into the world.

Every call of a port passes numbered points. At a point the process may be killed, frozen, or made to wait.
"""

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any, Final

from services.projector.loop.projector import Projector
from shared.events.policy_book import PolicyBook
from tests.world.ports import Consumer, Policies, Replies, Store, Stream, Time
from tests.world.world import PROCESS, KilledError, World

# How long the group waits for a member that is not heard of.
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
        # In order, for they are cancelled in it.
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

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something of this process."""
        return self.world.loop.create_task(work, context=self._context)

    async def point(self, name: str) -> None:
        """Pass a numbered point, or never get past it."""
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
        # Even nothing takes a moment: others may go first.
        await asyncio.sleep(world.soon())
        while self.frozen:
            await self._thawed.wait()
        self.live()

    def live(self) -> None:
        """Raise when this process is dead: what it has not done by now, it never does."""
        if self.dead:
            raise KilledError

    # Ways to end.

    def kill(self) -> None:
        """End at once: memory gone, connections dropped, nobody told."""
        self.dead = True
        self.consumer.close()
        self.world.processes.remove(self)
        self._fall_silent()
        for task in tuple(self.tasks):
            if task is not asyncio.current_task():
                task.cancel()

    @property
    def stuck(self) -> bool:
        """Whether it will not come back in any time that anybody waits."""
        return self.frozen and self.thaws_at - self.world.loop.now > _STUCK_SECONDS

    async def stop(self) -> None:
        """End as after SIGTERM: the batch in hand, progress written down, the group left. What is frozen is killed."""
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
        """Do nothing for a while, and know nothing of it."""
        self.frozen = True
        self._thawed.clear()
        thaw = self.world.loop.call_later(seconds, self.thaw)
        self.thaws_at = max(self.thaws_at, thaw.when())
        self._fall_silent()

    def thaw(self) -> None:
        """Go on as if nothing had been."""
        if self.world.loop.now + _TICK_SECONDS < self.thaws_at:
            return  # frozen again meanwhile, and for longer
        self.frozen = False
        self._thawed.set()

    # The group.

    def assigned(self, kparts: list[int]) -> None:
        """Hear that partitions are ours."""
        self.member = True
        self.consumer.assign(kparts)
        self._context.run(self.projector.keeper.assigned, kparts)

    async def revoked(self) -> None:
        """Hear that the group deals anew."""
        await self.point("revoke")
        await self.projector.keeper.revoked(sorted(self.consumer.positions))
        self.consumer.positions.clear()

    def kicked(self) -> None:
        """Be thrown out of the group, and hear of it only after a while: till then, a zombie."""
        self.member = False
        self.spawn(self._notice())

    async def _notice(self) -> None:
        await asyncio.sleep(self.world.chance.random() * _NOTICED_SECONDS)
        await self.revoked()
        if self.world.group is not None:
            self.world.group.join(self)

    def displaced(self, kparts: list[int]) -> None:
        """Hear that the log does not hold our positions."""
        self._context.run(self.projector.keeper.displaced, kparts)

    # Policies.

    def hear_of_policies(self) -> None:
        """Read what came, after a while."""
        late = self.world.happens("policy_late")
        self.world.loop.call_later(_POLICY_LATE_SECONDS if late else self.world.soon(), self._read_policies)

    def _read_policies(self) -> None:
        for offset, (key, value) in enumerate(self.world.policies.records):
            self.book.apply(offset, key, value)
