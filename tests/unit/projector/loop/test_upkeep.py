"""Upkeep: tasks beside the fold do not wait for it, and the fold does not wait for them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
import structlog

from services.projector.loop import upkeep
from services.projector.loop.partition.partition import Status
from services.projector.ports import Advance, Checkpoint
from tests.support.fakes.house import A_DAY, ACCEPTED, HOME, NEXT_DOOR, House, MoodyStore, at_work
from tests.support.fakes.in_hand import StuckStream, turns
from tests.support.story.given import started, stopped


@dataclass
class FrozenStore(MoodyStore):
    """A store that saves no progress and deletes nothing until it thaws."""

    thawed: asyncio.Event = field(default_factory=asyncio.Event)
    statements: list[int] = field(default_factory=list)

    async def save_progress(self, ats: Sequence[Checkpoint]) -> Mapping[int, bool]:
        self.statements.append(len(ats))
        await self.thawed.wait()
        return await super().save_progress(ats)

    async def prune(self, kpart: int) -> bool:
        await self.thawed.wait()
        return await super().prune(kpart)


@dataclass
class UnprunableStore(MoodyStore):
    """A store that fails whenever the first partition is to be pruned."""

    pruned: list[int] = field(default_factory=list)

    async def prune(self, kpart: int) -> bool:
        if kpart == HOME:
            raise TimeoutError
        self.pruned.append(kpart)
        return False


@dataclass
class UnsavingStore(MoodyStore):
    """A store that commits, and does not take how far outcomes are published, until it `saves`."""

    saves: bool = False

    async def save_progress(self, ats: Sequence[Checkpoint]) -> Mapping[int, bool]:
        if not self.saves:
            raise TimeoutError
        return await super().save_progress(ats)


async def test_a_frozen_store_holds_up_no_poll_and_no_fold() -> None:
    """Twelve idle partitions used to be asked one after the other, under the fold's lock: 184 s without a poll."""
    store = FrozenStore()
    async with at_work(House(store=store), HOME, NEXT_DOOR) as house:
        await house.clock.passes(120.0)
        assert store.statements == [2]
        await house.hears(*A_DAY)
        assert house.said() == ACCEPTED
        store.thawed.set()


async def test_progress_of_all_partitions_is_one_statement() -> None:
    store = FrozenStore()
    store.thawed.set()
    async with at_work(House(store=store), HOME, NEXT_DOOR, 7) as house:
        await house.clock.passes(61.0)
        assert store.statements == [3]


async def test_a_progress_statement_during_a_commit_fences_no_partition() -> None:
    """It found the checkpoint where our own commit had just put it, and not at our earlier position."""
    store = FrozenStore()
    async with at_work(House(store=store)) as house:
        await house.clock.passes(61.0)
        assert store.statements == [1]
        await house.hears(*A_DAY)
        store.thawed.set()
        await turns()
        assert house.state() == (Status.LIVE, "recovered")
        assert house.said() == ACCEPTED


@dataclass
class LockedStore(MoodyStore):
    """A store in which a commit holds every checkpoint, until it is free."""

    free: bool = False

    async def save_progress(self, ats: Sequence[Checkpoint]) -> Mapping[int, bool]:
        if self.free:
            return await super().save_progress(ats)
        self.saved += len(ats)
        return {}


async def test_a_partition_that_a_commit_holds_is_asked_again_later() -> None:
    async with at_work(House(store=LockedStore())) as house:
        await house.hears(*A_DAY)
        await house.clock.passes(1.0)
        await house.clock.passes(1.0)
        assert house.state() == (Status.LIVE, "recovered")
        assert house.store.saved >= 2


async def test_what_recovery_could_not_save_past_a_lock_is_saved_soon() -> None:
    """`stint doctor` called it "not published" for a minute, and the next owner published all of it again."""
    store = LockedStore()
    async with at_work(House(store=store)) as house:
        await house.hears(*A_DAY)
        house.projector.keeper.disturb(house.projector.keeper.ours[HOME], "a test")
        await turns()
        assert (house.state(), store.checkpoints[HOME].published) == ((Status.LIVE, "recovered"), 0)
        store.free = True
        await house.clock.passes(1.0)
        assert store.checkpoints[HOME].published == len(A_DAY)


