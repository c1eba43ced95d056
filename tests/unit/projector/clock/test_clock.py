"""The clock's rounds: a tick for each due owner of our LIVE partitions, bounded, and held up by nobody."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
import structlog

from services.projector.clock import clock as rounds
from services.projector.clock.clock import PAGE
from services.projector.ports import DueOwner, TickExpiredError
from tests.support.fakes.clock_house import ClockHouse, DeadlinesInHand, TicksInHand, due, ticking
from tests.support.fakes.in_hand import ClockInHand, turns
from tests.support.story.given import moment


def house(*rows: object, **how: object) -> ClockHouse:
    found = ClockHouse(**how)  # type: ignore[arg-type] # the fields of a house
    found.deadlines.rows += rows  # type: ignore[arg-type] # rows
    found.deadlines.marks = dict.fromkeys(range(12), found.book.position)
    return found


async def test_a_due_owner_is_ticked_within_a_second_and_once() -> None:
    async with ticking(house(due("dana"))) as at:
        await at.passes(0.9)
        assert at.ticks.owners() == ["dana"]


async def test_an_owner_is_not_ticked_before_the_deadline() -> None:
    async with ticking(house(due("dana", at="09:00:03"))) as at:
        await at.passes(2.7)
        assert at.ticks.owners() == []
        await at.passes(0.9)
        assert at.ticks.owners() == ["dana"]


async def test_a_deadline_within_the_last_milliseconds_waits_for_the_next_round() -> None:
    """Log times are whole milliseconds and clocks differ a little: a tick would reach the log before the deadline."""
    async with ticking(house(due("dana", at="09:00:00.280"))) as at:
        await at.passes(0.3)
        assert at.ticks.owners() == []
        await at.passes(0.3)
        assert at.ticks.owners() == ["dana"]


async def test_a_lost_tick_is_sent_again_after_a_pause() -> None:
    """It was acked and expired, or the log has it before the deadline. The row stands, and is due."""
    async with ticking(house(due("dana"))) as at:
        await at.passes(12)
        assert at.ticks.owners() == ["dana"] * 3
        at.deadlines.rows.clear()
        await at.passes(30)
        assert at.ticks.owners() == ["dana"] * 3


async def test_two_clocks_double_a_tick_and_nothing_else() -> None:
    """The group moved a partition, and its last projector does not know yet."""
    async with ticking(house(due("dana")), clocks=2) as at:
        await at.passes(0.9)
        assert at.ticks.owners() == ["dana", "dana"]


async def test_only_live_partitions_are_ticked() -> None:
    async with ticking(house(due("dana", kpart=3), due("noam", kpart=4))) as at:
        await at.passes(0.9)
        assert at.ticks.owners() == ["dana"]
        at.live[:] = [4]
        await at.passes(3)
        assert at.ticks.owners() == ["dana", "noam", "noam"]
        at.live.clear()
        await at.passes(30)
        assert len(at.ticks.owners()) == 3


async def test_a_thousand_due_owners_come_page_by_page_and_each_once() -> None:
    rows = [due(f"o{n:04}") for n in range(1000)]
    async with ticking(house(*rows)) as at:
        await at.passes(0.3)
        assert at.ticks.sends == [PAGE]
        await at.passes(1.2)
        assert at.ticks.owners() == [row.owner for row in rows]


async def test_rows_that_never_move_keep_none_behind_them_from_its_turn() -> None:
    stuck = [due(f"o{n:04}", at="08:59") for n in range(PAGE)]
    async with ticking(house(*stuck, due("dana", at="08:59:30"))) as at:
        await at.passes(0.9)
        assert "dana" in at.ticks.owners()


async def test_a_slow_partition_holds_up_no_other() -> None:
    at = house(due("dana", kpart=3), due("noam", kpart=4), live=[3, 4], ticks=TicksInHand(stuck={3}))
    async with ticking(at):
        await at.passes(0.9)
        assert at.ticks.owners() == ["noam"]
        await at.passes(6)
        assert at.ticks.owners() == ["noam"] * 3
        assert len(at.ticks.sends) == 4  # the slow one is not asked for more meanwhile


async def test_postgres_away_is_one_warning_and_a_later_tick() -> None:
    at = house(due("dana"), deadlines=DeadlinesInHand(broken=ConnectionError("away")))
    with structlog.testing.capture_logs() as logs:
        async with ticking(at):
            await at.passes(21)
            assert at.deadlines.asked < 30
            at.deadlines.broken = None
            await at.passes(3)
            assert at.ticks.owners() == ["dana", "dana"]
    said = {entry["event"]: entry["log_level"] for entry in logs}
    assert said == {"owners_not_looked_at": "warning", "deadlines_not_read": "warning"}
    assert len(logs) == 2


async def test_kafka_away_is_one_warning_and_a_later_tick() -> None:
    at = house(due("dana", at="08:59:59"), ticks=TicksInHand(broken=TimeoutError()))
    with structlog.testing.capture_logs() as logs:
        async with ticking(at):
            await at.passes(12)
            at.ticks.broken = None
            await at.passes(1.5)
            assert set(at.ticks.owners()) == {"dana"}
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("ticks_not_sent", "warning")]


async def test_ticks_that_expire_on_their_way_are_sent_more_and_more_seldom() -> None:
    """Our clock is 30 s behind the broker's. Each of them lies on the log for ever."""
    at = house(due("dana"), ticks=TicksInHand(broken=TickExpiredError()))
    async with ticking(at):
        await at.passes(21)
        assert len(at.ticks.sends) == 3


