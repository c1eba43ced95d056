"""Batches through the store: what is read for them, and what is done when the store says no."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

import pytest

from services.projector.batch import Batch, Entry, entries_of
from services.projector.partition import Partition, Status
from services.projector.ports import (
    Advance,
    BusyError,
    Checkpoint,
    FencedError,
    Found,
    OutcomeLog,
    ReadRefusedError,
    Wanted,
    WriteRefusedError,
)
from services.projector.write import BatchWriter
from shared.events.ids import partition_of, slot_of
from shared.events.outcome import OUTCOME, Outcome
from tests.support.given import JERUSALEM, Told, book_of, moment, paused, resumed, started, stopped, timer_id
from tests.support.in_hand import Record
from tests.support.outcome_store import OutcomeStore

PARTITIONS: Final = 12
HOME: Final = partition_of(slot_of("acme", "dana"), PARTITIONS)
NEXT_DOOR: Final = partition_of(slot_of("acme", "noam"), PARTITIONS)
PLACES: Final = {"home": HOME, "next_door": NEXT_DOOR}
BOOK: Final = book_of(JERUSALEM)
NOBODY_PUBLISHES: Final = cast("OutcomeLog", None)


@dataclass
class FussyStore(OutcomeStore):
    """A store that says no when a test wants it to, and remembers what it was asked."""

    unreadable: Callable[[Wanted], bool] = lambda _: False
    unwritable: Callable[[Outcome], bool] = lambda _: False
    lost: set[int] = field(default_factory=set)
    held: set[int] = field(default_factory=set)
    away: bool = False
    commits: list[list[int]] = field(default_factory=list)

    async def read(self, wanted: Wanted) -> Found:
        if self.away:
            raise ConnectionError
        if self.unreadable(wanted):
            raise ReadRefusedError("UntranslatableCharacterError")
        return await super().read(wanted)

    async def commit(self, advances: Sequence[Advance]) -> None:
        self.commits.append([len(advance.outcomes) for advance in advances])
        if any(advance.to.kpart in self.lost for advance in advances):
            raise FencedError
        if any(advance.to.kpart in self.held for advance in advances):
            raise BusyError
        if any(self.unwritable(written.outcome) for advance in advances for written in advance.outcomes):
            raise WriteRefusedError("CheckViolationError")
        await super().commit(advances)


@dataclass
class Desk:
    """A writer, and what it told its loop."""

    store: FussyStore = field(default_factory=FussyStore)
    partitions: dict[int, Partition] = field(default_factory=dict)
    trouble: list[tuple[int, str]] = field(default_factory=list)

    async def take(self, **told: Sequence[Told] | Sequence[Entry]) -> None:
        """Take one batch of each partition through: `home`, and `next_door` on noam's."""
        writer = BatchWriter(self.store, BOOK, self._committed, self._in_trouble)
        await writer.take_through([self._batch(PLACES[name], entries) for name, entries in told.items()])

    def said(self, kpart: int = HOME) -> list[tuple[int, str, str | None]]:
        """Return what was kept on a partition: offset, verdict, rule."""
        outcomes = [OUTCOME.validate_json(body) for body in self.store.bodies[kpart]]
        return [(outcome.source_offset, outcome.verdict, outcome.rule) for outcome in outcomes]

    def _batch(self, kpart: int, told: Sequence[Told] | Sequence[Entry]) -> Batch:
        partition = self.partitions.setdefault(kpart, Partition(kpart, PARTITIONS, NOBODY_PUBLISHES))
        begin = partition.at.next_offset
        entries = [one.logged(begin + n) if isinstance(one, Told) else one for n, one in enumerate(told)]
        return Batch(partition, entries, {})

    def _committed(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            batch.partition.at = batch.target()
            batch.partition.cache.absorb(batch.ledger)

    def _in_trouble(self, partition: Partition, reason: str, error: Exception) -> None:
        del error
        self.trouble.append((partition.kpart, reason))
        partition.disturb(reason)


def noams(told: Callable[..., Told], at: str) -> Told:
    return told("desk", at=at, owner="noam")


def is_about(timer: str) -> Callable[[Outcome], bool]:
    """Return whether an accepted outcome is about one of dana's timers."""
    return lambda outcome: outcome.verdict == "accepted" and outcome.subject == timer_id(timer)


# An ordinary day.


async def test_one_poll_of_several_partitions_is_one_read_and_one_commit() -> None:
    desk = Desk()
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:00")])
    assert desk.store.commits == [[1, 1]]
    assert (desk.said(HOME), desk.said(NEXT_DOOR)) == ([(0, "accepted", None)], [(0, "accepted", None)])


async def test_a_checkpoint_names_the_last_record_whatever_became_of_it() -> None:
    desk = Desk()
    known = started("desk", at="09:05", key="k")
    await desk.take(home=[started("desk", at="09:00", key="k"), known])
    at = desk.store.checkpoints[HOME]
    assert at == Checkpoint(HOME, 2, known.logged(1).envelope.event_id, moment("09:05"), 1, 0, 0)
    await desk.take(home=entries_of([Record(2, 1_772_442_400_000, [], b"?")], BOOK, -1)[0])
    at = desk.store.checkpoints[HOME]
    assert (at.next_offset, at.last_event_id) == (3, None)


async def test_a_batch_of_nothing_new_moves_the_checkpoint_and_writes_no_outcome() -> None:
    desk = Desk()
    await desk.take(home=[started("desk", at="09:00", key="k")])
    await desk.take(home=[started("desk", at="09:05", key="k"), started("desk", at="09:06")])
    assert desk.store.commits == [[1], [0]]
    assert desk.store.checkpoints[HOME].next_offset == 3


# The same event id on two partitions.


async def test_a_verdict_of_one_partition_is_not_known_on_another() -> None:
    """A copy on the wrong partition is refused there, whether or not both are in one poll."""
    together, apart = Desk(), Desk()
    press = started("desk", at="09:00", key="k")
    for desk in (together, apart):
        await desk.take(home=[press])
    await together.take(home=[started("desk", at="09:05", key="k")], next_door=[press])
    await apart.take(home=[started("desk", at="09:05", key="k")])
    await apart.take(next_door=[press])
    assert together.store.bodies == apart.store.bodies
    assert together.said(NEXT_DOOR) == [(0, "refused", "R23")]


# Somebody holds, or owns, a partition.


async def test_a_partition_whose_row_is_held_is_in_trouble_and_its_neighbour_is_not() -> None:
    """A frozen projector holds it, for as long as its session may."""
    desk = Desk(FussyStore(held={HOME}))
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:00")])
    assert desk.trouble == [(HOME, "busy")]
    assert (desk.said(HOME), desk.said(NEXT_DOOR)) == ([], [(0, "accepted", None)])


async def test_a_partition_that_lost_is_in_trouble_and_its_neighbour_is_not() -> None:
    desk = Desk(FussyStore(lost={HOME}))
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:00")])
    assert desk.trouble == [(HOME, "fenced")]
    assert (desk.said(HOME), desk.said(NEXT_DOOR)) == ([], [(0, "accepted", None)])
    assert desk.partitions[NEXT_DOOR].at.next_offset == 1


async def test_a_checkpoint_moved_by_somebody_else_fences_us() -> None:
    desk = Desk()
    await desk.take(home=[started("desk", at="09:00")])
    desk.store.checkpoints[HOME] = replace(desk.store.checkpoints[HOME], next_offset=7)
    await desk.take(home=[stopped("desk", at="09:10")])
    assert desk.trouble == [(HOME, "fenced")]
    assert desk.said() == [(0, "accepted", None)]


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


def names_an_owner(owner: str) -> Callable[[Wanted], bool]:
    return lambda wanted: any(owner == name for _, _, name in wanted.owners)


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


# Nobody knows what happened.


@pytest.mark.parametrize("at_the", ["read", "commit"])
async def test_trouble_of_any_other_kind_is_every_partitions_and_nothing_is_guessed(at_the: str) -> None:
    def break_(_: Outcome) -> bool:
        raise ConnectionError

    store = FussyStore(away=True) if at_the == "read" else FussyStore(unwritable=break_)
    desk = Desk(store)
    await desk.take(home=[started("desk", at="09:00")], next_door=[noams(started, "09:00")])
    assert desk.trouble == [(HOME, f"{at_the}_failed"), (NEXT_DOOR, f"{at_the}_failed")]
    assert [partition.status for partition in desk.partitions.values()] == [Status.LOADING] * 2
    assert desk.store.bodies[HOME] == []
