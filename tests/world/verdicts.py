"""Verdicts on stories: every checker over one seed and its replays, and how to run that seed again."""

import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.support.proof.checkers.every import problems as problems_of
from tests.support.proof.checkers.replay import c7_audit, c7_same_bytes
from tests.world.plan import Plan
from tests.world.story import Guard, SeedStory, tell, tell_again

CALM_PRESSES: Final = 10
_BATCHES: Final = (1, 7, 50)


def examine(plan: Plan, guard_off: Guard | None = None, *, both_ways: bool = True) -> tuple[SeedStory, list[str]]:
    """Run a plan, fold its logs again, and return all that is wrong. `both_ways`: from outcomes and from presses."""
    story = tell(plan, guard_off)
    problems = [*story.problems, *problems_of(story.evidence), *c7_audit(story.evidence)]
    if problems:
        return story, problems
    for judge_again in (False, True) if both_ways else (plan.seed % 2 == 1,):
        again = tell_again(story, again_plan(plan, judge_again=judge_again), judge_again=judge_again)
        problems += [*again.problems, *c7_same_bytes(story.evidence, again.evidence.tables)]
    return story, problems


def again_plan(plan: Plan, *, judge_again: bool) -> Plan:
    """Return a plan for a replay: other batches, other interleavings, another number of projectors, no faults."""
    turn = plan.seed + judge_again
    return replace(
        plan,
        seed=-1 - turn,
        projectors=1 + turn % 3,
        batch_max=_BATCHES[turn % 3],
        latency_seconds=0.0,
        rates={},
        crash_at=None,
    )


def told(plan: Plan, problems: Iterable[str]) -> str:
    """Return what to print about a seed that failed."""
    again = f"python -m tests.world {plan.seed}" + ("" if plan.crash_at is None else f" {plan.crash_at}")
    head = f"seed {plan.seed}, commit {commit()}, crash point {plan.crash_at}; once more: {again}"
    return "\n  ".join([head, *list(problems)[:8]])


def commit() -> str:
    """Return the tested commit, to be printed with a failure."""
    here = Path(__file__).parent
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or "unknown"
