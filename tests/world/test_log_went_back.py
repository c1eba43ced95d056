"""The log is not the one that was folded: alarm, wait, publish nothing, lose no press, go on when the log is back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

import pytest

from services.projector.loop.partition import recover
from tests.support.proof.checkers.every import problems
from tests.support.proof.checkers.tables import c6_read_model_is_fold_of_log
from tests.world.plan import calm
from tests.world.story import Guard, SeedStory, go_on, tell
from tests.world.topics import Published
from tests.world.world import World

ALARM: Final = "error: log_went_back"
# A partition that waits looks again every 10 s.
A_WHILE: Final = 12.0
KPART: Final = 1


@pytest.fixture(scope="module")
def story() -> SeedStory:
    told = tell(calm(0, 30))
    assert problems(told.evidence) == []
    assert len([record for record in told.evidence.events if record.partition == KPART]) > 5
    return told


def nothing(_: World) -> None:
    """Leave the world as it is."""


def shorter(world: World) -> None:
    """Let a broker lose the end of a partition."""
    world.events.records[KPART].pop()


def made_anew(world: World) -> None:
    """Delete the topic and make it again. One press is on it already."""
    first = world.events.records[KPART][0]
    world.events.records[KPART].clear()
    world.events.append(KPART, first.key, first.headers, first.value)


def another_press(world: World) -> None:
    """Put another event in the place of the last one."""
    log = world.events.records[KPART]
    log[-1] = replace(log[-2], offset=log[-1].offset, timestamp=log[-1].timestamp)


def another_time(world: World) -> None:
    """Give the last event another log time."""
    log = world.events.records[KPART]
    log[-1] = replace(log[-1], timestamp=log[-1].timestamp + 1)


def eaten(world: World) -> None:
    """Let retention delete all that was folded."""
    world.events.begins[KPART] = world.events.end(KPART)


def outcomes_lost(world: World) -> None:
    """Let the judged stream lose its end."""
    world.outcomes.records[KPART].pop()


WAYS: Final[tuple[Guard, ...]] = (shorter, made_anew, another_press, another_time, eaten, outcomes_lost)


@pytest.mark.parametrize("went_back", WAYS, ids=lambda way: way.__name__)
def test_a_log_that_went_back_is_an_alarm_and_changes_nothing(story: SeedStory, went_back: Guard) -> None:
    gone_on = go_on(story, (went_back, A_WHILE))
    assert gone_on.alarms[ALARM] >= 2
    assert gone_on.evidence.tables == story.evidence.tables
    assert len(gone_on.evidence.outcomes) <= len(story.evidence.outcomes)


@pytest.mark.parametrize("went_back", WAYS, ids=lambda way: way.__name__)
def test_a_partition_goes_on_by_itself_once_its_log_is_back(story: SeedStory, went_back: Guard) -> None:
    def back(world: World) -> None:
        whole = [record for record in story.evidence.events if record.partition == KPART]
        world.events.records[KPART].clear()
        for record in whole:
            world.events.restore(record)
        world.events.begins[KPART] = 0
        lost = [record for record in story.evidence.outcomes if record.partition == KPART]
        world.outcomes.records[KPART] = [Published(record.offset, record.key, record.value) for record in lost]

    gone_on = go_on(story, (went_back, A_WHILE), (back, 1.0), (press, A_WHILE))
    assert len(gone_on.evidence.events) == len(story.evidence.events) + 1
    assert c6_read_model_is_fold_of_log(gone_on.evidence) == []


def test_other_partitions_go_on_when_one_log_went_back(story: SeedStory) -> None:
    gone_on = go_on(story, (shorter, 1.0), (lambda world: press(world, 1 - KPART), 2.0))
    at = {row["kpart"]: row["next_offset"] for row in gone_on.evidence.rows("checkpoint")}
    before = {row["kpart"]: row["next_offset"] for row in story.evidence.rows("checkpoint")}
    assert at == {KPART: before[KPART], 1 - KPART: before[1 - KPART] + 1}


def test_without_the_check_presses_are_lost(story: SeedStory) -> None:
    """The control: as many new presses come as were lost, and none of them counts."""

    async def no_check(*_: Any) -> None:  # noqa: ANN401 - any arguments
        """Find nothing wrong."""

    steps: tuple[tuple[Callable[[World], None], float], ...] = ((shorter, 0.0), (press, A_WHILE))
    with patch.object(recover, "_check", no_check):
        swallowed = go_on(story, *steps)
    assert swallowed.alarms[ALARM] == 0
    assert c6_read_model_is_fold_of_log(swallowed.evidence)


def press(world: World, kpart: int = KPART) -> None:
    """Put one more record on the log that cannot be read. Its dead letter shows that it was folded."""
    world.events.append(kpart, None, [("ce_type", b"timer.started.v1")], b"{}")
