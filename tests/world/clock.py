"""The ports of a projector's deadline clock in the world. The clock itself is the product's.

Where they differ: as `database` and `topics` do. Ticks have event ids of the world's own chance, so that a seed stays
one story. A read passes a numbered point only when it found something: the clock asks three times a second.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from services.projector.clock.clock import DeadlineClock
from services.projector.domain.entry import moment_of
from services.projector.ports import DueOwner, RunningOwner, Tick, TickExpiredError
from tests.support.proof.checkers.history import Op
from tests.world.ports import Time

if TYPE_CHECKING:
    from tests.world.process import Process

_LATE_SECONDS: Final = 5.0
# The clock of a machine that is ahead, or behind by more than a tick lives.
_AHEAD: Final = timedelta(seconds=3)
_BEHIND: Final = timedelta(seconds=-31)


def clock_of(process: "Process") -> DeadlineClock:
    """Return the deadline clock of a process, on ports that lead into the world."""
    world = process.world
    skew = _AHEAD if world.happens("tick_early") else _BEHIND if world.happens("tick_expired") else timedelta()
    keeper = process.projector.keeper
    return DeadlineClock(
        deadlines=Deadlines(process),
        ticks=Ticks(process),
        book=process.book,
        live=lambda: [kpart for kpart in sorted(keeper.ours) if keeper.live(kpart) is not None],
        clock=Time(process),
        now=lambda: world.now() + (timedelta() if world.healing else skew),
    )


class Deadlines:
    """`ports.Deadlines`: what `find_due`, `find_running_owners`, `find_looked` and `save_looked` do."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._database = process.world.database

    async def due(
        self, after: Mapping[int, DueOwner | None], now: datetime, limit: int
    ) -> Mapping[int, Sequence[DueOwner]]:
        self._database.reach()
        found: dict[int, Sequence[DueOwner]] = {}
        rows = self._database.tables.due(now)
        for kpart, at in after.items():
            page = [row for row in rows if row.kpart == kpart and (at is None or row > at)][:limit]
            if page:
                found[kpart] = page
        if found:
            await self._process.point("deadlines found")
        return found

    async def running(
        self, kpart: int, tenants: Sequence[str], after: RunningOwner | None, limit: int
    ) -> Sequence[RunningOwner]:
        await self._process.point("before running owners")
        self._database.reach()
        rows = self._database.tables.running(kpart, tenants)
        return [row for row in rows if after is None or row > after][:limit]

    async def looked(self, kparts: Sequence[int]) -> Mapping[int, int]:
        self._database.reach()
        return {kpart: self._database.tables.looked.get(kpart, -1) for kpart in kparts}

    async def save_looked(self, kpart: int, revision: int) -> None:
        await self._process.point("before the mark")
        self._database.save_looked(kpart, revision)
        self._process.world.fired["policy looked at"] += 1
        await self._process.point("after the mark")


class Ticks:
    """`ports.Ticks`: the events, as the clock writes to them. A tick may be lost, late, doubled, or of unknown fate."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._world = process.world

    async def send(self, kpart: int, ticks: Sequence[Tick]) -> None:
        world = self._world
        await self._process.point("before ticks")
        if world.kafka_away or not world.ticking or world.happens("tick_lost"):
            raise ConnectionError("nothing was appended")
        if world.happens("tick_late"):
            world.on_their_way += 1
            world.loop.call_later(world.chance.random() * _LATE_SECONDS, self._land, kpart, ticks)
            raise ConnectionError("no ack came; they will land later")
        acked = self._append(kpart, ticks)
        if world.happens("tick_doubled"):
            self._append(kpart, ticks)
        if world.happens("tick_unknown"):
            raise ConnectionError("all were appended, and no ack came")
        await self._process.point("after ticks")
        if acked > min(tick.expires_at for tick in ticks):
            raise TickExpiredError("acked late")

    def _land(self, kpart: int, ticks: Sequence[Tick]) -> None:
        self._world.on_their_way -= 1
        self._append(kpart, ticks)

    def _append(self, kpart: int, ticks: Sequence[Tick]) -> datetime:
        """Append ticks, and write them into the history: C3 wants every logged id invoked. Return the last log time."""
        world = self._world
        for tick in ticks:
            event_id = str(UUID(int=world.chance.getrandbits(128)))
            headers = [(name, event_id.encode() if name == "ce_id" else value) for name, value in tick.headers]
            world.history.append(Op(world.loop.now, "clock", "deadline", event_id, None, "invoke"))
            record = world.events.append(kpart, tick.key, headers, tick.value)
            place = f"{kpart}:{record.offset}"
            world.history.append(Op(world.loop.now, "clock", "deadline", event_id, None, "info", None, 202, place))
            world.fired["tick"] += 1
        return moment_of(world.events.records[kpart][-1].timestamp)
