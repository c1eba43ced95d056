"""Points: one projector is killed, or frozen, at each numbered point once, and at each point of catching up."""

import os
from dataclasses import replace
from typing import Final

import pytest

from tests.support.proof.checkers.replay import c7_same_bytes
from tests.world.plan import calm
from tests.world.story import tell, tell_again
from tests.world.verdicts import CALM_PRESSES, again_plan, examine, told
from tests.world.world import World

LONG: Final = os.environ.get("STINT_TEST_LONG") == "1"
SWEPT: Final = 10 if LONG else 1
IN_A_FOLD: Final = {"before read", "after read", "before commit", "inside commit", "after commit", "after publish"}
IN_A_TAKE_OVER: Final = {"load the checkpoint", "catch up", "record before the checkpoint", "before unpublished"}


@pytest.mark.parametrize("seed", range(SWEPT))
def test_a_crash_at_any_point_costs_nothing(seed: int) -> None:
    points = tell(calm(seed, CALM_PRESSES)).points
    assert set(points) >= IN_A_FOLD
    failures = []
    for point in range(len(points)):
        plan = calm(seed, CALM_PRESSES, crash_at=point)
        story, problems = examine(plan, both_ways=False)
        # The same story up to the crash, and the crash at its point.
        assert story.points[: point + 1] == points[: point + 1]
        assert story.fired[f"crash {points[point]}"] == 1
        if problems:
            failures.append(told(plan, [points[point], *problems]))
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("judge_again", [False, True])
def test_a_crash_at_any_point_of_catching_up_costs_nothing(judge_again: bool) -> None:  # noqa: FBT001 - a parameter
    story = tell(calm(SWEPT, 2 * CALM_PRESSES))
    plan = replace(again_plan(story.plan, judge_again=judge_again), batch_max=5)
    points = tell_again(story, plan, judge_again=judge_again).points
    assert judge_again or set(points) >= IN_A_TAKE_OVER
    for point in range(len(points)):
        again = tell_again(story, replace(plan, crash_at=point), judge_again=judge_again)
        wrong = [*again.problems, *c7_same_bytes(story.evidence, again.evidence.tables)]
        assert not wrong, f"killed at point {point}, {points[point]}: {wrong[:5]}"


@pytest.mark.parametrize("seconds", [8.0, 10_000.0], ids=["a zombie", "for ever"])
def test_a_projector_frozen_at_any_point_costs_nothing(seconds: float) -> None:
    """It comes back with its old batch when another projector has its partition; or it never comes back."""
    calmly = replace(calm(SWEPT, CALM_PRESSES), projectors=2)
    points = tell(calmly).points
    fenced, failures = 0, []
    for point in range(len(points)):
        story, problems = examine(replace(calmly, freeze_at=point, freeze_seconds=seconds), both_ways=False)
        fenced += story.fired["fenced"]
        if problems:
            failures.append(f"frozen at point {point}, {points[point]}: {problems[:5]}")
    assert not failures, "\n".join(failures)
    # At least once it was frozen before its compare-and-set, and went on after the take-over.
    assert fenced or seconds > 1000


def test_without_time_outs_a_frozen_commit_is_never_taken_over() -> None:
    """The control: a frozen session holds the row of its checkpoint for ever."""
    points = tell(calm(SWEPT, CALM_PRESSES)).points
    plan = replace(calm(SWEPT, CALM_PRESSES), freeze_at=points.index("inside commit"), freeze_seconds=10_000.0)
    assert examine(plan)[1] == []
    assert any("not drained" in problem for problem in examine(plan, _without_time_outs)[1])


def _without_time_outs(world: World) -> None:
    world.database.timeouts = False
