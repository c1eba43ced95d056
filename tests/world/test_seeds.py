"""Seeds: whatever goes wrong, no minute is lost, every answer stands, and everything is well again within 30 s."""

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import pytest

from tests.support.checkers.presses import physical_duplicates
from tests.world.plan import RATES, plan_of
from tests.world.verdicts import examine, told

LONG: Final = os.environ.get("STINT_TEST_LONG") == "1"
SEEDS: Final = 10_000 if LONG else 500
PRESSES_MAX: Final = 150 if LONG else 55
AT_ONCE: Final = 20
# What must have happened beside what plans ask for.
CONSEQUENCES: Final = ("fenced", "zombie", "rebalance", "pruned", "duplicates")
CRASHES: Final = (
    *("before read", "after read", "before commit", "inside commit", "after commit", "before publish", "after publish"),
    *("load the checkpoint", "span of the events", "span of the outcomes", "record before the checkpoint", "catch up"),
    *("before unpublished", "poll with records in hand", "revoke"),
)


@dataclass
class Tally:
    """What has happened in all seeds so far."""

    seeds: int = 0
    fired: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module")
def tally() -> Tally:
    return Tally()


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_no_minute_is_lost(first: int, tally: Tally) -> None:
    failures = []
    for seed in range(first, first + AT_ONCE):
        plan = plan_of(seed, PRESSES_MAX)
        story, problems = examine(plan, both_ways=LONG)
        tally.seeds += 1
        tally.fired += story.fired
        tally.fired["duplicates"] += physical_duplicates(story.evidence)
        if problems:
            failures.append(told(plan, problems))
    assert not failures, "\n".join(failures)


def test_every_fault_has_fired(tally: Tally) -> None:
    """A run in which nothing went wrong proves nothing."""
    if tally.seeds < SEEDS:
        pytest.skip("only some of the seeds were told")
    wanted = [*RATES, *CONSEQUENCES, *(f"crash {point}" for point in CRASHES)]
    assert [kind for kind in wanted if not tally.fired[kind]] == []


def test_a_seed_is_the_same_story_each_time() -> None:
    """Otherwise nobody could look into a failure."""
    first, second = (examine(plan_of(7))[0] for _ in range(2))
    assert (first.points, first.fired, first.evidence.tables) == (second.points, second.fired, second.evidence.tables)
