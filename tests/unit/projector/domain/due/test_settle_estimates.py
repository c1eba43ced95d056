"""R12 without a press: an estimate that is used up while timers run, at the microsecond at which it is."""

from datetime import timedelta
from typing import Final

import pytest

from services.projector.domain.fold import Voided
from shared.events.durations import US_PER_MINUTE
from shared.events.models import DeadlineReached, OwnerEstimateSet
from shared.events.outcome import State
from shared.events.policy import LongRunning, Mode, Overlap, OverlapMode, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
    Story,
    Told,
    accepted,
    book_of,
    fact,
    found,
    given,
    moment,
    paused,
    resumed,
    started,
    stopped,
    tick,
)
from tests.unit.projector.domain.due.looks import HOUR, told


def policy(mode: Mode | None = None, **limits: int) -> Policy:
    """Return a policy under which R12 and R16 alone find anything about one owner's timers."""
    rules = Rules(
        R12=RuleMode(mode=mode),
        R13=Overlap(mode=OverlapMode.ALLOW),
        R16=LongRunning.model_validate(limits),
        R17=RuleMode(mode=Mode.OFF),
    )
    return JERUSALEM.model_copy(update={"rules": rules})


ALONE: Final = policy()


def estimated(seconds: int, at: str = "08:00", job: str = "roof") -> Told:
    return fact(OwnerEstimateSet, at, job_id=job, seconds=seconds)


def on_roof(timer: str, at: str, asked: str | None = None) -> Told:
    return started(timer, at=at, job_id="roof") if asked is None else started(timer, at=at, asked=asked, job_id="roof")


def test_an_estimate_is_found_at_the_microsecond_at_which_it_is_used_up() -> None:
    story = given(estimated(HOUR), started("desk", at="09:00:00.000123", job_id="roof", logged="09:00:01"))
    used_up = "10:00:00.000123"
    assert story.outcome.due == moment(used_up)
    story.when(tick("10:00:01")).then(accepted(findings=[found(Rule.OVER_ESTIMATE, "desk", used_up)]))
    assert story.timer("desk").flags == ("R12",)
    assert story.timer("desk").state is State.RUNNING


def test_a_tick_before_it_is_void_and_one_long_after_finds_the_same_instant() -> None:
    early = given(estimated(HOUR), on_roof("desk", "09:00")).when(tick("09:59:59.999"))
    assert isinstance(early.answers[-1], Voided)
    late = given(estimated(HOUR), on_roof("desk", "09:00")).when(tick("13:00"))
    assert told(late) == [found(Rule.OVER_ESTIMATE, "desk", "10:00")]


def test_without_an_estimate_nothing_is_due() -> None:
    story = given(on_roof("desk", "09:00"), tick("23:00"))
    assert (told(story), story.outcome.due) == ([], None)


def test_a_timer_without_a_job_uses_no_estimate_up() -> None:
    story = given(estimated(HOUR), started("desk", at="09:00"), tick("23:00"))
    assert (told(story), story.outcome.due) == ([], None)


def test_time_on_another_job_does_not_count() -> None:
    before = (started("phone", at="06:00", job_id="cellar"), stopped("phone", at="07:00"))
    story = given(*before, estimated(HOUR), on_roof("desk", "09:00"), policy=ALONE)
    story.when(started("car", at="09:10", job_id="cellar"), tick("11:00"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "10:00")]


def test_another_owners_time_on_the_job_does_not_count() -> None:
    story = given(estimated(HOUR), started("noams", at="07:00", owner="noam", job_id="roof"), on_roof("desk", "09:00"))
    story.when(tick("11:00"), fact(DeadlineReached, "12:00", owner="noam"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "10:00")]


def test_two_timers_on_one_job_use_its_estimate_up_twice_as_fast() -> None:
    """Sixty minutes from 09:00, and a second timer from 09:30: each has its finding at 09:45, in the order of ids."""
    story = given(estimated(HOUR), on_roof("desk", "09:00"), on_roof("phone", "09:30"), policy=ALONE).when(
        tick("12:00")
    )
    both = [found(Rule.OVER_ESTIMATE, timer, "09:45") for timer in ("desk", "phone")]
    assert told(story) == sorted(both, key=lambda one: one.timer_id)


def test_an_odd_microsecond_is_rounded_up_when_two_timers_run() -> None:
    """A second and a microsecond are missing: half a second, and half a microsecond, which no clock shows."""
    story = given(estimated(2), started("desk", at="09:00", job_id="roof"), policy=ALONE)
    story.when(paused("desk", at="09:00:00.999999", logged="09:00:01"))
    story.when(on_roof("car", "09:10"), on_roof("phone", "09:10"), tick("09:12"))
    assert {one.from_ for one in told(story)} == {moment("09:10:00.500001")}


