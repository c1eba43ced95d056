"""How the loop ends, and how it drops a partition that another projector owns."""

import asyncio

from services.projector.loop.partition.partition import Status
from services.projector.ports import Checkpoint
from tests.support.fakes.house import A_DAY, ACCEPTED, HOME, NEXT_DOOR, House, at_work
from tests.support.fakes.in_hand import StuckStream, turns
from tests.support.story.given import stopped


async def test_a_clean_end_waits_for_acks_and_saves_its_progress() -> None:
    stream = StuckStream()
    house = House(outcomes=stream)
    async with at_work(house):
        await house.hears(*A_DAY)
        assert house.store.checkpoints[HOME].published == 0
        stopping = house.ends()
        await house.clock.passes(1.9)
        assert not stopping.done()
        stream.lets_go()
        await house.clock.passes(0.02)
        await stopping
    at = house.store.checkpoints[HOME]
    assert (at.next_offset, at.published, at.outcomes_next) == (3, 3, 3)


async def test_a_clean_end_waits_for_acks_two_seconds_at_most() -> None:
    house = House(outcomes=StuckStream())
    async with at_work(house):
        await house.hears(*A_DAY)
        stopping = house.ends()
        for _ in range(101):
            await house.clock.passes(0.02)
        assert stopping.done()
    assert house.store.checkpoints[HOME].published == 0


async def test_an_end_with_nothing_on_its_way_waits_for_nothing() -> None:
    async with at_work(House()) as house:
        await house.hears(*A_DAY)
        stopping = house.ends()
        await turns()
        assert stopping.done()
        assert house.waited() == []
        assert house.store.checkpoints[HOME].published == 3


async def test_a_revoked_partition_is_published_no_further() -> None:
    """Its new owner publishes what is committed."""
    stream = StuckStream()
    async with at_work(House(outcomes=stream)) as house:
        await house.hears(*A_DAY)
        await house.projector.keeper.revoked([HOME])
        stream.lets_go()
        await turns()
        assert house.said() == ACCEPTED
        assert stream.streams[HOME] == []


async def test_a_partition_given_twice_is_worked_on_once() -> None:
    """The publish under way is given up, and the recovery that follows publishes the outcomes once."""
    stream = StuckStream()
    async with at_work(House(outcomes=stream)) as house:
        await house.hears(*A_DAY[:2])
        before = house.projector.keeper.ours[HOME]
        house.projector.keeper.assigned([HOME])
        await turns()
        stream.lets_go()
        await house.hears(*A_DAY[2:])
        assert house.projector.keeper.ours[HOME] is not before
        assert house.said() == ACCEPTED
        assert stream.streams[HOME] == house.store.bodies[HOME]


async def test_a_partition_that_is_held_writes_no_progress() -> None:
    async with at_work(House()) as house:
        await house.hears(*A_DAY)
        house.projector.keeper.ours[HOME].becomes(Status.HELD, "log_went_back")
        house.store.checkpoints[HOME] = Checkpoint(HOME, 3)
        house.clock.now += 120
        await house.projector._upkeep.save_progress()
        assert house.store.checkpoints[HOME].published == 0
        house.projector.keeper.ours[HOME].becomes(Status.LIVE, "recovered")
        await house.hears(stopped("desk", at="09:30"))


async def test_a_partition_that_the_group_gives_after_the_end_is_not_taken_up() -> None:
    """A rebalance waits for the batch in hand, and so for the end. Its partitions had a task that nobody ended."""
    house = House()
    async with at_work(house):
        await house.hears(*A_DAY)
        await house.ends()
        before = asyncio.all_tasks()
        house.projector.keeper.assigned([HOME])
        assert (house.projector.keeper.ours, asyncio.all_tasks()) == ({}, before)


async def test_a_partition_that_is_let_go_is_read_no_further() -> None:
    """It may have been taken up while its revocation waited for the batch in hand: then its records went on coming."""
    async with at_work(House(), HOME, NEXT_DOOR) as house:
        async with house.projector.keeper.folding:
            revoking = asyncio.ensure_future(house.projector.keeper.revoked([HOME]))
            await turns()
            house.log.hold(HOME)  # as the log does with all that it reads when the group takes partitions
            house.projector.keeper.displaced([HOME], "a test")
            await turns()
            assert house.state() == (Status.LIVE, "recovered")
        await revoking
        assert house.log.positions.keys() == {NEXT_DOOR}
