"""The order in which rules answer: a press that breaks all of them hears the first, and then, mended, the next."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

import pytest

from shared.events.ids import partition_of, slot_of
from shared.events.models import OwnerAttendanceRecorded, OwnerEstimateSet, OwnerLeaveGranted, OwnerProfileSet
from shared.events.policy import Policy
from shared.events.rule_rows import FLAGS, ModeWord
from shared.events.rules import Rule
from tests.support.story.cells import MODES, MONDAY, TUESDAY, Verb, document_of, press
from tests.support.story.given import DANA, NOAM, Story, book_of, fact, moment, new_ledger, paused, started, timer_id

# As docs/contract.md, section 6, has them. A start finds no timer, so it knows no state; a pause and a stop draw no id.
ORDER: Final[dict[Verb, tuple[str, ...]]] = {
    "start": ("R24", "R22", "R21", "R23", "R06", "R20", "R14", "R15", "R08", "R09", "R10", "R11", "R12", "R13"),
    "resume": (
        "R24",
        "R22",
        "R23",
        "R05",
        "R06",
        "R20",
        "R07",
        *("R14", "R15", "R08", "R09", "R10", "R11", "R12", "R13"),
    ),
    "pause": ("R24", "R22", "R23", "R05", "R06", "R20", "R07", "R14", "R08", "R09", "R10", "R11", "R12"),
    "stop": ("R24", "R22", "R23", "R05", "R06"),
}
# All that a tenant may set and that hears the press.
ALL_FLAGS: Final[dict[Verb, tuple[str, ...]]] = {
    "start": ("R08", "R09", "R10", "R11", "R12", "R13", "R14", "R15", "R20"),
    "resume": ("R08", "R09", "R10", "R11", "R12", "R13", "R14", "R15", "R20"),
    "pause": ("R08", "R09", "R10", "R11", "R12", "R14", "R15", "R20"),
    "stop": ("R08", "R09", "R10", "R11", "R12", "R14", "R15", "R20"),
}
STEPS: Final = [(verb, place) for verb, order in ORDER.items() for place in range(len(order) + 1)]
LIMITS: Final[dict[Rule, dict[str, Any]]] = {
    Rule.OVER_DAILY_CAP: {"billable_seconds_per_day": 1},
    Rule.PAST_TIME: {"locked_before": TUESDAY},
}
PARTITIONS: Final = 12
HOME: Final = partition_of(slot_of("acme", "dana"), PARTITIONS)
OWNERS: Final = [f"owner-{number}" for number in range(200)]
# One owner beside dana on her partition, and one on another.
NEIGHBOUR: Final = next(one for one in OWNERS if partition_of(slot_of("acme", one), PARTITIONS) == HOME)
STRANGER: Final = next(one for one in OWNERS if partition_of(slot_of("acme", one), PARTITIONS) != HOME)
# Dana is inactive and on leave, has gone home, and has no time left. Her timers are off, and one of them runs.
SETTING: Final = (
    started("theirs", at="08:00", owner=NEIGHBOUR),
    started("first", at="08:00", job_id="roof", by=DANA, key="k", digest="one"),
    fact(OwnerProfileSet, "08:10", active=False, timers_disabled=True),
    fact(OwnerLeaveGranted, "08:10", on=MONDAY),
    fact(OwnerAttendanceRecorded, "08:10", on=MONDAY, checked_in_at=moment("06:00"), checked_out_at=moment("07:00")),
    fact(OwnerEstimateSet, "08:10", job_id="roof", seconds=0),
)


def document(mended: Collection[str], mode: ModeWord | None) -> Policy:
    """Return a document in which each rule refuses what it may, but those that are mended: they are in `mode`, or off.

    What falls due by itself is off, and so is lateness.
    """
    settings: dict[Rule, dict[str, Any]] = {}
    for rule, modes in MODES.items():
        chosen = modes[0] if modes == FLAGS else modes[-1] if rule.value not in mended else mode or modes[0]
        settings[rule] = {"mode": chosen, **LIMITS.get(rule, {})}
    return document_of(settings)


def timer_of(verb: Verb, mended: Collection[str]) -> int:
    """Return the timer that a press names. A start's is dana's own once it is free and on the right partition."""
    if verb == "start":
        if "R23" in mended:
            return timer_id("desk")
        return timer_id("free" if "R21" in mended else "theirs", NEIGHBOUR)
    if "R23" not in mended:
        return timer_id("desk", STRANGER)
    return timer_id("desk" if "R05" in mended else "nobody's")


def pressed(verb: Verb, mended: Collection[str], mode: ModeWord | None = None) -> Story:
    """Return the story of a press that breaks each rule of its order but those that are mended."""
    book = book_of(document_of({}), document(mended, mode))
    story = Story(book, new_ledger(HOME, PARTITIONS)).when(*SETTING)
    if verb != "start":
        story.when(started("desk", at="09:00", job_id="roof"))
        # A pause is legal while the timer runs, a resume while it does not.
        if verb != "stop" and (verb == "resume") == ("R07" in mended):
            story.when(paused("desk", at="09:10"))
    how: dict[str, Any] = {"by": DANA if "R06" in mended else NOAM}
    if verb == "start":
        how["job_id"] = "roof"
    ordinary, timer = how | {"asked": "09:40"}, timer_of(verb, mended)
    broken = ordinary | ({} if "R22" in mended else {"expires": "09:29"})
    if "R24" not in mended:
        story.when(replace(press(verb, **ordinary, key="k", digest="one"), timer=timer))
        broken |= {"key": "k", "digest": "other"}
    return story.when(replace(press(verb, **broken), timer=timer))


@pytest.mark.parametrize(("verb", "place"), STEPS)
def test_the_first_rule_that_is_not_mended_answers(verb: Verb, place: int) -> None:
    order = ORDER[verb]
    outcome = pressed(verb, order[:place]).outcome
    if place < len(order):
        assert (outcome.verdict in {"refused", "void"}, outcome.rule, outcome.flags) == (True, order[place], ())
    else:
        assert (outcome.verdict, outcome.rule) == ("accepted", None)
        # What is in no order of this press refuses it in no mode, so it stands in its hardest one, and flags.
        assert outcome.flags == tuple(id_ for id_ in ALL_FLAGS[verb] if id_ not in order)


@pytest.mark.parametrize(("verb", "place"), STEPS)
def test_a_rule_that_only_flags_is_passed_and_recorded(verb: Verb, place: int) -> None:
    """All that was flagged on the way is dropped with a press that is refused, and told with one that counts."""
    order = ORDER[verb]
    outcome = pressed(verb, order[:place], "flag").outcome
    assert (outcome.rule, outcome.flags) == ((order[place], ()) if place < len(order) else (None, ALL_FLAGS[verb]))
