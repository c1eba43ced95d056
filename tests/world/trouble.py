"""Trouble: faults of whole processes and machines, and their repair."""

import asyncio
from datetime import timedelta
from typing import Final

from tests.world.foreign import STRANGE_POLICIES, Foreign
from tests.world.group import Group
from tests.world.policies import any_policy
from tests.world.process import Process
from tests.world.world import World

_PROCESSES_MAX: Final = 3
_LOOK_SECONDS: Final = 0.4
_STARTS_SECONDS: Final = 1.5
_FREEZES_SECONDS: Final = 6.0
_AWAY_SECONDS: Final = 3.0
_JUMPS: Final = (timedelta(minutes=2), timedelta(minutes=50), timedelta(hours=7), timedelta(hours=30))


class Trouble:
    """Takes a look every now and then: it causes faults, and starts projectors that are missing."""

    def __init__(self, world: World, group: Group) -> None:
        self._world = world
        self._group = group
        self._starting = 0
        self._started = 0
        self._newer_after = world.chance.randint(1, world.plan.presses)
        self.foreign = Foreign(world)

    async def live(self) -> None:
        """Cause faults until the world heals. Keep enough projectors running for ever."""
        while True:
            await asyncio.sleep(self._world.chance.random() * _LOOK_SECONDS)
            self._look_after()
            if not self._world.healing:
                await self._befall()

    def start(self) -> Process:
        """Start a projector, and let it join."""
        self._started += 1
        process = Process(self._world, f"projector-{self._started}")
        self._world.processes.append(process)
        self._group.join(process)
        return process

    def _look_after(self) -> None:
        alive = sum(not process.stuck for process in self._world.processes)
        while alive + self._starting < self._world.plan.projectors:
            self._starting += 1
            self._world.loop.call_later(self._world.chance.random() * _STARTS_SECONDS, self._start_one)

    def _start_one(self) -> None:
        self._starting -= 1
        self.start()

    async def _befall(self) -> None:
        world, chance = self._world, self._world.chance
        processes = world.processes
        if processes and world.happens("killed"):
            chance.choice(processes).kill()
        if processes and world.happens("frozen"):
            chance.choice(processes).freeze(chance.random() * _FREEZES_SECONDS)
        if processes and world.happens("left"):
            leaving = chance.choice(processes)
            if not leaving.frozen:
                await leaving.stop()
        if len(processes) <= _PROCESSES_MAX and world.happens("joined"):
            self.start()
        if world.happens("rebalanced"):
            self._group.deal()
        self._parts_fail()
        self._records_come()

    def _parts_fail(self) -> None:
        world, chance = self._world, self._world.chance
        if not world.database.away and world.happens("store_away"):
            world.database.away = True
            world.loop.call_later(chance.random() * _AWAY_SECONDS, self._store_back)
        if not world.kafka_away and world.happens("kafka_away"):
            world.kafka_away = True
            world.loop.call_later(chance.random() * _AWAY_SECONDS, self._kafka_back)
        if world.database.past and world.happens("dump_restored"):
            world.database.restore(chance.choice(world.database.past[-20:]))
        if world.happens("policy_changed"):
            self._change_policy()
        if world.happens("month_passes"):
            world.jump(timedelta(days=chance.choice((29, 30, 31, 32))))
        elif world.happens("time_jumps"):
            world.jump(chance.choice(_JUMPS))

    def _store_back(self) -> None:
        self._world.database.away = False

    def _kafka_back(self) -> None:
        self._world.kafka_away = False

    def _records_come(self) -> None:
        world = self._world
        if world.happens("poison"):
            self.foreign.poison()
        if world.happens("foreign"):
            self.foreign.mistake()
        if world.happens("no_such_policy"):
            self.foreign.names_no_policy()
        if world.happens("hole_at_end"):
            self.foreign.aborts_a_transaction()
        if world.happens("strange_outcome"):
            self.foreign.writes_on_the_judged_stream()
        if world.happens("strange_text"):
            world.texts.strange(world.chance, world.plan.partitions)
        if world.happens("strange_policy"):
            world.write_policy(*world.chance.choice(STRANGE_POLICIES))
        if world.left < self._newer_after and "newer_event" not in world.fired and world.happens("newer_event"):
            self.foreign.newer()

    def _change_policy(self) -> None:
        world, chance = self._world, self._world.chance
        tenant = chance.choice(("acme", "birch"))
        kind = chance.random()
        if kind < 0.1:
            world.write_policy(tenant.encode(), b"not json")
            return
        latest, document = world.revisions[tenant], any_policy(chance, world.plan.zones, world.now().date())
        world.fired[f"policy of {document.preset.value}"] += 1
        world.fired["policy with holidays"] += bool(document.holidays)
        world.fired["policy without timers"] += document.timers_disabled
        if kind < 0.25:
            world.set_policy(tenant, latest + 1, document)  # void: it replaces a revision that is not in force
        else:
            world.revisions[tenant] = world.set_policy(tenant, latest, document)
