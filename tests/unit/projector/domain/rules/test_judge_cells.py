"""Every rule that a tenant may set, in each mode and for each verb: it breaks, it holds, it stays quiet."""

from itertools import product
from typing import Final

import pytest

from shared.events.rule_rows import ModeWord
from shared.events.rules import Rule
from tests.support.story.cells import ENDING, MODES, REFUSED, SCENES, VERBS, Scene, press
from tests.support.story.given import accepted, came_of

CELLS: Final = [(scene, mode) for scene in SCENES for mode in MODES[scene.rule]]
NAMES: Final = [f"{scene.rule.value} {mode} {scene.kind}: {scene.name}" for scene, mode in CELLS]
# What ends an interval overlaps nothing. Every other rule hears every verb.
UNHEARD: Final = {(Rule.OVERLAP, verb) for verb in ENDING}
# A stop of a paused timer adds no time, and these rules ask about nothing else.
OF_TIME: Final = (Rule.PAST_TIME, Rule.DAY_OFF, Rule.OUTSIDE_ATTENDANCE, Rule.OVER_DAILY_CAP, Rule.OVER_ESTIMATE)


@pytest.mark.parametrize(("scene", "mode"), CELLS, ids=NAMES)
def test_each_verb_comes_to_what_the_rule_and_its_mode_say(scene: Scene, mode: ModeWord) -> None:
    came = {verb: came_of(scene.story(verb, mode).answers[-1]) for verb in VERBS}
    assert came == {verb: scene.came(verb, mode) for verb in VERBS}


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene.rule in OF_TIME], ids=lambda scene: scene.name)
def test_a_stop_of_a_paused_timer_hears_no_rule_that_asks_about_time(scene: Scene) -> None:
    for mode in MODES[scene.rule]:
        scene.before_the_press("resume", mode).when(press("stop")).then(accepted())


def test_every_rule_mode_and_verb_has_its_cells() -> None:
    """A rule, a mode or a verb that is new fails here until somebody has told what comes of it."""
    told = {(scene.rule, scene.kind) for scene in SCENES}
    assert told == set(product(MODES, ("breaks", "holds", "quiet")))
    breaks = [scene for scene in SCENES if scene.kind == "breaks"]
    assert {(scene.rule, verb) for scene in breaks for verb in scene.finds} == set(product(MODES, VERBS)) - UNHEARD
    may = {(rule, mode, verb) for rule, modes in MODES.items() for mode in modes for verb in REFUSED[mode]}
    refuses = {(scene.rule, mode, verb) for scene in breaks for mode in MODES[scene.rule] for verb in scene.refused}
    assert {cell for cell in refuses if cell[2] in REFUSED[cell[1]]} == may
