"""A late press moves crossings that were told of timers that nobody ended, too: those that the system stopped."""

from typing import Final

import pytest

from shared.events.models import OwnerEstimateSet
from shared.events.outcome import Finding, State
from shared.events.policy import DailyCap, LongRunning, Mode, Overlap, OverlapMode, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import Story, Told, fact, found, given, moment, paused, started, stopped, tick, timer_id
from tests.unit.projector.domain.due.looks import HOUR, agreed, policy, told

R11, R12, R16 = Rule.OVER_DAILY_CAP, Rule.OVER_ESTIMATE, Rule.LONG_RUNNING


def limits(cap: int = 8, stops: int = 10, overlap: OverlapMode = OverlapMode.ALLOW) -> Policy:
    """Return a policy: so many billable hours a day, and after so many hours a timer stops."""
    rules = Rules(
        R11=DailyCap(billable_seconds_per_day=cap * HOUR),
        R13=Overlap(mode=overlap),
        R16=LongRunning(auto_close_seconds=stops * HOUR),
        R17=RuleMode(mode=Mode.OFF),
    )
    return policy(rules=rules)


def both(*told: Told, policy: Policy | None = None) -> Story:
    """Begin with two timers that run from 09:00. At 13:00 they have made eight hours; at 19:00 they stop."""
    return given(started("desk", at="09:00"), started("phone", at="09:00"), *told, policy=policy or limits())


def of(story: Story, timer: str, *rules: Rule) -> list[Finding]:
    """Return the findings of some rules about a timer, each as it was told last, those without time left out."""
    return [one for one in told(story) if one.timer_id == timer_id(timer) and one.rule in rules if one.amount_us != 0]


LATE: Final = stopped("phone", at="20:00", asked="11:00")


@pytest.mark.parametrize("ticks", [(), ("13:30",), ("13:30", "19:01"), ("19:01",)])
def test_a_late_stop_moves_the_crossing_of_a_timer_that_has_stopped_by_itself(ticks: tuple[str, ...]) -> None:
    """The phone had stopped at 11:00, so the desk reached eight hours at 15:00. It does not matter who looked when."""
    story = both(*map(tick, ticks), LATE)
    assert of(story, "desk", R11) == [found(R11, "desk", "15:00", "19:00")]
    assert of(story, "phone", R11) == []
    agreed(story)


def test_minutes_state_and_end_of_the_stopped_timer_stay() -> None:
    story = both(tick("19:01"))
    before = story.timer("desk")
    story.when(LATE)
    assert story.timer("desk") == before
    assert [change.timer for change in story.outcome.changed] == [timer_id("phone")]


def test_a_crossing_that_does_not_move_is_not_told_again() -> None:
    """The car is not billable, so it changes nothing of the cap."""
    story = both(started("car", at="10:00", billable=False), tick("19:01"), stopped("car", at="20:00", asked="11:00"))
    assert story.outcome.findings == ()
    assert of(story, "desk", R11) == [found(R11, "desk", "13:00", "19:00")]


def test_a_crossing_ends_at_midnight_and_not_with_its_interval() -> None:
    """In Jerusalem the day ends at 22:00 UTC; the desk stops by itself at 05:00."""
    story = both(tick("2026-03-03T06:00"), policy=limits(stops=20)).when(
        stopped("phone", at="2026-03-03T07:00", asked="11:00")
    )
    assert of(story, "desk", R11) == [found(R11, "desk", "15:00", "22:00")]


def test_the_time_of_a_job_moves_in_a_stopped_timer_too() -> None:
    story = given(fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=8 * HOUR), policy=limits(cap=24))
    story.when(started("desk", at="09:00", job_id="roof"), started("phone", at="09:00", job_id="roof"))
    story.when(tick("19:01"), LATE)
    assert of(story, "desk", R12) == [found(R12, "desk", "15:00", "19:00")]
    agreed(story)


def test_what_is_found_only_now_is_a_flag_of_the_stopped_timer() -> None:
    """Nothing was found of the desk until the phone's late start. Its end may be taken back as before."""
    story = given(started("desk", at="09:00"), tick("19:01"), policy=limits(cap=11))
    assert story.timer("desk").flags == ("R16",)
    story.when(started("phone", at="20:00", asked="15:00"))
    assert story.timer("desk").flags == ("R11", "R16")
    assert of(story, "desk", R11) == [found(R11, "desk", "17:30", "19:00")]
    agreed(story)
    story.when(stopped("desk", at="20:10", asked="18:00"))
    assert (story.minutes("desk"), story.timer("desk").state) == (9 * 60, State.STOPPED)
    assert of(story, "desk", R11) == [found(R11, "desk", "17:30", "18:00")]


def test_a_timer_that_a_switch_ended_is_looked_at_too() -> None:
    """No press has ended the desk: the car's start did, in the middle of a day that seemed full."""
    switching = limits(overlap=OverlapMode.STOP_PREVIOUS)
    story = given(started("desk", at="09:00"), policy=switching)
    story.when(started("car", at="18:00"), stopped("car", at="18:10"))
    assert of(story, "desk", R11) == [found(R11, "desk", "17:00", "18:00")]
    story.when(started("phone", at="18:20", asked="17:30"))
    assert of(story, "desk", R11) == [found(R11, "desk", "17:00", "18:00")]  # before the late press
    story.when(stopped("phone", at="18:30", asked="17:40"), started("mail", at="18:40", asked="16:00"))
    assert of(story, "desk", R11) == [found(R11, "desk", "16:30", "18:00")]
    agreed(story)


def test_what_was_found_of_an_interval_that_a_press_ended_stands() -> None:
    """A person has said when the desk ended, and heard what was known then."""
    story = both(stopped("desk", at="18:00"), LATE)
    assert of(story, "desk", R11) == [found(R11, "desk", "13:00", "18:00")]


def test_an_automatic_stop_of_the_day_before_yesterday_moves_as_well() -> None:
    story = both(tick("19:01")).when(stopped("phone", at="2026-03-05T09:00", asked="11:00"))
    assert of(story, "desk", R11) == [found(R11, "desk", "15:00", "19:00")]
    story = both(tick("19:01")).when(stopped("phone", at="2026-03-11T09:00", asked="11:00"))
    assert of(story, "desk", R11) == [found(R11, "desk", "13:00", "19:00")]  # over eight days


def test_a_pause_of_the_stopped_timer_itself_ends_what_was_found_of_it() -> None:
    story = both(tick("19:01"), LATE).when(paused("desk", at="20:10", asked="16:00"))
    assert of(story, "desk", R11) == [found(R11, "desk", "15:00", "16:00")]
    assert story.sheet().timers[timer_id("desk")].ended is None
    assert moment("16:00") == story.timer("desk").last_at
    agreed(story)
