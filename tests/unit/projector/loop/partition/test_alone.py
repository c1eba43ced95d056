"""Record by record: how a batch is handled when the store or the fold fails on one record of it."""

import itertools
from collections.abc import Callable
from datetime import date
from typing import Final

from services.projector.domain.sheet.state import Profile, Timesheet
from services.projector.ports import Wanted
from shared.events.outcome import Outcome, read_outcome
from tests.support.fakes.writer_desk import HOME, NEXT_DOOR, FussyStore, WriterDesk, noams
from tests.support.story.given import moment, paused, resumed, started, stopped, timer_id

# The store refuses the data to be written.


def is_about(timer: str) -> Callable[[Outcome], bool]:
    """Return a test of outcomes: accepted, and about this timer of dana's."""
    return lambda outcome: outcome.verdict == "accepted" and outcome.subject == timer_id(timer)


def names_an_owner(owner: str) -> Callable[[Wanted], bool]:
    return lambda wanted: any(owner == name for _, _, name in wanted.owners)


async def test_only_the_press_at_fault_is_refused_from_a_refused_batch() -> None:
    desk = WriterDesk(FussyStore(unwritable=is_about("phone")))
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
    desk = WriterDesk(FussyStore(unwritable=is_about("phone")))
    await desk.take(
        home=[started("phone", at="09:01"), started("desk", at="09:02")],
        next_door=[noams(started, "09:00"), noams(stopped, "09:10")],
    )
    assert desk.said(HOME) == [(0, "refused", "R23"), (1, "accepted", None)]
    assert desk.said(NEXT_DOOR) == [(0, "accepted", None), (1, "accepted", None)]
    assert [2] in desk.store.commits


async def test_one_by_one_each_press_knows_the_ones_before_it() -> None:
    desk = WriterDesk(FussyStore(unwritable=is_about("phone")))
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


async def test_a_retry_of_a_store_refused_press_hears_the_refusal_again() -> None:
    """The retry itself is not kept."""
    desk = WriterDesk(FussyStore(unwritable=is_about("phone")))
    await desk.take(home=[started("phone", at="09:00", key="k")])
    await desk.take(home=[started("phone", at="09:01", key="k")])
    assert desk.said() == [(0, "refused", "R23")]
    assert desk.store.checkpoints[HOME].next_offset == 2


# The store refuses even the lookup.


async def test_a_press_that_cannot_be_looked_for_is_refused_alone() -> None:
    desk = WriterDesk(FussyStore(unreadable=names_an_owner("noam")))
    press = noams(started, "09:01")
    await desk.take(home=[started("desk", at="09:00"), press, stopped("desk", at="09:10")])
    assert desk.said() == [(0, "accepted", None), (1, "refused", "R23"), (2, "accepted", None)]
    assert desk.trouble == []


async def test_a_press_that_cannot_be_looked_for_holds_up_no_other_partition() -> None:
    desk = WriterDesk(FussyStore(unreadable=names_an_owner("noam")))
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:01"), noams(stopped, "09:02")])
    assert desk.said(HOME) == [(0, "accepted", None)]
    assert desk.said(NEXT_DOOR) == [(0, "refused", "R23"), (1, "refused", "R05")]


async def test_a_press_that_cannot_be_looked_for_is_kept_once() -> None:
    desk = WriterDesk(FussyStore(unreadable=names_an_owner("noam")))
    press = started("desk", at="09:00", owner="noam", key="k")
    await desk.take(next_door=[press])
    await desk.take(next_door=[press])
    assert desk.said(NEXT_DOOR) == [(0, "refused", "R23")]
    assert desk.store.checkpoints[NEXT_DOOR].next_offset == 2


async def test_a_press_that_cannot_be_looked_for_may_have_expired() -> None:
    desk = WriterDesk(FussyStore(unreadable=names_an_owner("noam")))
    await desk.take(next_door=[started("desk", at="09:00", owner="noam", logged="09:01", expires="09:00:30")])
    assert desk.said(NEXT_DOOR) == []
    assert desk.store.checkpoints[NEXT_DOOR].next_offset == 1