async def test_a_deadline_over_30_s_late_is_an_alarm_once_a_minute() -> None:
    with structlog.testing.capture_logs() as logs:
        async with ticking(house(due("dana", at="08:59:50"))) as at:
            await at.passes(29.4)
            assert logs == []
            await at.passes(90)
    said = [(entry["event"], entry["log_level"], entry["partition"]) for entry in logs]
    assert said == [("deadlines_late", "error", 3)] * 2
    assert [entry["late_seconds"] >= 30 for entry in logs] == [True, True]


async def test_deadlines_that_cannot_be_read_for_30_s_are_an_alarm_and_counted_as_late() -> None:
    """The statement took over its limit each time, while commits went on. Nothing was ticked, and all seemed well."""
    at = house()
    with structlog.testing.capture_logs() as logs:
        clock = at.make()
        running = asyncio.ensure_future(clock.run())
        await at.passes(1.5)
        assert clock.oldest_due_at is None
        at.deadlines.broken = TimeoutError()
        await at.passes(30)
        assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == []
        await at.passes(90)
        assert clock.oldest_due_at == moment("09:00:01.800")
        at.deadlines.broken = None
        await at.passes(3)
        assert clock.oldest_due_at is None
        running.cancel()
        await asyncio.wait([running])
    late = [entry for entry in logs if entry["event"] == "deadlines_late"]
    assert [(entry["log_level"], entry["unread_seconds"] > 30) for entry in late] == [("error", True)] * 2


@dataclass
class SlowToFail(DeadlinesInHand):
    """Deadlines that are waited for, and then cannot be read."""

    clock: ClockInHand = field(default_factory=ClockInHand)

    async def due(self, *_: object) -> Mapping[int, Sequence[DueOwner]]:
        await self.clock.sleep(6)
        raise TimeoutError


async def test_nothing_is_read_since_the_first_look_that_failed_began() -> None:
    """A busy pool gives no connection for seconds, and what falls due in them is late too."""
    deadlines = SlowToFail()
    at = house(deadlines=deadlines, clock=deadlines.clock)
    clock = at.make()
    running = asyncio.ensure_future(clock.run())
    await at.passes(15)
    assert clock.oldest_due_at == moment("09:00:00.300")
    running.cancel()
    await asyncio.wait([running])


async def test_what_fell_due_before_a_take_up_is_no_alarm_yet() -> None:
    """A projector that starts after a night finds the night's deadlines."""
    with structlog.testing.capture_logs() as logs:
        async with ticking(house(due("dana", at="01:00"))) as at:
            await at.passes(3)
            at.deadlines.rows.clear()
            await at.passes(90)
    assert logs == []


async def test_the_oldest_deadline_is_known_until_its_row_moves_or_its_partition_does() -> None:
    """For the metric: also while its tick is on its way, which takes its partition out of the rounds."""
    at = house(due("dana", at="08:59"), due("noam", at="08:59:30", kpart=4), live=[3, 4], ticks=TicksInHand(stuck={3}))
    clock = at.make()
    running = asyncio.ensure_future(clock.run())
    await turns()
    assert clock.oldest_due_at is None
    await at.passes(1.5)
    assert clock.oldest_due_at == moment("08:59")
    at.live[:] = [4]
    await at.passes(0.3)
    assert clock.oldest_due_at == moment("08:59:30")
    at.deadlines.rows.clear()
    await at.passes(0.3)
    assert clock.oldest_due_at is None
    running.cancel()
    await asyncio.wait([running])


async def test_an_error_of_the_clock_itself_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unseen, it would leave a projector at which nothing falls due and that seems well."""
    at = house(due("dana"))
    running = asyncio.ensure_future(at.make().run())
    await turns()
    monkeypatch.setattr(rounds, "PAGE", None)
    at.deadlines.rows.clear()
    monkeypatch.setattr(at.deadlines, "due", _nothing)
    await at.passes(0.9)
    with pytest.raises(TypeError):
        await asyncio.wait_for(running, 5)
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("clock")] == []


async def _nothing(*_: object) -> dict[int, None]:
    return {3: None}
