"""The deadline clock at work on ports in hand.

Where it differs: rows stand still until a test moves them, and a tick is a call that is remembered. There is no log, no
fold and no second process.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.projector.clock.clock import DeadlineClock
from services.projector.ports import DueOwner, RunningOwner, Tick
from shared.events.codec import Press, read
from shared.events.models import DeadlineReached
from shared.events.policies.book import PolicyBook
from tests.support.fakes.in_hand import ClockInHand
from tests.support.story.given import JERUSALEM, book_of, moment

NINE: Final = moment("09:00")
_ROUND_SECONDS: Final = 0.3


def due(owner: str, at: str = "09:00", kpart: int = 3) -> DueOwner:
    """Return a row of `deadline`."""
    return DueOwner(due_at=moment(at), tenant="acme", owner=owner, kpart=kpart)


@dataclass
class DeadlinesInHand:
    """`ports.Deadlines`. Raises `broken` from every call while it is set."""

    rows: list[DueOwner] = field(default_factory=list)
    owners: dict[int, list[RunningOwner]] = field(default_factory=dict)
    marks: dict[int, int] = field(default_factory=dict)
    broken: Exception | None = None
    asked: int = 0

    async def due(
        self, after: Mapping[int, DueOwner | None], now: datetime, limit: int
    ) -> Mapping[int, Sequence[DueOwner]]:
        self._reach()
        found: dict[int, list[DueOwner]] = {}
        for row in sorted(self.rows):
            place = after.get(row.kpart)
            if row.kpart in after and row.due_at <= now and (place is None or row > place):
                found.setdefault(row.kpart, []).append(row)
        return {kpart: rows[:limit] for kpart, rows in found.items()}

    async def running(
        self, kpart: int, tenants: Sequence[str], after: RunningOwner | None, limit: int
    ) -> Sequence[RunningOwner]:
        self._reach()
        theirs = [one for one in sorted(self.owners.get(kpart, [])) if one.tenant in tenants]
        return [one for one in theirs if after is None or one > after][:limit]

    async def looked(self, kparts: Sequence[int]) -> Mapping[int, int]:
        self._reach()
        return {kpart: self.marks.get(kpart, -1) for kpart in kparts}

    async def save_looked(self, kpart: int, revision: int) -> None:
        self._reach()
        self.marks[kpart] = max(revision, self.marks.get(kpart, -1))

    def _reach(self) -> None:
        self.asked += 1
        if self.broken is not None:
            raise self.broken


@dataclass
class TicksInHand:
    """`ports.Ticks`. Sends to a `stuck` partition never end; while it is `broken`, every send raises."""

    presses: list[tuple[int, Press]] = field(default_factory=list)
    sends: list[int] = field(default_factory=list)
    stuck: set[int] = field(default_factory=set)
    broken: Exception | None = None

    async def send(self, kpart: int, ticks: Sequence[Tick]) -> None:
        self.sends.append(len(ticks))
        if kpart in self.stuck:
            await asyncio.Event().wait()
        if self.broken is not None:
            raise self.broken
        for tick in ticks:
            press = read(tick.headers, tick.value)
            assert isinstance(press, Press)
            self.presses.append((kpart, press))

    def owners(self) -> list[str]:
        """Return the owners for whom ticks were sent, in order."""
        return [press.event.owner for _, press in self.presses if isinstance(press.event, DeadlineReached)]


@dataclass
class ClockHouse:
    """A clock for the partitions in `live`, which begins at nine."""

    live: list[int] = field(default_factory=lambda: [3])
    book: PolicyBook = field(default_factory=lambda: book_of(JERUSALEM))
    deadlines: DeadlinesInHand = field(default_factory=DeadlinesInHand)
    ticks: TicksInHand = field(default_factory=TicksInHand)
    clock: ClockInHand = field(default_factory=ClockInHand)

    def make(self) -> DeadlineClock:
        """Return one more clock on the same ports."""
        return DeadlineClock(
            deadlines=self.deadlines,
            ticks=self.ticks,
            book=self.book,
            live=lambda: list(self.live),
            clock=self.clock,
            now=lambda: NINE + timedelta(seconds=self.clock.now),
        )

    async def passes(self, seconds: float) -> None:
        """Let time pass, round by round."""
        for _ in range(round(seconds / _ROUND_SECONDS)):
            await self.clock.passes(_ROUND_SECONDS)


@asynccontextmanager
async def ticking(house: ClockHouse, clocks: int = 1) -> AsyncIterator[ClockHouse]:
    """Run clocks on one house until the block ends."""
    running = [asyncio.ensure_future(house.make().run()) for _ in range(clocks)]
    try:
        yield house
    finally:
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
