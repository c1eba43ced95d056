"""Recover, first half: is this the log that was folded?"""

from dataclasses import replace

import pytest

from services.projector.ports import Checkpoint
from tests.support.fakes.in_hand import record, records
from tests.support.fakes.recovery import DAY, KEPT, RecoveryHouse, a_house, where
from tests.support.story.given import moment

# A plain start.


async def test_an_empty_log_is_folded_from_zero() -> None:
    assert await RecoveryHouse().recovered() == Checkpoint(0)


async def test_an_unfolded_log_is_folded_from_its_beginning() -> None:
    house = await a_house()
    assert await house.recovered() == Checkpoint(0)


@pytest.mark.parametrize("committed", range(1, 7))
async def test_a_partition_is_read_on_where_it_stood(committed: int) -> None:
    """The last record passed may have been kept, known or void. Its id and time are checked in each case."""
    stream = [offset for offset in KEPT if offset < committed]
    house = await a_house(committed=committed, published=committed, stream=stream)
    at = await house.recovered()
    assert at == house.store.checkpoints[0]
    assert len(house.outcomes.streams[0]) == len(stream)
    assert house.store.saved == 0


# The log went back.


async def test_a_log_that_is_shorter_than_what_was_folded_is_an_alarm() -> None:
    house = await a_house(committed=6, published=6, stream=KEPT)
    del house.log.logs[0][5:]
    await house.refuses(r"next_offset 6 lies outside the log's \[0, 5\]")


async def test_a_log_made_anew_is_an_alarm() -> None:
    house = await a_house(committed=6, published=6, stream=KEPT)
    house.log.logs[0].clear()
    await house.refuses("lies outside")


async def test_a_log_made_anew_and_grown_past_us_is_an_alarm() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.logs[0] = records(*reversed(DAY))
    await house.refuses("is not the one that was folded")


async def test_another_record_under_the_same_id_at_another_time_is_an_alarm() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.logs[0][2] = replace(house.log.logs[0][2], timestamp=house.log.logs[0][2].timestamp + 1)
    await house.refuses("is not the one that was folded")


async def test_a_log_that_lost_its_head_past_us_is_an_alarm() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.begins[0] = 4
    await house.refuses(r"outside the log's \[4, 6\]")


async def test_a_log_that_begins_where_we_stand_is_an_alarm() -> None:
    """The record before our position is gone, so the two logs cannot be compared."""
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.begins[0] = 3
    await house.refuses("the record before next_offset 3 is missing")


async def test_a_log_that_begins_with_the_record_we_compare_is_fine() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.begins[0] = 2
    assert where(await house.recovered()) == (3, 3, 2)


async def test_an_unfolded_log_that_lost_its_head_is_an_alarm() -> None:
    house = await a_house()
    house.log.begins[0] = 1
    await house.refuses(r"next_offset 0 lies outside the log's \[1, 6\]")


async def test_the_last_record_may_have_been_unreadable() -> None:
    house = RecoveryHouse()
    house.log.logs[0] = [replace(record(DAY[0], 0), headers=[("ce_type", b"?")])]
    house.store.checkpoints[0] = Checkpoint(0, 1, None, moment("09:00"))
    assert where(await house.recovered()) == (1, 0, 0)
    house.log.logs[0] = [replace(house.log.logs[0][0], timestamp=0)]
    await house.refuses("is not the one that was folded")


async def test_a_record_unreadable_to_one_release_may_be_read_by_another() -> None:
    """It was passed without its id, so only its time can be compared."""
    house = RecoveryHouse()
    house.log.logs[0] = [record(DAY[0], 0)]
    house.store.checkpoints[0] = Checkpoint(0, 1, None, moment("09:00"))
    assert where(await house.recovered()) == (1, 0, 0)


async def test_a_record_passed_by_a_newer_release_matches_by_id_alone() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2])
    house.log.logs[0][2] = replace(house.log.logs[0][2], value=b"{}")
    assert where(await house.recovered()) == (3, 3, 2)


async def test_a_log_that_went_back_is_noticed_before_anything_is_projected() -> None:
    house = await a_house(committed=3, published=3, stream=[0, 2, 4, 5])
    house.store.checkpoints[0] = replace(house.store.checkpoints[0], outcomes_next=2)
    house.log.logs[0] = records(*reversed(DAY))
    await house.refuses("is not the one that was folded")
    assert house.store.checkpoints[0].next_offset == 3


async def test_a_judged_stream_shorter_than_we_read_is_an_alarm() -> None:
    house = await a_house(committed=6, published=6, stream=KEPT)
    house.outcomes.streams[0].pop()
    await house.refuses(r"outcomes_next 4 lies outside the judged stream's \[0, 3\]")


async def test_an_unread_judged_stream_that_lost_its_head_is_an_alarm() -> None:
    """The missing outcomes may be accepted ones, and would pass for void."""
    house = await a_house(stream=KEPT)
    house.outcomes.begins[0] = 1
    await house.refuses(r"outcomes_next 0 lies outside the judged stream's \[1, 4\]")
    assert house.store.bodies[0] == []
