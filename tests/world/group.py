"""The group: eager rebalancing, as Kafka's coordinator does it. It says which projector has a partition.

It may be wrong: a projector that is frozen still believes in its partitions (a zombie), until it hears otherwise.
Where it differs from Kafka: there are no heartbeats, and a deal is by chance and not by an assignor.
"""

import asyncio
from typing import Final

from tests.world.process import SESSION_SECONDS, Process
from tests.world.world import World

_SETTLES_SECONDS: Final = 0.05


class Group:
    """The projectors' group."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._members: list[Process] = []
        self._changed = asyncio.Event()
        world.group = self
        world.spawn(self._coordinate())

    def join(self, process: Process) -> None:
        """Add a process at the next deal."""
        if process not in self._members and not process.dead:
            self._members.append(process)
        self.deal()

    def leave(self, process: Process) -> None:
        """Remove a process at once: it has left the group by itself."""
        if process in self._members:
            self._members.remove(process)
        self.deal()

    def silent(self, process: Process) -> None:
        """Remove a process that was silent for a session."""
        if process in self._members and (process.dead or process.frozen):
            self._throw_out(process)
            self.deal()

    def deal(self) -> None:
        """Deal the partitions anew."""
        self._changed.set()

    async def _coordinate(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(self._world.chance.random() * _SETTLES_SECONDS)
            self._changed.clear()
            await self._rebalance()

    async def _rebalance(self) -> None:
        self._world.fired["rebalance"] += 1
        members = list(self._members)
        letting_go = {member: member.spawn(member.revoked()) for member in members if not member.dead}
        if len(letting_go) < len(members):
            # A dead process does not answer. The group waits for it until its session ends.
            await asyncio.sleep(SESSION_SECONDS)
        if letting_go:
            await asyncio.wait(letting_go.values(), timeout=SESSION_SECONDS)
        for member in members:
            if member in self._members and (member.dead or not letting_go[member].done()):
                if not member.dead:
                    # It joins again later, and first gives up all the partitions that it had.
                    letting_go[member].cancel()
                self._throw_out(member)
        self._deal_out([member for member in members if member in self._members])

    def _deal_out(self, members: list[Process]) -> None:
        dealt: dict[Process, list[int]] = {member: [] for member in members}
        for kpart in range(self._world.plan.partitions if dealt else 0):
            dealt[self._world.chance.choice(members)].append(kpart)
        for member, kparts in dealt.items():
            member.assigned(kparts)

    def _throw_out(self, process: Process) -> None:
        self._members.remove(process)
        if not process.dead:
            self._world.fired["zombie"] += 1
            process.kicked()
