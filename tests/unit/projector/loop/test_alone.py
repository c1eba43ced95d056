"""Record by record: what is done with a batch of which the store, or the fold, fails on one."""

import itertools
from collections.abc import Callable
from datetime import date
from typing import Final

from services.projector.domain.state import Timesheet
from shared.events.outcome import read_outcome
from tests.support.fakes.writer_desk import HOME, NEXT_DOOR, Desk, FussyStore, is_about, names_an_owner, noams
from tests.support.story.given import moment, paused, resumed, started, stopped, timer_id

# The store refuses what is to be written.


async def test_of_a_batch_that_the_store_refuses_only_the_press_at_fault_is_refused() -> None:
    desk = Desk(FussyStore(unwritable=is_about("phone")))
    await desk.take(
        home=[
            started("desk", at="09:00"),
            started("phone", at="09:01"),
            paused("desk", at="09:02"),
            paused("phone", at="09:03"),
            resumed("desk", at="09:04"),
        ]
    )
    assert desk.said() == [
        (0, "accepted", None),
        (1, "refused", "R23"),
        (2, "accepted", None),
        (3, "refused", "R05"),
        (4, "accepted", None),
    ]
    assert desk.trouble == []


async def test_a_neighbour_of_a_refused_partition_is_committed_whole() -> None:
    desk = Desk(FussyStore(unwritable=is_about("phone")))
    await desk.take(
        home=[started("phone", at="09:01"), started("desk", at="09:02")],
        next_door=[noams(started, "09:00"), noams(stopped, "09:10")],
    )
    assert desk.said(HOME) == [(0, "refused", "R23"), (1, "accepted", None)]
    assert desk.said(NEXT_DOOR) == [(0, "accepted", None), (1, "accepted", None)]
    assert [2] in desk.store.commits


async def test_one_by_one_each_press_knows_the_ones_before_it() -> None:
    desk = Desk(FussyStore(unwritable=is_about("phone")))
    await desk.take(
        home=[
            started("desk", at="09:00", key="k"),
            started("phone", at="09:01"),
            started("desk", at="09:02", key="k"),
            started("desk", at="09:03"),
            stopped("desk", at="09:10"),
        ]
    )
    assert desk.said() == [(0, "accepted", None), (1, "refused", "R23"), (4, "accepted", None)]
    assert desk.store.checkpoints[HOME].next_offset == 5


async def test_a_retry_of_a_press_that_the_store_refused_hears_that_and_is_not_kept() -> None:
    desk = Desk(FussyStore(unwritable=is_about("phone")))
    await desk.take(home=[started("phone", at="09:00", key="k")])
    await desk.take(home=[started("phone", at="09:01", key="k")])
    assert desk.said() == [(0, "refused", "R23")]
    assert desk.store.checkpoints[HOME].next_offset == 2


# The store cannot even look.


async def test_a_press_that_cannot_be_looked_for_is_refused_alone() -> None:
    desk = Desk(FussyStore(unreadable=names_an_owner("noam")))
    press = noams(started, "09:01")
    await desk.take(home=[started("desk", at="09:00"), press, stopped("desk", at="09:10")])
    assert desk.said() == [(0, "accepted", None), (1, "refused", "R23"), (2, "accepted", None)]
    assert desk.trouble == []


async def test_a_press_that_cannot_be_looked_for_holds_up_no_other_partition() -> None:
    desk = Desk(FussyStore(unreadable=names_an_owner("noam")))
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:01"), noams(stopped, "09:02")])
    assert desk.said(HOME) == [(0, "accepted", None)]
    assert desk.said(NEXT_DOOR) == [(0, "refused", "R23"), (1, "refused", "R05")]


async def test_a_press_that_cannot_be_looked_for_is_kept_once() -> None:
    desk = Desk(FussyStore(unreadable=names_an_owner("noam")))
    press = started("desk", at="09:00", owner="noam", key="k")
    await desk.take(next_door=[press])
    await desk.take(next_door=[press])
    assert desk.said(NEXT_DOOR) == [(0, "refused", "R23")]
    assert desk.store.checkpoints[NEXT_DOOR].next_offset == 2


async def test_a_press_that_cannot_be_looked_for_may_have_expired() -> None:
    desk = Desk(FussyStore(unreadable=names_an_owner("noam")))
    await desk.take(next_door=[started("desk", at="09:00", owner="noam", logged="09:01", expires="09:00:30")])
    assert desk.said(NEXT_DOOR) == []
    assert desk.store.checkpoints[NEXT_DOOR].next_offset == 1


