"""The projector's loop in trouble: which partitions step aside, how long they wait, and how they come back."""

import structlog

from services.projector.loop.partition.outbox import BACKLOG_MAX
from services.projector.loop.partition.partition import Status
from services.projector.ports import Checkpoint, ClockOffError, FencedError, ToPublish
from tests.support.fakes.house import A_DAY, ACCEPTED, HOME, NEXT_DOOR, House, MoodyStore, alarms, at_work
from tests.support.fakes.in_hand import OutcomesInHand, StuckStream, records, turns
from tests.support.story.given import started, stopped


async def test_a_commit_of_unknown_fate_is_looked_up() -> None:
    """No press is judged twice."""
    for moody in (
        MoodyStore(commit_raises=[ConnectionError("before it was sent")]),
        MoodyStore(commit_then_raises=[ConnectionError("after it was done")]),
    ):
        async with at_work(House(store=moody)) as house:
            await house.hears(*A_DAY)
            await house.clock.passes(5)
            assert house.said() == ACCEPTED
            assert house.outcomes.streams[HOME] == house.store.bodies[HOME]
            assert house.state() == (Status.LIVE, "recovered")


async def test_a_partition_that_is_fenced_looks_again_after_a_second() -> None:
    async with at_work(House(store=MoodyStore(commit_raises=[FencedError()]))) as house:
        await house.hears(*A_DAY)
        assert house.state() == (Status.LOADING, "fenced")
        assert HOME not in house.log.positions
        assert house.waited() == [1.0]
        assert house.said() == []
        await house.clock.passes(1.0)
        assert house.state() == (Status.LIVE, "recovered")
        assert house.said() == ACCEPTED


async def test_a_partition_in_trouble_does_not_hold_up_its_neighbours() -> None:
    house = House()
    house.log.begins[HOME] = 5
    async with at_work(house, HOME, NEXT_DOOR):
        assert house.state(HOME) == (Status.HELD, "log_went_back")
        await house.hears(started("desk", at="09:00", owner="noam"), kpart=NEXT_DOOR)
        assert house.said(NEXT_DOOR) == [(0, "accepted", None)]


async def test_a_log_that_went_back_alarms_until_it_is_restored() -> None:
    house = House()
    house.store.checkpoints[HOME] = Checkpoint(HOME, 1)
    with structlog.testing.capture_logs() as logs:
        async with at_work(house):
            await house.clock.passes(9.9)
            assert house.waited() == [10.0]
            await house.clock.passes(0.2)
            assert house.waited() == [10.0, 10.0]
            assert house.state() == (Status.HELD, "log_went_back")
            assert house.outcomes.streams[HOME] == []
            # An operator restored the log.
            house.log.logs[HOME] = records(started("desk", at="09:00"))
            told = started("desk", at="09:00").logged(0)
            house.store.checkpoints[HOME] = Checkpoint(HOME, 1, told.envelope.event_id, told.log_time)
            await house.clock.passes(10)
            assert house.state() == (Status.LIVE, "recovered")
    assert [alarm["event"] for alarm in alarms(logs)] == ["log_went_back", "log_went_back"]


async def test_a_clock_that_kafka_refuses_is_named_by_the_alarm_and_by_readiness_until_it_is_right() -> None:
    house = House(outcomes=OutcomesInHand(broken=ClockOffError("the clock")))
    with structlog.testing.capture_logs() as logs:
        async with at_work(house):
            await house.hears(*A_DAY)
            await house.clock.passes(0.2)
            assert house.state() == (Status.HELD, "clock_disagrees")
            assert house.outcomes.streams[HOME] == []
            house.outcomes.broken = None
            await house.clock.passes(10)
            assert house.state() == (Status.LIVE, "recovered")
            assert house.said() == ACCEPTED
            assert house.outcomes.streams[HOME] == house.store.bodies[HOME]
    (alarm,) = alarms(logs)
    assert (alarm["event"], alarm["error"]) == ("clock_disagrees", "the clock")


async def test_pauses_grow_to_five_seconds_while_the_store_is_away() -> None:
    away: list[Exception] = [ConnectionError() for _ in range(9)]
    async with at_work(House(store=MoodyStore(checkpoint_raises=away))) as house:
        for _ in range(9):
            assert house.state()[0] is Status.LOADING
            await house.clock.passes(5)
        assert house.waited() == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
        assert house.state() == (Status.LIVE, "recovered")


async def test_pauses_grow_with_repeated_trouble_until_a_success() -> None:
    house = House(store=MoodyStore(commit_raises=[ConnectionError() for _ in range(4)]))
    async with at_work(house):
        await house.hears(*A_DAY)
        for _ in range(4):
            assert house.said() == []
            await house.clock.passes(0.8)
        assert house.waited() == [0.1, 0.2, 0.4, 0.8]
        assert house.said() == ACCEPTED
        # The trouble is over, so the next one counts as the first again.
        house.store.commit_raises.append(ConnectionError())
        await house.hears(stopped("desk", at="09:30"))
        assert house.waited() == [0.1, 0.2, 0.4, 0.8, 0.1]
        await house.clock.passes(0.1)
        assert len(house.said()) == 4


