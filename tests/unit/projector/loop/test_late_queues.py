"""Presses of long ago come in queues, such as after a weekend offline. Each is a read and a commit of its own."""

from collections.abc import Sequence
from typing import Final

import pytest

from services.projector.domain.entry import Entry, LoggedPress
from services.projector.domain.fold import Folded
from services.projector.loop.partition import batch
from services.projector.loop.partition.batch import LATE_AT_ONCE, LateEnough, entries_of
from shared.events.models import TimerStarted
from tests.support.fakes.house import HOME, NEXT_DOOR, House, at_work
from tests.support.fakes.in_hand import record, records
from tests.support.story.given import JERUSALEM, book_of, started

# More than two polls may take.
QUEUE: Final = [
    started(f"desk {n}", at="09:00", asked=f"2026-02-0{n % 9 + 1}T09:00") for n in range(2 * LATE_AT_ONCE + 1)
]


def test_a_batch_ends_before_one_late_press_too_many() -> None:
    log = records(started("phone", at="09:00"), *QUEUE)
    entries, stop = entries_of(log, book_of(JERUSALEM), -1)
    assert len(entries) == 1 + LATE_AT_ONCE
    assert stop == LateEnough(entries[-1].offset + 1)


async def commits() -> list[str]:
    """Let noam press beside dana's queue, and again after its first press; return whose presses were committed."""
    house, whose = House(), list[str]()
    house.log.logs[HOME] = records(*QUEUE)
    house.log.logs[NEXT_DOOR] = [record(started("desk", at="09:00", owner="noam"), 0)]

    def count(answers: Sequence[tuple[Entry, Folded]]) -> None:
        for entry, _ in answers:
            assert isinstance(entry, LoggedPress)
            assert isinstance(entry.event, TimerStarted)
            whose.append(entry.event.owner)
        if whose == ["noam", "dana"]:
            house.log.append(NEXT_DOOR, record(started("phone", at="09:05", owner="noam"), 1))

    house.projector.count = count
    async with at_work(house, HOME, NEXT_DOOR):
        assert [offset for offset, *_ in house.said()] == list(range(len(QUEUE)))
    return whose


async def test_others_are_judged_before_a_queue_and_between_its_parts() -> None:
    part = ["dana"] * LATE_AT_ONCE
    assert await commits() == ["noam", *part, "noam", *part, "dana"]


async def test_without_its_bound_others_would_wait_for_the_whole_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(batch, "LATE_AT_ONCE", len(QUEUE))
    assert await commits() == ["noam", *["dana"] * len(QUEUE), "noam"]