def test_not_billable_time_counts_too() -> None:
    story = given(estimated(HOUR), started("desk", at="09:00", job_id="roof", billable=False), tick("11:00"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "10:00")]


def test_an_estimate_lasts_over_several_days_and_its_finding_ends_at_no_midnight() -> None:
    """Three hours on Monday, and the rest of ten on Tuesday, into Wednesday."""
    story = given(estimated(10 * HOUR), on_roof("desk", "09:00"), paused("desk", at="12:00"))
    story.when(resumed("desk", at="2026-03-03T14:00"), tick("2026-03-03T23:00"))
    story.when(stopped("desk", at="2026-03-04T08:00"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "2026-03-03T21:00", "2026-03-04T08:00")]


def test_the_night_on_which_the_clocks_change_is_as_long_as_it_is() -> None:
    """In Jerusalem 02:00 is followed by 03:00 on Friday 27 March 2026. Four hours are four hours."""
    story = given(estimated(4 * HOUR), on_roof("desk", "2026-03-26T21:00"), tick("2026-03-27T09:00"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "2026-03-27T01:00")]


def test_a_backdated_start_counts_from_its_own_time() -> None:
    story = given(estimated(HOUR), on_roof("desk", "12:00", asked="10:30"), tick("12:01"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "11:30")]


def test_nothing_is_found_before_the_estimate_was_known() -> None:
    """A start was queued offline since 09:00. The estimate of an hour is on the log since 11:00."""
    story = given(estimated(HOUR, at="11:00"), on_roof("desk", "12:00", asked="09:00"), tick("12:01"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "11:00")]


def test_an_estimate_set_or_lowered_under_a_running_timer_counts_from_then() -> None:
    new = given(on_roof("desk", "09:00"), estimated(HOUR, at="11:00"))
    assert new.outcome.findings == (found(Rule.OVER_ESTIMATE, "desk", "11:00"),)
    lower = given(estimated(8 * HOUR), on_roof("desk", "09:00"), estimated(HOUR, at="11:00"))
    assert told(lower) == [found(Rule.OVER_ESTIMATE, "desk", "11:00")]
    not_yet = given(on_roof("desk", "09:00"), estimated(3 * HOUR, at="11:00"))
    assert (told(not_yet), not_yet.outcome.due) == ([], moment("12:00"))


def test_an_estimate_that_is_raised_later_withdraws_no_finding_and_opens_no_second() -> None:
    story = given(estimated(HOUR), on_roof("desk", "09:00"), tick("10:00"), estimated(3 * HOUR, at="11:00"))
    story.when(tick("13:00"), stopped("desk", at="14:00"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "10:00", "14:00")]


def test_a_raised_estimate_gives_more_time() -> None:
    story = given(estimated(HOUR), on_roof("desk", "09:00"), estimated(2 * HOUR, at="09:30"), tick("12:00"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "11:00")]


def test_a_rule_that_is_switched_on_counts_from_then() -> None:
    """The second document is set on Monday at midnight UTC. The hour was over before."""
    story = Story(book_of(policy(Mode.OFF), policy(Mode.FLAG)))
    story.when(estimated(HOUR, at="2026-03-01T20:00"), on_roof("desk", "2026-03-01T21:00"), tick("2026-03-01T23:00"))
    assert told(story) == []
    story.when(started("phone", at="03:00", policy_rev=3))
    assert told(story)[0] == found(Rule.OVER_ESTIMATE, "desk", "00:00")


def test_switched_off_it_is_quiet() -> None:
    story = given(estimated(HOUR), on_roof("desk", "09:00"), tick("12:00"), policy=policy(Mode.OFF))
    assert (told(story), story.outcome.due) == ([], None)


def test_a_finding_ends_with_its_interval_and_the_next_interval_has_its_own() -> None:
    story = given(estimated(HOUR), on_roof("desk", "09:00")).when(paused("desk", at="10:30"))
    story.then(accepted("R12", findings=[found(Rule.OVER_ESTIMATE, "desk", "10:00", "10:30")]))
    story.when(resumed("desk", at="11:00"), stopped("desk", at="11:20"))
    assert told(story)[1:] == [found(Rule.OVER_ESTIMATE, "desk", "11:00", "11:20")]


