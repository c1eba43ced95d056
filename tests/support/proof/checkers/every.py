"""All checkers, by name."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.support.proof.checkers.fence import c15_fence
from tests.support.proof.checkers.history import Evidence
from tests.support.proof.checkers.presses import (
    c1_nothing_acknowledged_is_lost,
    c2_exactly_once_in_effect,
    c3_nothing_invented,
    c4_an_unknown_resolves_once,
    c5_order,
    c10_answers_are_final,
)
from tests.support.proof.checkers.tables import c6_read_model_is_fold_of_log, c8_time, c9_state_machine, c16_poison

CHECKERS: Final[Mapping[str, Callable[[Evidence], list[str]]]] = {
    "C1": c1_nothing_acknowledged_is_lost,
    "C2": c2_exactly_once_in_effect,
    "C3": c3_nothing_invented,
    "C4": c4_an_unknown_resolves_once,
    "C5": c5_order,
    "C6": c6_read_model_is_fold_of_log,
    "C8": c8_time,
    "C9": c9_state_machine,
    "C10": c10_answers_are_final,
    "C15": c15_fence,
    "C16": c16_poison,
}


def problems(evidence: Evidence) -> list[str]:
    """Return what all checkers find wrong. An empty list means nothing."""
    return [problem for check in CHECKERS.values() for problem in check(evidence)]