async def test_a_partition_whose_commits_go_on_failing_becomes_an_alarm() -> None:
    """Each time it is taken up well, so no recovery failed: a full disk was a warning every five seconds, for ever."""
    house = House(store=MoodyStore(commit_raises=[OSError("no space left") for _ in range(7)]))
    with structlog.testing.capture_logs() as logs:
        async with at_work(house):
            await house.hears(*A_DAY)
            for _ in range(7):
                await house.clock.passes(5.0)
            assert house.said() == ACCEPTED
            house.store.commit_raises.append(OSError("no space left"))
            await house.hears(stopped("desk", at="09:30"))
    said = [(entry["log_level"], entry["reason"]) for entry in logs if entry["event"] == "partition_in_trouble"]
    assert said == [
        *[("warning", "commit_failed")] * 5,
        *[("error", "commit_failed")] * 2,
        ("warning", "commit_failed"),
    ]


async def test_a_backlog_over_its_limit_is_read_again_from_the_store() -> None:
    """Memory is not a queue."""
    stream = StuckStream()
    async with at_work(House(outcomes=stream)) as house:
        waiting = house.projector.keeper.ours[HOME].outbox
        waiting.add([ToPublish(0, None, b"one of very many")] * (BACKLOG_MAX - 1))
        await house.hears(*A_DAY[:1])
        assert house.state() == (Status.LIVE, "recovered")
        await house.hears(*A_DAY[1:])
        assert house.state() == (Status.LOADING, "backlog_full")
        assert HOME not in house.log.positions
        stream.lets_go()
        await turns()
        assert house.state() == (Status.LIVE, "recovered")
        assert house.said() == ACCEPTED
        assert stream.streams[HOME] == house.store.bodies[HOME]


async def test_a_publish_of_unknown_fate_is_repeated_from_the_store() -> None:
    house = House(outcomes=OutcomesInHand(broken=ConnectionError("no ack")))
    async with at_work(house):
        await house.hears(*A_DAY)
        assert house.said() == ACCEPTED
        assert house.state() == (Status.LOADING, "publish_failed")
        assert HOME not in house.log.positions
        house.outcomes.broken = None
        await house.clock.passes(5)
        await house.clock.passes(5)
        assert house.state() == (Status.LIVE, "recovered")
        assert house.outcomes.streams[HOME] == house.store.bodies[HOME]
        await house.hears(stopped("desk", at="09:30"))
        assert house.outcomes.streams[HOME] == house.store.bodies[HOME]


async def test_a_judged_stream_made_anew_under_a_live_partition_holds_it() -> None:
    """Its first batch lands on the wrong stream. The partition stays held, also when that stream is as long by then."""
    with structlog.testing.capture_logs() as logs:
        async with at_work(House()) as house:
            await house.hears(*A_DAY[:1])
            await house.clock.passes(1.0)  # progress is saved
            house.outcomes.streams[HOME].clear()
            await house.hears(*A_DAY[1:2])
            await house.clock.passes(0.1)
            for _ in range(3):
                assert house.state() == (Status.HELD, "log_went_back")
                assert len(house.outcomes.streams[HOME]) == 1
                await house.clock.passes(10.0)
            # The right stream is put back.
            house.outcomes.streams[HOME] = house.store.bodies[HOME][:1]
            await house.clock.passes(10.0)
            assert house.state() == (Status.LIVE, "recovered")
            assert house.outcomes.streams[HOME] == house.store.bodies[HOME]
    assert {alarm["event"] for alarm in alarms(logs)} == {"log_went_back"}


async def test_a_position_that_the_log_does_not_hold_is_looked_at_anew() -> None:
    async with at_work(House()) as house:
        await house.hears(*A_DAY[:1])
        house.projector.keeper.displaced([HOME, NEXT_DOOR], "position_out_of_range")
        assert house.state() == (Status.LOADING, "position_out_of_range")
        await turns()
        await house.hears(*A_DAY[1:])
        assert house.said() == ACCEPTED


async def test_an_idle_partition_hears_within_a_minute_that_it_is_fenced() -> None:
    """No commit comes that the compare-and-set could refuse, so the store is asked now and then."""
    async with at_work(House()) as house:
        await house.hears(*A_DAY)
        house.store.checkpoints.clear()  # an older dump was restored
        house.store.bodies.clear()
        house.clock.now += 60.0
        await house.projector._upkeep.save_progress()
        assert house.state() == (Status.LOADING, "fenced")
        assert HOME not in house.log.positions
        await house.clock.passes(1.0)
        assert house.state() == (Status.LIVE, "recovered")
        assert house.said() == ACCEPTED
        assert house.outcomes.streams[HOME] == house.store.bodies[HOME]