@dataclass
class SlowStore(MoodyStore):
    """A store in which all that was published before is acked while a later commit is on its way."""

    stream: StuckStream = field(default_factory=StuckStream)

    async def commit(self, advances: Sequence[Advance]) -> None:
        if self.bodies[HOME] and advances[0].unread is None:  # read, and found to be a repeat
            self.stream.lets_go()
            await turns(10)
        await super().commit(advances)


async def test_what_is_acked_during_a_commit_of_repeats_is_saved_a_second_later() -> None:
    """The commit was taken to have written it: nothing was for up to a minute, nor at the end."""
    store = SlowStore()
    async with at_work(House(store=store, outcomes=store.stream)) as house:
        await house.hears(started("desk", at="09:00", key="k"))
        await house.clock.passes(1.0)  # the store is asked after each take-up
        await house.hears(started("desk", at="09:00", logged="09:05", key="k"))
        assert (store.checkpoints[HOME].next_offset, store.checkpoints[HOME].published) == (2, 0)
        await house.clock.passes(1.0)
        assert store.checkpoints[HOME].published == 1


async def test_a_failed_prune_is_not_tried_on_the_next_partition() -> None:
    """A store that is away is asked once a minute, not once for each of twelve partitions."""
    store = MoodyStore(prunes=[ConnectionError(), False, False])
    with structlog.testing.capture_logs() as logs:
        async with at_work(House(store=store), HOME, NEXT_DOOR) as house:
            await house.clock.passes(60.0)
            assert len(store.prunes) == 2
            await house.clock.passes(60.0)
            assert store.prunes == []
    assert [entry["event"] for entry in logs].count("outcomes_not_pruned") == 1


async def test_outcomes_that_are_not_pruned_for_ten_minutes_are_an_alarm() -> None:
    """The table grew without a word, until the disk was full."""
    with structlog.testing.capture_logs() as logs:
        async with at_work(House(store=UnprunableStore()), HOME, NEXT_DOOR) as house:
            for _ in range(21):
                await house.clock.passes(60.0)
    said = [entry["log_level"] for entry in logs if entry["event"] == "outcomes_not_pruned"]
    assert said == [*["warning"] * 2, *["error"] * 3]


async def test_progress_that_is_not_saved_for_a_minute_is_an_alarm() -> None:
    store = UnsavingStore()
    with structlog.testing.capture_logs() as logs:
        async with at_work(House(store=store)) as house:
            await house.hears(*A_DAY)
            for _ in range(70):
                await house.clock.passes(1.0)
            store.saves = True
            await house.clock.passes(1.0)
            assert store.checkpoints[HOME].published == len(A_DAY)
    said = [(entry["log_level"], entry["partitions"]) for entry in logs if entry["event"] == "progress_not_saved"]
    assert said == [("warning", 1), ("error", 1)]


async def test_a_partition_that_cannot_be_pruned_keeps_no_other_from_its_turn() -> None:
    store = UnprunableStore()
    async with at_work(House(store=store), HOME, NEXT_DOOR) as house:
        await house.clock.passes(61.0)
        await house.clock.passes(61.0)
    assert store.pruned == [NEXT_DOOR]


async def test_an_error_in_upkeep_ends_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unseen, it would leave a projector that saves no progress and seems well."""

    def fails(*_: object) -> bool:
        raise ZeroDivisionError

    house = House()
    running = asyncio.ensure_future(house.projector.run())
    house.projector.keeper.assigned([HOME])
    await turns()
    monkeypatch.setattr(upkeep, "_is_due", fails)
    await house.clock.passes(2.0)
    await house.hears(*A_DAY)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(running, 5)


async def test_the_loop_ends_its_upkeep_with_itself() -> None:
    async with at_work(House()) as house:
        await house.hears(stopped("desk", at="09:30"))
    await turns()
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("upkeep")] == []