def test_a_crossing_that_did_not_happen_has_no_time() -> None:
    """A tick found it at 10:00. A pause that was queued offline says that the work ended at 09:40."""
    story = given(estimated(HOUR), on_roof("desk", "09:00"), tick("10:20"))
    story.when(paused("desk", at="10:30", asked="09:40"))
    assert told(story) == [found(Rule.OVER_ESTIMATE, "desk", "10:00", "10:00")]


def test_at_one_instant_a_timers_rules_come_in_their_order() -> None:
    story = given(estimated(HOUR), on_roof("desk", "09:00"), policy=policy(long_running_seconds=HOUR))
    story.when(tick("10:00"))
    assert [(one.rule, one.from_) for one in story.outcome.findings] == [
        ("R12", moment("10:00")),
        ("R16", moment("10:00")),
    ]


def test_an_automatic_stop_before_it_leaves_the_rest_of_the_estimate() -> None:
    story = given(estimated(90 * 60), on_roof("desk", "09:00"), tick("12:00"), policy=policy(auto_close_seconds=HOUR))
    assert story.minutes("desk") == 60
    story.when(on_roof("phone", "12:00"), tick("12:30"))
    assert [one for one in told(story) if one.rule == "R12"] == [found(Rule.OVER_ESTIMATE, "phone", "12:30")]


def test_an_estimate_that_is_used_up_in_a_month_is_looked_at_again_in_between() -> None:
    """A deadline is looked for eight days ahead. Without another look, nobody would look after those days."""
    story = given(estimated(30 * 24 * HOUR), on_roof("desk", "09:00"), policy=ALONE)
    assert story.outcome.due == moment("09:00") + timedelta(days=8)
    nothing = given(estimated(30 * 24 * HOUR), started("desk", at="09:00"), policy=ALONE)
    assert nothing.outcome.due is None


def test_an_estimate_of_thirty_years_is_no_trouble() -> None:
    story = given(estimated(10**9), on_roof("desk", "09:00"), tick("23:00"))
    assert told(story) == []


TICKS: Final = [(), ("09:45",), ("09:30", "09:45", "09:45", "11:15"), ("21:00",)]


@pytest.mark.parametrize("ticks", TICKS)
def test_ticks_change_no_finding_and_no_minute(ticks: tuple[str, ...]) -> None:
    presses = {"09:00": on_roof("desk", "09:00"), "09:30": on_roof("phone", "09:30")}
    presses |= {"10:30": paused("desk", at="10:30"), "21:30": stopped("phone", at="21:30")}
    story = given(estimated(HOUR), policy=ALONE)
    for at in sorted([*presses, *ticks], key=moment):
        story.when(presses.get(at) or tick(at))
    assert sorted(told(story), key=lambda one: one.timer_id) == sorted(
        [found(Rule.OVER_ESTIMATE, "desk", "09:45", "10:30"), found(Rule.OVER_ESTIMATE, "phone", "09:45", "21:30")],
        key=lambda one: one.timer_id,
    )
    assert story.sheet().jobs["roof"].worked_us == (90 + 12 * 60) * US_PER_MINUTE


# Ends that are taken back.


def test_an_end_that_is_taken_back_gives_the_job_its_time_back() -> None:
    """The system stopped the desk at 13:00. A late stop says 10:00, so the phone has three and a half hours."""
    story = given(
        estimated(270 * 60), on_roof("desk", "09:00"), tick("13:05"), policy=policy(auto_close_seconds=4 * HOUR)
    )
    assert story.sheet().jobs["roof"].worked_us == 240 * US_PER_MINUTE
    story.when(stopped("desk", at="13:10", asked="10:00"), on_roof("phone", "13:10"), tick("16:45"))
    assert story.sheet().jobs["roof"].worked_us == 60 * US_PER_MINUTE
    assert [one for one in told(story) if one.rule == "R12"] == [found(Rule.OVER_ESTIMATE, "phone", "16:40")]


def test_a_press_before_such_an_end_is_judged_without_the_time_after_it() -> None:
    """At 11:00 two of three hours were used up, so `strict` lets the pause be, and the finding of 12:00 has no time."""
    strict = policy(Mode.STRICT, auto_close_seconds=4 * HOUR)
    story = given(estimated(3 * HOUR), on_roof("desk", "09:00"), tick("13:05"), policy=strict)
    assert found(Rule.OVER_ESTIMATE, "desk", "12:00", "13:00") in told(story)
    story.when(paused("desk", at="13:10", asked="11:00"))
    assert story.outcome.verdict == "accepted"
    assert found(Rule.OVER_ESTIMATE, "desk", "12:00", "12:00") in told(story)
    assert story.sheet().jobs["roof"].worked_us == 120 * US_PER_MINUTE
