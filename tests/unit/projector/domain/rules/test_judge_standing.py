"""Findings of R08, R15 and R20 last with the interval. What each verb hears in each mode is in `test_judge_cells`."""

from shared.events.policy import Mode, PastTime, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import JERUSALEM, found, given, paused, started


def test_a_flag_of_a_start_ends_with_its_interval_and_is_told_once() -> None:
    """R08, R15 and R20 at one start. The pause flags R08 and R20 again, whose findings are open."""
    rules = Rules(
        R08=RuleMode(mode=Mode.FLAG),
        R15=PastTime(mode=Mode.FLAG, max_backdate_seconds=3600),
        R20=RuleMode(mode=Mode.FLAG),
    )
    watched = JERUSALEM.model_copy(update={"timers_disabled": True, "rules": rules})
    story = given(started("desk", at="20:00", asked="10:00"), policy=watched)
    story.when(paused("desk", at="21:00"))
    assert story.outcome.flags == ("R08", "R20")
    assert set(story.outcome.findings) == {
        found(rule, "desk", "10:00", "21:00") for rule in (Rule.TIMERS_DISABLED, Rule.PAST_TIME, Rule.OWNER_UNKNOWN)
    }
