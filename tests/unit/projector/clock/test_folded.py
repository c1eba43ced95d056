"""Clock and fold together: a tick at which nothing fell due moves its owner's row in the commit that folds it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from services.projector.domain import fold
from services.projector.domain.due.settle import Ahead
from services.projector.loop.partition.batch import Batch
from services.projector.ports import Advance, Tick
from services.projector.store.rows import rows_of
from tests.support.fakes.clock_house import NINE, ClockHouse, DeadlinesInHand, TicksInHand, due, ticking
from tests.support.fakes.house import HOME, House, MoodyStore, at_work
from tests.support.story.given import moment, started
from tests.support.story.presses import Record

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class DeadlineStore(MoodyStore):
    """An `OutcomeStore` with the table `deadline`, as `move_deadlines` writes it."""

    deadlines: DeadlinesInHand = field(default_factory=DeadlinesInHand)

    async def commit(self, advances: Sequence[Advance]) -> None:
        await super().commit(advances)
        for name, columns in rows_of(advances).writes():
            if name == "move_deadlines":
                for kpart, tenant, owner, due_at in zip(*columns, strict=True):
                    kept = [row for row in self.deadlines.rows if (row.tenant, row.owner) != (tenant, owner)]
                    moved = [due(owner, due_at.replace(tzinfo=None).isoformat(), kpart)] if due_at is not None else []
                    self.deadlines.rows = kept + moved


@dataclass
class TicksOnTheLog(TicksInHand):
    """Ticks that reach the log of a house at the moment at which they are sent."""

    house: House | None = None

    async def send(self, kpart: int, ticks: Sequence[Tick]) -> None:
        await super().send(kpart, ticks)
        assert self.house is not None
        log, now = self.house.log, NINE + timedelta(seconds=self.house.clock.now)
        for tick in ticks:
            offset, at_ms = len(log.logs[kpart]), (now - _UNIX_EPOCH) // timedelta(milliseconds=1)
            log.append(kpart, Record(offset, at_ms, list(tick.headers), tick.value))


def houses() -> tuple[House, ClockHouse]:
    """Return a projector and its clock, on one log, one store and one time."""
    store = DeadlineStore()
    house = House(store=store)
    clock = ClockHouse(
        live=[HOME], book=house.book, deadlines=store.deadlines, ticks=TicksOnTheLog(house=house), clock=house.clock
    )
    store.deadlines.marks = {HOME: house.book.position}
    return house, clock


async def test_a_tick_at_which_nothing_fell_due_takes_its_row_away() -> None:
    house, clock = houses()
    async with at_work(house), ticking(clock):
        await house.hears(started("desk", at="09:00"))
        clock.deadlines.rows.append(due("dana", kpart=HOME))
        await clock.passes(60)
        assert clock.ticks.owners() == ["dana"]
        assert clock.deadlines.rows == []
        assert house.said() == [(0, "accepted", None)]
        assert house.projector.keeper.ours[HOME].at.next_offset == 2


async def test_without_that_move_the_clock_ticks_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(Batch, "looks", lambda _: [])
    house, clock = houses()
    async with at_work(house), ticking(clock):
        clock.deadlines.rows.append(due("dana", kpart=HOME))
        await clock.passes(60)
        assert len(clock.ticks.owners()) == 4
        assert clock.deadlines.rows == [due("dana", kpart=HOME)]


async def test_a_tick_at_which_nothing_fell_due_may_move_its_row_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new policy has put the limit further away. No outcome says so."""
    monkeypatch.setattr(fold, "look_ahead", lambda sheet, *_: Ahead(sheet, moment("10:00")))
    house, clock = houses()
    async with at_work(house), ticking(clock):
        clock.deadlines.rows.append(due("dana", kpart=HOME))
        await clock.passes(60)
        assert clock.ticks.owners() == ["dana"]
        assert clock.deadlines.rows == [due("dana", at="10:00", kpart=HOME)]


async def test_of_two_clocks_on_one_partition_the_outcome_is_the_same() -> None:
    house, clock = houses()
    async with at_work(house), ticking(clock, clocks=2):
        await house.hears(started("desk", at="09:00"))
        clock.deadlines.rows.append(due("dana", kpart=HOME))
        await clock.passes(60)
        assert clock.ticks.owners() == ["dana", "dana"]
        assert (clock.deadlines.rows, house.said()) == ([], [(0, "accepted", None)])


async def test_a_clock_that_is_restarted_forgets_only_what_it_sent() -> None:
    house, clock = houses()
    async with at_work(house):
        house.log.hold(HOME)
        clock.deadlines.rows.append(due("dana", kpart=HOME))
        for _ in range(2):
            async with ticking(clock):
                await clock.passes(0.6)
        assert (clock.ticks.owners(), len(clock.deadlines.rows)) == (["dana", "dana"], 1)
        house.log.read_from(HOME, 0)
        await house.hears(started("desk", at="09:01"))
        assert (clock.deadlines.rows, house.said()) == ([], [(2, "accepted", None)])


async def test_a_tick_that_expired_on_its_way_leaves_its_row_for_the_next() -> None:
    """R22: it reached the log over 30 s late. It looked at nothing, so it moves nothing."""
    house, clock = houses()
    async with at_work(house), ticking(clock):
        house.log.hold(HOME)
        clock.deadlines.rows.append(due("dana", kpart=HOME))
        await clock.passes(0.6)
        late = house.log.logs[HOME][0]
        house.log.logs[HOME][0] = Record(0, late.timestamp + 31_000, late.headers, late.value)
        house.log.read_from(HOME, 0)
        await asyncio.sleep(0)
        await clock.passes(0.3)
        assert clock.deadlines.rows == [due("dana", kpart=HOME)]
        await clock.passes(3)
        assert (len(clock.ticks.owners()), clock.deadlines.rows) == (2, [])
