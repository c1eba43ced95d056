"""A late press, and another timer that has stopped by itself since: ticks make no difference."""

from typing import Final

import pytest

from shared.events.outcome import State
from shared.events.policy import DailyCap, LongRunning, Mode, Overlap, OverlapMode, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    Story,
    Told,
    found,
    given,
    moment,
    paused,
    resumed,
    started,
    stopped,
    tick,
    timer_id,
)
from tests.unit.projector.domain.due.looks import HOUR, policy, told

LIMIT: Final = LongRunning(long_running_seconds=4 * HOUR, auto_close_seconds=8 * HOUR)
TICKS: Final = pytest.mark.parametrize("ticks", [[], [tick("15:30")], [tick("17:01")], [tick("15:30"), tick("17:30")]])


def with_overlaps(mode: OverlapMode) -> Policy:
    return policy(rules=Rules(R13=Overlap(mode=mode), R16=LIMIT, R17=RuleMode(mode=Mode.OFF)))


def ended(story: Story, timer: str) -> list[tuple[object, State, str]]:
    """Return when a timer ended, and how, for each outcome that says so."""
    return [
        (change.closed.end, change.after.state, change.by)
        for outcome in story.outcomes
        for change in outcome.changed
        if change.timer == timer_id(timer) and change.closed is not None
    ]


@TICKS
@pytest.mark.parametrize("mode", [OverlapMode.STOP_PREVIOUS, OverlapMode.PAUSE_PREVIOUS])
def test_a_switch_finds_that_the_other_timer_has_stopped(ticks: list[Told], mode: OverlapMode) -> None:
    """From 09:00, so it stopped at 17:00. The start at 15:00 was heard at 18:00, and would have ended it at 15:00."""
    story = given(started("desk", at="09:00"), *ticks, policy=with_overlaps(mode))
    story.when(started("phone", at="18:00", asked="15:00"))
    assert (story.outcome.verdict, story.outcome.at) == ("accepted", moment("15:00"))
    assert ended(story, "desk") == [(moment("17:00"), State.STOPPED, "settle")]


@TICKS
def test_a_late_resume_finds_it_too(ticks: list[Told]) -> None:
    presses = started("phone", at="08:00"), paused("phone", at="08:30"), started("desk", at="09:00")
    story = given(*presses, *ticks, policy=with_overlaps(OverlapMode.STOP_PREVIOUS))
    story.when(resumed("phone", at="18:00", asked="15:00"))
    assert story.outcome.verdict == "accepted"
    assert ended(story, "desk") == [(moment("17:00"), State.STOPPED, "settle")]


@TICKS
def test_no_start_is_refused_because_of_a_timer_that_has_stopped(ticks: list[Told]) -> None:
    story = given(started("desk", at="09:00"), *ticks, policy=with_overlaps(OverlapMode.BLOCK))
    story.when(started("phone", at="18:00", asked="15:00"))
    assert story.outcome.verdict == "accepted"
    assert ended(story, "desk") == [(moment("17:00"), State.STOPPED, "settle")]


def test_a_start_that_is_recorded_before_the_limit_switches() -> None:
    story = given(started("desk", at="09:00"), policy=with_overlaps(OverlapMode.STOP_PREVIOUS))
    story.when(started("phone", at="16:59", asked="15:00"))
    assert ended(story, "desk") == [(moment("15:00"), State.STOPPED, "switch")]


def test_what_was_queued_offline_is_looked_at_a_minute_later() -> None:
    """Both starts came within a minute of the log, so nothing had fallen due for the first."""
    story = given(started("desk", at="18:00", asked="09:00"), policy=with_overlaps(OverlapMode.STOP_PREVIOUS))
    story.when(started("phone", at="18:00:20", asked="15:00"))
    assert ended(story, "desk") == [(moment("15:00"), State.STOPPED, "switch")]


def capped(mode: Mode) -> Policy:
    """Return a policy with a cap of eight and a half hours, under which timers may run beside each other."""
    cap = DailyCap(mode=mode, billable_seconds_per_day=8 * HOUR + HOUR // 2)
    return policy(rules=Rules(R11=cap, R13=Overlap(mode=OverlapMode.ALLOW), R16=LIMIT, R17=RuleMode(mode=Mode.OFF)))


@TICKS
def test_a_late_pause_is_judged_with_a_timer_that_has_stopped(ticks: list[Told]) -> None:
    """Eight hours of the desk and one of the phone. What has ended counts whole, whether a tick has said so or not."""
    story = given(started("desk", at="09:00"), started("phone", at="13:00"), *ticks, policy=capped(Mode.STRICT))
    story.when(paused("phone", at="18:00", asked="14:00"))
    assert (story.outcome.verdict, story.outcome.rule) == ("refused", "R11")
    assert story.running("phone") is not None
    assert ended(story, "desk") == [(moment("17:00"), State.STOPPED, "settle")]


@TICKS
def test_a_late_stop_is_flagged_with_it_too(ticks: list[Told]) -> None:
    story = given(started("desk", at="09:00"), started("phone", at="13:00"), *ticks, policy=capped(Mode.FLAG))
    story.when(stopped("phone", at="18:00", asked="14:00"))
    assert "R11" in story.outcome.flags
    assert ended(story, "phone") == [(moment("14:00"), State.STOPPED, "press")]


def test_the_timer_that_a_late_stop_ends_has_not_stopped_before_it() -> None:
    """Both would have stopped at 17:00. A stop that was queued offline finds no automatic stop before it."""
    story = given(started("desk", at="09:00"), started("phone", at="09:00"), policy=capped(Mode.FLAG))
    story.when(stopped("desk", at="18:00", asked="10:00"))
    assert ended(story, "desk") == [(moment("10:00"), State.STOPPED, "press")]
    assert story.outcome.changed[-1].closed is not None
    assert story.outcome.changed[-1].closed.was is None
    assert ended(story, "phone") == [(moment("17:00"), State.STOPPED, "settle")]


@pytest.mark.parametrize("ticks", [[], [tick("17:01")], [tick("21:01")], [tick("17:01"), tick("21:01")]])
def test_a_timer_that_began_after_a_late_stop_is_no_time_of_before_it(ticks: list[Told]) -> None:
    """The desk's end is taken back. The phone ran for eight hours, but none of them by half past twelve."""
    story = given(started("desk", at="09:00"), started("phone", at="13:00"), *ticks, policy=capped(Mode.FLAG))
    story.when(stopped("desk", at="22:00", asked="12:30"))
    desk = [one for one in told(story) if one.timer_id == timer_id("desk") and one.rule == "R11"]
    assert [one for one in desk if one.amount_us != 0] == []


def test_a_late_pause_that_is_refused_leaves_both_timers_to_the_clock() -> None:
    """The pressed timer runs on, so it stops with the other at 17:00, and what is found of both is found in order."""
    story = given(started("desk", at="09:00"), started("phone", at="09:00"), policy=capped(Mode.STRICT))
    story.when(paused("desk", at="18:00", asked="16:00"))
    assert story.outcome.verdict == "refused"
    for timer in ("desk", "phone"):
        assert ended(story, timer) == [(moment("17:00"), State.STOPPED, "settle")]
        assert found(Rule.OVER_DAILY_CAP, timer, "13:15", "17:00") in story.outcome.findings
