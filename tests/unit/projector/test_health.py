"""Progress: how a partition is treated that has records waiting on the log but gets none."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from services.projector.health import Progress, StuckError
from services.projector.loop.partition.partition import Partition, Status
from services.projector.ports import Checkpoint, RawRecord
from tests.support.fakes.in_hand import OutcomesInHand
from tests.support.story.presses import Record


@dataclass
class Log:
    """A log on which some offsets hold a record, and the others are ends of transactions."""

    records: dict[int, list[int]]
    gaps: dict[int, int] = field(default_factory=dict)

    async def ends(self) -> dict[int, int]:
        return {kpart: (held[-1] + 1 if held else 0) + self.gaps.get(kpart, 0) for kpart, held in self.records.items()}

    async def first_from(self, kpart: int, offset: int) -> RawRecord | None:
        found = [held for held in self.records[kpart] if held >= offset]
        return Record(found[0], 0, [], None) if found else None


class Projector:
    """Partitions that stand where the test puts them."""

    def __init__(self, *kparts: int) -> None:
        self.ours: dict[int, Partition] = {}
        self.disturbed: list[tuple[list[int], str]] = []
        for kpart in kparts:
            self.ours[kpart] = Partition(kpart, 4, OutcomesInHand())
            self.stands(kpart, 0)

    def stands(self, kpart: int, at: int, status: Status = Status.LIVE) -> None:
        self.ours[kpart].at = Checkpoint(kpart, next_offset=at)
        self.ours[kpart].status = status

    def displaced(self, kparts: Iterable[int], reason: str) -> None:
        self.disturbed.append((list(kparts), reason))


async def looks(progress: Progress, times: int = 3) -> None:
    for _ in range(times):
        await progress.look()


async def look_while_another_advances(progress: Progress, projector: Projector, times: int) -> None:
    for at in range(times):
        projector.stands(1, at)
        await progress.look()


async def test_a_projector_without_any_progress_is_ended_at_the_third_look() -> None:
    projector = Projector(0, 1)
    projector.stands(1, 5)
    progress = Progress(projector, Log({0: [0, 1], 1: [4, 5, 6]}))
    await looks(progress, times=2)
    with pytest.raises(StuckError, match=r"\[0, 1\]"):
        await progress.look()
    assert projector.disturbed == []


async def test_a_partition_before_nothing_but_a_gap_is_not_stuck() -> None:
    """Its end lies behind the end of a transaction, and there is no record to read."""
    projector = Projector(0)
    projector.stands(0, 2)
    await looks(Progress(projector, Log({0: [0, 1]}, gaps={0: 1})), times=10)
    assert projector.disturbed == []


async def test_a_partition_that_is_stuck_alone_is_taken_up_again() -> None:
    projector = Projector(0, 1)
    progress = Progress(projector, Log({0: [0, 1], 1: list(range(100))}))
    await look_while_another_advances(progress, projector, times=3)
    assert projector.disturbed == [([0], "stuck")]


async def test_a_partition_stuck_since_it_was_taken_up_ends_the_process() -> None:
    projector = Projector(0, 1)
    progress = Progress(projector, Log({0: [0, 1], 1: list(range(100))}))
    with pytest.raises(StuckError, match=r"\[0\]"):
        await look_while_another_advances(progress, projector, times=10)
    assert projector.disturbed == [([0], "stuck")]


async def test_a_partition_that_advanced_may_be_taken_up_once_more() -> None:
    projector = Projector(0, 1)
    progress = Progress(projector, Log({0: [0, 1, 2], 1: list(range(100))}))
    for at in range(6):
        projector.stands(0, at // 3)
        projector.stands(1, at)
        await progress.look()
    assert projector.disturbed == [([0], "stuck"), ([0], "stuck")]


async def test_a_partition_that_is_not_live_is_not_stuck() -> None:
    projector = Projector(0)
    projector.stands(0, 0, Status.HELD)
    await looks(Progress(projector, Log({0: [0, 1]})), times=10)
    assert projector.disturbed == []


async def test_a_broker_that_was_away_begins_the_count_anew() -> None:
    projector = Projector(0)
    progress = Progress(projector, Log({0: [0]}))
    await looks(progress, times=2)
    progress.forget()
    await looks(progress, times=2)
    with pytest.raises(StuckError):
        await progress.look()
