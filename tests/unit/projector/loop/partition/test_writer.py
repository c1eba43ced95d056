"""Batches through the store: one read, one commit, and the partitions in trouble when one fails."""

from dataclasses import replace

import pytest

from services.projector.loop.partition.batch import entries_of
from services.projector.loop.partition.partition import Status
from services.projector.ports import (
    Checkpoint,
)
from shared.events.outcome import Outcome
from tests.support.fakes.writer_desk import BOOK, HOME, NEXT_DOOR, FussyStore, WriterDesk, noams
from tests.support.story.given import moment, started, stopped
from tests.support.story.presses import Record

# An ordinary day.


async def test_one_poll_of_several_partitions_is_one_read_and_one_commit() -> None:
    desk = WriterDesk()
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:00")])
    assert desk.store.commits == [[1, 1]]
    assert (desk.said(HOME), desk.said(NEXT_DOOR)) == ([(0, "accepted", None)], [(0, "accepted", None)])


async def test_a_checkpoint_names_the_last_record_whatever_became_of_it() -> None:
    desk = WriterDesk()
    known = started("desk", at="09:05", key="k")
    await desk.take(home=[started("desk", at="09:00", key="k"), known])
    at = desk.store.checkpoints[HOME]
    assert at == Checkpoint(HOME, 2, known.logged(1).envelope.event_id, moment("09:05"), 1, 0, 0)
    await desk.take(home=entries_of([Record(2, 1_772_442_400_000, [], b"?")], BOOK, -1)[0])
    at = desk.store.checkpoints[HOME]
    assert (at.next_offset, at.last_event_id) == (3, None)


async def test_a_batch_of_nothing_new_moves_the_checkpoint_and_writes_no_outcome() -> None:
    desk = WriterDesk()
    await desk.take(home=[started("desk", at="09:00", key="k")])
    await desk.take(home=[started("desk", at="09:05", key="k"), started("desk", at="09:06")])
    assert desk.store.commits[-1] == [0]
    assert desk.store.checkpoints[HOME].next_offset == 3


# What should be news.


async def test_a_batch_of_news_is_committed_without_a_read() -> None:
    desk = WriterDesk()
    await desk.take(home=[started("desk", at="09:00")])
    reads = desk.store.reads
    await desk.take(home=[stopped("desk", at="09:05"), started("phone", at="09:06")])
    assert (desk.store.reads, desk.store.commits) == (reads, [[1], [2]])


async def test_a_start_soon_after_local_midnight_is_news() -> None:
    """In Jerusalem it is the next day already, and in UTC it is not: the days that a press may ask about are cached."""
    desk = WriterDesk()
    await desk.take(home=[started("desk", at="22:10")])
    await desk.take(home=[stopped("desk", at="22:20")])
    reads = desk.store.reads
    await desk.take(home=[started("phone", at="22:30")])
    assert desk.store.reads == reads


async def test_a_repeat_that_was_taken_for_news_is_read_and_folded_again() -> None:
    """Its owner is cached, and its verdict is not. Presses of its own commit are folded again too, and counted once."""
    desk = WriterDesk()
    await desk.take(home=[started("desk", at="09:00", key="k")])
    await desk.take(home=[started("phone", at="09:05", key="k")], next_door=[noams(started, "09:05")])
    assert (desk.store.commits, desk.trouble) == ([[1], [1, 1], [0, 1]], [])
    assert (desk.said(HOME), desk.said(NEXT_DOOR)) == ([(0, "accepted", None)], [(0, "accepted", None)])


async def test_a_drawn_id_that_a_stopped_timer_has_is_read_and_found_taken() -> None:
    desk = WriterDesk()
    await desk.take(home=[started("desk", at="09:00"), stopped("desk", at="09:01")])
    assert not desk.partitions[HOME].cache.owner_of  # what has stopped is not remembered
    await desk.take(home=[started("desk", at="09:05")])
    assert (desk.store.commits, len(desk.said())) == ([[2], [1], [0]], 2)


async def test_what_is_known_of_a_partition_that_is_taken_up_again_meanwhile_is_left_to_recovery() -> None:
    desk = WriterDesk()
    await desk.take(home=[started("desk", at="09:00", key="k")])
    desk.store.on_known = lambda: desk.partitions[HOME].disturb("rebalanced")
    await desk.take(home=[started("phone", at="09:05", key="k")])
    assert (desk.store.commits, desk.trouble) == ([[1], [1]], [])


# The same event id on two partitions.


async def test_a_verdict_of_one_partition_is_not_known_on_another() -> None:
    """A copy on the wrong partition is refused there, whether or not both are in one poll."""
    together, apart = WriterDesk(), WriterDesk()
    press = started("desk", at="09:00", key="k")
    for desk in (together, apart):
        await desk.take(home=[press])
    await together.take(home=[started("desk", at="09:05", key="k")], next_door=[press])
    await apart.take(home=[started("desk", at="09:05", key="k")])
    await apart.take(next_door=[press])
    assert together.store.bodies == apart.store.bodies
    assert together.said(NEXT_DOOR) == [(0, "refused", "R23")]


# Another projector holds, or owns, a partition.


async def test_a_partition_whose_row_is_held_is_in_trouble_alone() -> None:
    """A frozen projector holds it for as long as its session lives."""
    desk = WriterDesk(FussyStore(held={HOME}))
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:00")])
    assert desk.trouble == [(HOME, "busy")]
    assert (desk.said(HOME), desk.said(NEXT_DOOR)) == ([], [(0, "accepted", None)])


async def test_a_fenced_partition_is_in_trouble_alone() -> None:
    desk = WriterDesk(FussyStore(lost={HOME}))
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:00")])
    assert desk.trouble == [(HOME, "fenced")]
    assert (desk.said(HOME), desk.said(NEXT_DOOR)) == ([], [(0, "accepted", None)])
    assert desk.partitions[NEXT_DOOR].at.next_offset == 1


async def test_a_checkpoint_moved_by_another_projector_fences_us() -> None:
    desk = WriterDesk()
    await desk.take(home=[started("desk", at="09:00")])
    desk.store.checkpoints[HOME] = replace(desk.store.checkpoints[HOME], next_offset=7)
    await desk.take(home=[stopped("desk", at="09:10")])
    assert desk.trouble == [(HOME, "fenced")]
    assert desk.said() == [(0, "accepted", None)]


# The fate of a commit is unknown.


@pytest.mark.parametrize("at_the", ["read", "commit"])
async def test_any_other_trouble_concerns_every_partition(at_the: str) -> None:
    def break_(_: Outcome) -> bool:
        raise ConnectionError

    store = FussyStore(away=True) if at_the == "read" else FussyStore(unwritable=break_)
    desk = WriterDesk(store)
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:00")])
    assert desk.trouble == [(HOME, f"{at_the}_failed"), (NEXT_DOOR, f"{at_the}_failed")]
    assert [partition.status for partition in desk.partitions.values()] == [Status.LOADING] * 2
    assert desk.store.bodies[HOME] == []
