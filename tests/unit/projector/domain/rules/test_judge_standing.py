"""R08 and R20: timers that are switched off, and owners of whom nothing is known, in each mode and verb."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from shared.events.models import OwnerProfileSet
from shared.events.outcome import Finding
from shared.events.policy import Mode, PastTime, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
    Told,
    accepted,
    fact,
    found,
    given,
    paused,
    refused,
    resumed,
    started,
    stopped,
)

PRESSES: Final[dict[str, tuple[tuple[Told, ...], Callable[..., Told]]]] = {
    "start": ((), started),
    "resume": ((started("desk", at="09:00"), paused("desk", at="09:10")), resumed),
    "pause": ((started("desk", at="09:00"),), paused),
    "stop": ((started("desk", at="09:00"),), stopped),
}
REFUSED: Final = {
    Mode.OFF: set[str](),
    Mode.FLAG: set[str](),
    Mode.BLOCK: {"start", "resume"},
    Mode.STRICT: {"start", "resume", "pause"},
}


def rules(**said: Any) -> Policy:  # noqa: ANN401 - the fields of a policy
    return JERUSALEM.model_copy(update=said)


def standing(**said: Any) -> Told:  # noqa: ANN401 - the fields of a profile
    return fact(OwnerProfileSet, "09:20", **said)


def flagged(rule: Rule, press: str) -> Finding:
    """Return the finding of a press at 09:30: it lasts with the interval, and a press that ends one leaves no time."""
    return found(rule, "desk", "09:30", None if press in {"start", "resume"} else "09:30")


def test_a_flag_of_a_start_ends_with_its_interval_and_is_told_once() -> None:
    """R08, R15 and R20 at one start. The pause flags R08 and R20 again, whose findings are open."""
    watched = rules(
        timers_disabled=True,
        rules=Rules(
            R08=RuleMode(mode=Mode.FLAG),
            R15=PastTime(mode=Mode.FLAG, max_backdate_seconds=3600),
            R20=RuleMode(mode=Mode.FLAG),
        ),
    )
    story = given(started("desk", at="20:00", asked="10:00"), policy=watched)
    story.when(paused("desk", at="21:00"))
    assert story.outcome.flags == ("R08", "R20")
    assert set(story.outcome.findings) == {
        found(rule, "desk", "10:00", "21:00") for rule in (Rule.TIMERS_DISABLED, Rule.PAST_TIME, Rule.OWNER_UNKNOWN)
    }


@pytest.mark.parametrize("press", PRESSES)
@pytest.mark.parametrize("mode", Mode)
def test_disabled_timers_are_treated_as_the_mode_says(mode: Mode, press: str) -> None:
    before, pressing = PRESSES[press]
    story = given(*before, standing(timers_disabled=True), policy=rules(rules=Rules(R08=RuleMode(mode=mode))))
    if mode is Mode.OFF:
        came = accepted()
    elif press in REFUSED[mode]:
        came = refused(Rule.TIMERS_DISABLED, found(Rule.TIMERS_DISABLED, "desk", "09:30", refused=True))
    else:
        came = accepted("R08", findings=[flagged(Rule.TIMERS_DISABLED, press)])
    story.when(pressing("desk", at="09:30")).then(came)


def test_timers_disabled_for_the_tenant_block_every_owner() -> None:
    refusal = refused(Rule.TIMERS_DISABLED, found(Rule.TIMERS_DISABLED, "desk", "09:30", refused=True))
    given(policy=rules(timers_disabled=True)).when(started("desk", at="09:30")).then(refusal)


def test_timers_enabled_again_start_as_before() -> None:
    story = given(standing(timers_disabled=True), standing(timers_disabled=False))
    story.when(started("desk", at="09:30")).then(accepted())


@pytest.mark.parametrize("press", PRESSES)
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("known", [(), (standing(active=False),)], ids=["unknown", "inactive"])
def test_an_unknown_or_inactive_owner_is_treated_as_the_mode_says(
    known: tuple[Told, ...], mode: Mode, press: str
) -> None:
    before, pressing = PRESSES[press]
    if before:  # the owner was known when the timer began
        before = (fact(OwnerProfileSet, "08:00", active=True), *before)
        known = known or (standing(active=False),)
    story = given(*before, *known, policy=rules(rules=Rules(R20=RuleMode(mode=mode))))
    if mode is Mode.OFF:
        came = accepted()
    elif press in REFUSED[mode]:
        came = refused(Rule.OWNER_UNKNOWN, found(Rule.OWNER_UNKNOWN, "desk", "09:30", refused=True))
    else:
        came = accepted("R20", findings=[flagged(Rule.OWNER_UNKNOWN, press)])
    story.when(pressing("desk", at="09:30")).then(came)


def test_any_profile_makes_an_owner_known() -> None:
    story = given(
        fact(OwnerProfileSet, "08:00", zone="Europe/Rome"), policy=rules(rules=Rules(R20=RuleMode(mode=Mode.BLOCK)))
    )
    story.when(started("desk", at="09:30")).then(accepted())
