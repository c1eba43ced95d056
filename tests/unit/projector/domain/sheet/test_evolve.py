"""Evolve: applies one outcome to a sheet, fresh or from the stream, and never judges it again."""

from dataclasses import replace

from services.projector.domain.sheet.evolve import evolve
from services.projector.domain.sheet.state import ClosedInterval, OpenInterval, Timesheet
from shared.events.durations import US_PER_MINUTE
from shared.events.models import OwnerProfileSet, OwnerTextsErased
from shared.events.outcome import DayPart, State, Was, read_outcome
from tests.support.story.given import NOAM, Story, fact, given, moment, paused, resumed, started, stopped, timer_id

NOBODY = Timesheet("acme", "dana")


def replayed(story: Story, before: Timesheet = NOBODY) -> Timesheet:
    """Fold the outcomes from their bytes, as a reader of the stream does."""
    for folded in story.answers:
        before = evolve(before, read_outcome(folded.body))
    return before


def test_a_replayed_story_ends_where_the_live_one_did() -> None:
    story = given(
        fact(OwnerProfileSet, "08:00", zone="Europe/Berlin"),
        started("desk", at="09:00", job_id="J-1"),
        paused("desk", at="09:10", asked="08:30"),
        started("phone", at="09:15", zone_assumed=True),
        resumed("desk", at="09:20"),
        paused("phone", at="09:20", by=NOAM),
        resumed("phone", at="09:25"),
        stopped("desk", at="09:30"),
        stopped("desk", at="09:40"),
        fact(OwnerTextsErased, "09:50"),
    )
    assert replayed(story) == story.sheet()
    assert replayed(story).zone == "Europe/Berlin"
    assert set(replayed(story).timers) == {timer_id("desk"), timer_id("phone")}


def test_an_opened_interval_is_open_until_it_is_closed() -> None:
    story = given(started("desk", at="09:00"))
    assert replayed(story).timers[timer_id("desk")].open == OpenInterval(
        1, moment("09:00"), "Asia/Jerusalem", moment("09:00")
    )
    story.when(paused("desk", at="09:10"))
    assert replayed(story).timers[timer_id("desk")].open is None
    story.when(resumed("desk", at="09:20"))
    assert replayed(story).timers[timer_id("desk")].open == OpenInterval(
        2, moment("09:20"), "Asia/Jerusalem", moment("09:20")
    )


def test_closed_intervals_are_remembered_in_the_order_of_their_ends() -> None:
    story = given(
        started("desk", at="09:00"),
        started("phone", at="09:10"),
        stopped("phone", at="09:20"),
        paused("desk", at="09:30"),
        stopped("desk", at="09:40"),
    )
    assert replayed(story).closed == (
        ClosedInterval(
            timer_id("phone"), moment("09:10"), moment("09:20"), "Asia/Jerusalem", billable=True, job_id=None
        ),
        ClosedInterval(
            timer_id("desk"), moment("09:00"), moment("09:30"), "Asia/Jerusalem", billable=True, job_id=None
        ),
    )


def test_a_refused_outcome_leaves_the_sheet_as_it_was() -> None:
    story = given(started("desk", at="09:00"), resumed("desk", at="09:10"))
    sheet = replayed(given(started("desk", at="09:00")))
    assert evolve(sheet, story.outcome) == sheet


def test_a_refused_outcome_brings_no_timer_with_it() -> None:
    """It says how the pressed timer stands. A sheet that does not know that timer must ask elsewhere."""
    story = given(started("desk", at="09:00"), resumed("desk", at="09:10"))
    assert story.outcome.timer is not None
    assert evolve(NOBODY, story.outcome) == NOBODY


def test_a_repeated_stop_leaves_the_sheet_as_it_was() -> None:
    story = given(started("desk", at="09:00"), stopped("desk", at="09:10"))
    sheet = replayed(story)
    story.when(stopped("desk", at="09:20"))
    assert evolve(sheet, story.outcome) == sheet


def test_a_pause_changes_its_own_timer_alone() -> None:
    story = given(started("desk", at="09:00"), started("phone", at="09:05"))
    before = replayed(story)
    story.when(paused("desk", at="09:10"))
    after = evolve(before, story.outcome)
    assert after.timers[timer_id("phone")] == before.timers[timer_id("phone")]
    assert after.timers[timer_id("desk")].state is State.PAUSED


def test_the_sheet_that_was_given_is_not_touched() -> None:
    story = given(started("desk", at="09:00"))
    before = replayed(story)
    same = replace(before, timers=dict(before.timers))
    story.when(stopped("desk", at="09:10"))
    evolve(before, story.outcome)
    assert before == same


def test_evolve_believes_a_verdict_that_todays_rules_would_not_give() -> None:
    """It carries a flag of a rule that this release has never heard of."""
    story = given(started("desk", at="09:00"), paused("desk", at="09:10"))
    said = replace(story.outcome, flags=("R99",), rule=None)
    assert evolve(replayed(given(started("desk", at="09:00"))), said) == replayed(story)


def test_an_end_that_was_taken_back_is_replaced() -> None:
    """The sheet knew an interval until 11:00, guessed by the system. A person says 09:30."""
    guessed = replayed(given(started("desk", at="09:00"), stopped("desk", at="11:00")))
    outcome = given(started("desk", at="09:00"), stopped("desk", at="09:30")).outcome
    (change,) = outcome.changed
    assert change.closed is not None
    taken_back = replace(
        change.closed,
        was=Was(end=moment("11:00"), days=(DayPart(on=moment("11:00").date(), us=2 * 60 * US_PER_MINUTE),)),
    )
    outcome = replace(outcome, changed=(replace(change, closed=taken_back),))
    assert evolve(guessed, outcome) == replayed(given(started("desk", at="09:00"), stopped("desk", at="09:30")))
