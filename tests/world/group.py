"""The group: eager rebalancing, as Kafka's coordinator does it. It says who should own a partition; it may be wrong."""

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
        """Let a process in, at the next deal."""
        if process not in self._members and not process.dead:
            self._members.append(process)
        self.deal()

    def leave(self, process: Process) -> None:
        """Let a process go at once: it has said goodbye."""
        if process in self._members:
            self._members.remove(process)
        self.deal()

    def silent(self, process: Process) -> None:
        """Throw a process out that has not been heard of for a session."""
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
            # The dead say nothing, and the group waits for them as for anybody.
            await asyncio.sleep(SESSION_SECONDS)
        if letting_go:
            await asyncio.wait(letting_go.values(), timeout=SESSION_SECONDS)
        for member in members:
            if member in self._members and (member.dead or not letting_go[member].done()):
                if not member.dead:
                    # Its next word to the group is that it comes back, and then it lets go of all it had.
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