async def test_an_answered_key_hears_its_answer_though_lookups_fail() -> None:
    """The first press came while the store could still look its owner up."""
    desk = WriterDesk()
    press = started("desk", at="09:00", owner="noam", key="k")
    await desk.take(next_door=[press])
    desk.store.unreadable = names_an_owner("noam")
    desk.partitions[NEXT_DOOR].stand_at(desk.store.checkpoints[NEXT_DOOR])
    await desk.take(next_door=[press])
    assert desk.said(NEXT_DOOR) == [(0, "accepted", None)]
    assert desk.store.checkpoints[NEXT_DOOR].next_offset == 2


# The fold fails.


async def test_a_press_that_breaks_the_fold_is_refused_alone() -> None:
    """The pinned tzdata has dropped the owner's zone. The presses beside it do not wait."""
    desk = WriterDesk()
    await desk.take(home=[paused("desk", at="08:00")], next_door=[noams(started, "09:00")])
    desk.partitions[HOME].cache.take({("acme", "dana"): Timesheet("acme", "dana", Profile(zone="No/Where"))})
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


# The partition is taken up again during the batch.


async def test_reads_made_before_a_partition_is_taken_up_are_not_judged() -> None:
    desk = WriterDesk()
    await desk.take(home=[started("desk", at="09:00")])
    desk.store.meanwhile = lambda: desk.partitions[HOME].disturb("fenced")
    await desk.take(home=[stopped("desk", at="09:10")], next_door=[noams(started, "09:00")])
    assert desk.said(HOME) == [(0, "accepted", None)]
    assert desk.said(NEXT_DOOR) == [(0, "accepted", None)]
    assert desk.trouble == []


def at_read(number: int, happens: Callable[[], object]) -> Callable[[], None]:
    """Return the store's side effect: it acts at one read, and does nothing at the others."""
    reads = itertools.count(1)

    def meanwhile() -> None:
        if next(reads) == number:
            happens()

    return meanwhile


# The reads in order: the batch, its first press alone, that press's earlier answer, its second press.
SECOND_ALONE: Final = 4
THREE: Final = (started("phone", at="09:00"), started("desk", at="09:01"), stopped("desk", at="09:02"))


async def test_judging_one_by_one_stops_once_the_partition_is_taken_up_again() -> None:
    desk = WriterDesk(FussyStore(unwritable=is_about("phone")))
    desk.store.meanwhile = at_read(SECOND_ALONE, lambda: desk.partitions[HOME].disturb("publish_failed"))
    await desk.take(home=THREE)
    assert desk.said() == [(0, "refused", "R23")]
    assert desk.trouble == []


async def test_judging_one_by_one_stops_at_a_partition_that_is_fenced() -> None:
    desk = WriterDesk(FussyStore(unwritable=is_about("phone")))
    desk.store.meanwhile = at_read(SECOND_ALONE, lambda: desk.store.lost.add(HOME))
    await desk.take(home=THREE)
    assert desk.said() == [(0, "refused", "R23")]
    assert desk.trouble == [(HOME, "fenced")]


async def test_judging_one_by_one_stops_at_any_other_trouble() -> None:
    desk = WriterDesk(FussyStore(unwritable=is_about("phone")))
    desk.store.meanwhile = at_read(SECOND_ALONE, lambda: setattr(desk.store, "away", True))
    await desk.take(home=THREE)
    assert desk.said() == [(0, "refused", "R23")]
    assert desk.trouble == [(HOME, "commit_failed")]


# What the cache keeps afterwards.


async def test_the_cache_is_trimmed_after_every_batch() -> None:
    for store in (FussyStore(), FussyStore(unwritable=is_about("phone"))):
        desk = WriterDesk(store)
        await desk.take(home=[started("desk", at="09:00"), stopped("desk", at="09:10"), started("phone", at="09:20")])
        (sheet,) = desk.partitions[HOME].cache.sheets.values()
        assert sheet.closed == ()
        assert sheet.closed_since == moment("09:10")
        assert timer_id("desk") not in sheet.timers