async def test_a_key_that_was_answered_hears_that_again_although_its_press_cannot_be_looked_for() -> None:
    """The first came while the store could still look."""
    desk = Desk()
    press = started("desk", at="09:00", owner="noam", key="k")
    await desk.take(next_door=[press])
    desk.store.unreadable = names_an_owner("noam")
    desk.partitions[NEXT_DOOR].stand_at(desk.store.checkpoints[NEXT_DOOR])
    await desk.take(next_door=[press])
    assert desk.said(NEXT_DOOR) == [(0, "accepted", None)]
    assert desk.store.checkpoints[NEXT_DOOR].next_offset == 2


# The fold fails.


async def test_a_press_on_which_the_fold_fails_is_refused_alone_and_its_neighbours_do_not_wait() -> None:
    """The owner's zone is one that the pinned tzdata has dropped."""
    desk = Desk()
    await desk.take(home=[paused("desk", at="08:00")], next_door=[noams(started, "09:00")])
    desk.partitions[HOME].cache.take({("acme", "dana"): Timesheet("acme", "dana", zone="No/Where")})
    await desk.take(
        home=[
            started("desk", at="09:00", work_date=date(2026, 3, 2)),
            started("phone", at="09:05"),
        ],
        next_door=[noams(stopped, "09:10")],
    )
    assert desk.said(HOME) == [(0, "refused", "R05"), (1, "refused", "R23"), (2, "accepted", None)]
    refused = read_outcome(desk.store.bodies[HOME][1])
    assert (refused.reason, refused.owner, refused.dialect) == ("internal", None, None)
    assert desk.said(NEXT_DOOR) == [(0, "accepted", None), (1, "accepted", None)]
    assert desk.trouble == []


# The partition is taken up again meanwhile.


async def test_what_was_read_for_a_partition_that_was_taken_up_again_is_not_judged() -> None:
    desk = Desk()
    await desk.take(home=[started("desk", at="09:00")])
    desk.store.meanwhile = lambda: desk.partitions[HOME].disturb("fenced")
    await desk.take(home=[stopped("desk", at="09:10")], next_door=[noams(started, "09:00")])
    assert desk.said(HOME) == [(0, "accepted", None)]
    assert desk.said(NEXT_DOOR) == [(0, "accepted", None)]
    assert desk.trouble == []


def at_read(number: int, happens: Callable[[], object]) -> Callable[[], None]:
    """Return what a store does meanwhile: nothing, but once."""
    reads = itertools.count(1)

    def meanwhile() -> None:
        if next(reads) == number:
            happens()

    return meanwhile


# The batch is read, then its first press alone, then whether that was answered before, then its second.
SECOND_ALONE: Final = 4
THREE: Final = (started("phone", at="09:00"), started("desk", at="09:01"), stopped("desk", at="09:02"))


async def test_one_by_one_the_rest_is_left_once_the_partition_is_taken_up_again() -> None:
    desk = Desk(FussyStore(unwritable=is_about("phone")))
    desk.store.meanwhile = at_read(SECOND_ALONE, lambda: desk.partitions[HOME].disturb("publish_failed"))
    await desk.take(home=THREE)
    assert desk.said() == [(0, "refused", "R23")]
    assert desk.trouble == []


async def test_one_by_one_a_partition_that_lost_is_in_trouble_and_the_rest_is_left() -> None:
    desk = Desk(FussyStore(unwritable=is_about("phone")))
    desk.store.meanwhile = at_read(SECOND_ALONE, lambda: desk.store.lost.add(HOME))
    await desk.take(home=THREE)
    assert desk.said() == [(0, "refused", "R23")]
    assert desk.trouble == [(HOME, "fenced")]


async def test_one_by_one_trouble_of_any_other_kind_leaves_the_rest_as_well() -> None:
    desk = Desk(FussyStore(unwritable=is_about("phone")))
    desk.store.meanwhile = at_read(SECOND_ALONE, lambda: setattr(desk.store, "away", True))
    await desk.take(home=THREE)
    assert desk.said() == [(0, "refused", "R23")]
    assert desk.trouble == [(HOME, "commit_failed")]


# What is remembered afterwards.


async def test_after_a_batch_the_cache_is_trimmed_whichever_way_it_went() -> None:
    for store in (FussyStore(), FussyStore(unwritable=is_about("phone"))):
        desk = Desk(store)
        await desk.take(home=[started("desk", at="09:00"), stopped("desk", at="09:10"), started("phone", at="09:20")])
        (sheet,) = desk.partitions[HOME].cache.sheets.values()
        assert sheet.closed == ()
        assert sheet.closed_since == moment("09:10")
        assert timer_id("desk") not in sheet.timers
