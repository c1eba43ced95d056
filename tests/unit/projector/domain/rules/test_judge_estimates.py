"""R12 at a press: the owner's time on the job is at or over the estimate. See also `test_judge_cells`."""

from typing import Final

from shared.events.models import OwnerEstimateSet
from shared.events.outcome import State
from shared.events.policy import DailyCap, Mode, Overlap, OverlapMode, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
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

ESTIMATED: Final = fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=3600)
WORKED_HALF: Final = (started("half", at="08:30", job_id="roof"), stopped("half", at="09:00"))
OTHER_HALF: Final = (started("other", at="09:00", job_id="roof"), stopped("other", at="09:30"))
START: Final = started("desk", at="09:30", job_id="roof")


def estimates(mode: Mode | None = None, cap: DailyCap | None = None, overlap: Overlap | None = None) -> Policy:
    return JERUSALEM.model_copy(update={"rules": Rules(R11=cap, R12=RuleMode(mode=mode), R13=overlap)})


def test_a_timer_without_a_job_is_free() -> None:
    story = given(fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=0), policy=estimates(Mode.STRICT))
    story.when(started("desk", at="09:00"), paused("desk", at="19:00"), resumed("desk", at="20:00"))
    story.then(accepted(), accepted(), accepted())


def test_one_owners_estimate_and_time_are_not_anothers() -> None:
    noams = fact(OwnerEstimateSet, "08:00", owner="noam", job_id="roof", seconds=1)
    story = given(noams, started("noams", at="08:00", owner="noam", job_id="roof"), policy=estimates(Mode.STRICT))
    story.when(started("desk", at="09:00", job_id="roof")).then(accepted())


def test_an_estimate_of_nothing_is_used_up_from_the_first_moment() -> None:
    story = given(fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=0), policy=estimates(Mode.BLOCK))
    story.when(started("desk", at="09:00", job_id="roof"))
    story.then(refused(Rule.OVER_ESTIMATE, found(Rule.OVER_ESTIMATE, "desk", "09:00", refused=True)))


def test_time_that_runs_on_another_timer_counts_at_a_press() -> None:
    story = given(ESTIMATED, started("other", at="09:00", job_id="roof"), policy=estimates(Mode.BLOCK))
    story.when(started("early", at="09:59:59", job_id="roof"))
    assert story.outcome.verdict == "accepted"
    story.when(started("desk", at="10:00", job_id="roof"))
    assert (story.outcome.verdict, story.outcome.rule) == ("refused", "R12")


def test_the_default_flags_and_the_zoho_preset_is_strict() -> None:
    story = given(ESTIMATED, *WORKED_HALF, *OTHER_HALF).when(START)
    story.then(accepted("R12", findings=[found(Rule.OVER_ESTIMATE, "desk", "09:30")]))
    zoho = Policy.model_validate({"preset": "zoho", "zone": "UTC", "rules": {"R16": {"auto_close_seconds": 50_400}}})
    assert zoho.unfit == ()
    strict = given(ESTIMATED, *WORKED_HALF, started("desk", at="09:00", job_id="roof"), policy=zoho)
    strict.when(paused("desk", at="09:30"))
    assert (strict.outcome.verdict, strict.outcome.rule) == ("refused", "R12")
    assert strict.timer("desk").state is State.RUNNING


def test_the_daily_cap_answers_before_the_estimate_and_the_overlap_after() -> None:
    """The order of the contract: R08 to R13."""
    capped = DailyCap(mode=Mode.BLOCK, billable_seconds_per_day=3600)
    both = estimates(Mode.BLOCK, cap=capped)
    story = given(ESTIMATED, *WORKED_HALF, *OTHER_HALF, policy=both).when(START)
    assert story.outcome.rule == "R11"
    alone = estimates(Mode.BLOCK, overlap=Overlap(mode=OverlapMode.BLOCK))
    overlapping = given(ESTIMATED, started("other", at="08:00", job_id="roof"), policy=alone).when(START)
    assert overlapping.outcome.rule == "R12"


def test_a_stop_of_a_paused_timer_adds_no_time_and_is_free() -> None:
    story = given(ESTIMATED, started("desk", at="09:00", job_id="roof"), paused("desk", at="09:10"))
    story.when(fact(OwnerEstimateSet, "09:20", job_id="roof", seconds=60), stopped("desk", at="09:30"))
    assert story.outcome.findings == ()
    assert story.outcome.flags == ()
