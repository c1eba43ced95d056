"""What the fold makes of each rule, mode and verb, as every dialect says it.

The words are those of the contract. In a mode that refuses nothing all verbs are heard well, as a stop is in each:
dialects C and D name the flags then, and in A and B nothing shows.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from services.command_api.desk.commands import Decided, answer_of
from shared.events.outcome import Outcome
from shared.events.rule_rows import ModeWord
from tests.support.fakes.desks import DANA, SHORT, Clerk
from tests.support.fakes.intake import Parts
from tests.support.proof.words import NATIVE, THEBASE, ZOHO
from tests.support.story.cells import MODES, REFUSED, SCENES, SILENT, Scene, Verb
from tests.support.story.commands import command
from tests.support.story.given import timer_id
from tests.unit.command_api.dialects.requests import GOOD

CELLS: Final = [(scene, mode) for scene in SCENES if scene.kind == "breaks" for mode in MODES[scene.rule]]
NAMES: Final = [f"{scene.rule.value} {mode}: {scene.name}" for scene, mode in CELLS]
VERBS_OF: Final[Mapping[str, tuple[Verb, ...]]] = {
    "thebase": ("start", "stop"),
    "zoho": ("start", "pause", "resume"),
    "native": ("start", "pause", "resume", "stop"),
    "kafka": ("start", "pause", "resume", "stop"),
}
# What is heard of a press that counts, in the order of the verbs.
WELL: Final[Mapping[str, tuple[tuple[int, str], ...]]] = {
    "thebase": ((201, "הטיימר הופעל"), (201, "הטיימר הופסק")),
    "zoho": (
        (200, "Timelog entry added Successfully"),
        (200, "Timer Paused successfully"),
        (200, "Timer resumed successfully"),
    ),
}
NATIVE_WELL: Final = (201, 200, 200, 200)

# A: status, and the message if all is well. B: status and message. C: status, and flags or title. D: verdict, rule,
# reason and flags.
Heard = tuple[Any, ...]


def words(dialect: str, verb: Verb, scene: Scene, mode: ModeWord) -> Heard:
    """Return what the contract says that a caller hears."""
    if verb in scene.refused and verb in REFUSED[mode]:
        return words_of_a_refusal(dialect, verb, scene)
    return words_of_success(dialect, verb, scene, mode)


def words_of_a_refusal(dialect: str, verb: Verb, scene: Scene) -> Heard:
    id_, place = scene.rule.value, VERBS_OF[dialect].index(verb)
    if dialect == "thebase":
        return THEBASE[id_][place], None
    if dialect == "zoho":
        messages, _, status = ZOHO[id_]
        return status, messages[place]
    return NATIVE[id_] if dialect == "native" else ("refused", id_, NATIVE[id_][1], [])


def words_of_success(dialect: str, verb: Verb, scene: Scene, mode: ModeWord) -> Heard:
    place, (press, timer) = VERBS_OF[dialect].index(verb), flags(verb, scene, mode)
    if dialect in WELL:
        return WELL[dialect][place]
    return (NATIVE_WELL[place], timer) if dialect == "native" else ("accepted", None, None, press)


def flags(verb: Verb, scene: Scene, mode: ModeWord) -> tuple[list[str], list[str]]:
    """Return the flags of a press that counts, and those of its timer: what fell due flags the timer alone."""
    if mode in SILENT or verb not in scene.finds:
        return [], []
    press = [scene.rule.value] if scene.labels is None else list(scene.labels)
    due = {found.rule for found in scene.finds[verb] if found.timer_id == timer_id("desk")}
    return press, sorted({*press, *due})


async def over_http(dialect: str, verb: Verb, outcome: Outcome) -> Heard:
    clerk = Clerk(caller=DANA, answer=answer_of(0, outcome))
    async with clerk.client() as client:
        answer = await client.request(**GOOD[dialect, verb])
    said = answer.json()
    if dialect == "thebase":
        return answer.status_code, said["message"] if answer.is_success else None
    if dialect == "zoho":
        return answer.status_code, said["response"]["message"]
    return answer.status_code, said["flags"] if answer.is_success else said["title"]


async def over_kafka(verb: Verb, outcome: Outcome) -> Heard:
    parts = Parts(press_moods=[Decided(0, outcome)])
    pressed = command() if verb == "start" else command(verb, timer_id=str(SHORT))
    await parts.commands().take(pressed)
    ((_, _, value, _, _),) = parts.letters
    (reply,) = json.loads(value or b"")
    assert reply["request_id"] == "order-17"
    return tuple(reply["outcome"].get(name) for name in ("verdict", "rule", "reason", "flags"))


@pytest.mark.parametrize(("scene", "mode"), CELLS, ids=NAMES)
async def test_a_verdict_of_the_fold_is_told_in_the_words_of_every_dialect(scene: Scene, mode: ModeWord) -> None:
    heard, expected = {}, {}
    for dialect, verbs in VERBS_OF.items():
        for verb in verbs:
            outcome = scene.story(verb, mode).outcome
            over = over_kafka(verb, outcome) if dialect == "kafka" else over_http(dialect, verb, outcome)
            heard[dialect, verb] = await over
            expected[dialect, verb] = words(dialect, verb, scene, mode)
    assert heard == expected
