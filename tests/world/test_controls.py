"""Controls: with one guard switched off, a checker fails on some seed."""

from dataclasses import replace
from typing import Final

import pytest

from tests.world.guards import CONTROLS, Control
from tests.world.plan import plan_of
from tests.world.verdicts import examine

SEEDS_MAX: Final = 40


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name.replace(" ", "_"))
def test_a_checker_notices_that_a_guard_is_off(control: Control) -> None:
    found: list[str] = []
    for seed in range(SEEDS_MAX):
        plan = replace(plan_of(seed), rates=control.rates)
        with control.off():
            found = examine(plan, control.world)[1]
        if any(problem.startswith(control.noticed_by) for problem in found):
            return
    pytest.fail(f"{SEEDS_MAX} seeds without {control.name}, and no checker noticed; at last {found[:3]}")
