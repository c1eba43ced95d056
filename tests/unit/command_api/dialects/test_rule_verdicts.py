"""What the fold makes of each rule, mode and verb, as every dialect says it.

The words are those of `test_rule_cells`. In a mode that refuses nothing all verbs are heard well, as a stop is in each.
"""

from collections.abc import Mapping
from typing import Final

import pytest

from services.command_api.desk.commands import answer_of
from shared.events.rule_rows import ModeWord
from tests.support.fakes.desks import DANA, Clerk
from tests.support.story.cells import MODES, REFUSED, SCENES, Scene, Verb
from tests.unit.command_api.dialects.test_rule_cells import GOOD, NATIVE, THEBASE, ZOHO

BREAKING: Final = [scene for scene in SCENES if scene.kind == "breaks"]
REFUSING: Final = [(scene, mode) for scene in BREAKING for mode in MODES[scene.rule] if REFUSED[mode]]
NAMES: Final = [f"{scene.rule.value} {mode}: {scene.name}" for scene, mode in REFUSING]
HEARD_WELL: Final = {"thebase": (201, 201), "zoho": (200, 200, 200), "native": (201, 200, 200, 200)}
VERBS_OF: Final[Mapping[str, tuple[Verb, ...]]] = {
    "thebase": ("start", "stop"),
    "zoho": ("start", "pause", "resume"),
    "native": ("start", "pause", "resume", "stop"),
}


def words(dialect: str, verb: Verb, scene: Scene, mode: ModeWord) -> tuple[int | None, str | None]:
    """Return the status, and what B's message or C's title says, as the contract has it."""
    id_, place = scene.rule.value, VERBS_OF[dialect].index(verb)
    if verb not in scene.refused or verb not in REFUSED[mode]:
        return HEARD_WELL[dialect][place], None
    if dialect == "thebase":
        return THEBASE[id_][place], None
    if dialect == "zoho":
        messages, _, status = ZOHO[id_]
        return status, messages[place]
    return NATIVE[id_]


@pytest.mark.parametrize(("scene", "mode"), REFUSING, ids=NAMES)
async def test_a_verdict_of_the_fold_is_told_in_the_words_of_every_dialect(scene: Scene, mode: ModeWord) -> None:
    clerk, heard, expected = Clerk(caller=DANA), {}, {}
    async with clerk.client() as client:
        for dialect, verbs in VERBS_OF.items():
            for verb in verbs:
                clerk.answer = answer_of(0, scene.story(verb, mode).outcome)
                answer = await client.request(**GOOD[dialect, verb])
                said = answer.json()
                text = said["response"]["message"] if dialect == "zoho" else said.get("title")
                well = answer.is_success or dialect == "thebase"
                heard[dialect, verb] = answer.status_code, None if well else text
                expected[dialect, verb] = words(dialect, verb, scene, mode)
    assert heard == expected
