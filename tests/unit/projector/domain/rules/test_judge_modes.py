"""The rules of time in each mode that a tenant may set: off, flag, block, strict. None refuses a stop."""

from collections.abc import Callable
from typing import Final

import pytest

from shared.events.outcome import State
from shared.events.policy import Mode, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
    Came,
    Told,
    accepted,
    found,
    given,
    moment,
    paused,
    refused,
    resumed,
    started,
    stopped,
)

MONDAYS_DATE: Final = moment("00:00").date()
PRESSES: Final[dict[str, tuple[tuple[Told, ...], Callable[..., Told]]]] = {
    "start": ((), started),
    "resume": ((started("desk", at="09:00"), paused("desk", at="09:10")), resumed),
    "pause": ((started("desk", at="09:00"),), paused),
    "stop": ((started("desk", at="09:00"),), stopped),
    "stop of a paused one": ((started("desk", at="09:00"), paused("desk", at="09:10")), stopped),
}
REFUSED: Final = {
    Mode.OFF: set[str](),
    Mode.FLAG: set[str](),
    Mode.BLOCK: {"start", "resume"},
    Mode.STRICT: {"start", "resume", "pause"},
}


def future_time(mode: Mode | None) -> Policy:
    return JERUSALEM.model_copy(update={"rules": Rules(R14=RuleMode(mode=mode))})


def late_press(mode: Mode) -> Policy:
    return JERUSALEM.model_copy(update={"rules": Rules(R18=RuleMode(mode=mode))})


def expected(mode: Mode, press: str, asked: str) -> Came:
    if mode is Mode.OFF:
        return accepted()
    if press in REFUSED[mode]:
        return refused(Rule.FUTURE_TIME, found(Rule.FUTURE_TIME, "desk", "09:30", asked, refused=True))
    return accepted("R14", findings=[found(Rule.FUTURE_TIME, "desk", "09:30", asked)])


@pytest.mark.parametrize("press", PRESSES)
@pytest.mark.parametrize("mode", Mode)
def test_a_future_time_is_treated_as_its_mode_says(mode: Mode, press: str) -> None:
    before, pressing = PRESSES[press]
    story = given(*before, policy=future_time(mode))
    story.when(pressing("desk", at="09:30", asked="09:40")).then(expected(mode, press, "09:40"))


@pytest.mark.parametrize("press", PRESSES)
@pytest.mark.parametrize("mode", Mode)
def test_a_time_under_a_minute_ahead_is_refused_in_no_mode(mode: Mode, press: str) -> None:
    before, pressing = PRESSES[press]
    story = given(*before, policy=future_time(mode))
    came = accepted() if mode is Mode.OFF else expected(Mode.FLAG, press, "09:31")
    story.when(pressing("desk", at="09:30", asked="09:31")).then(came)


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.FLAG])
def test_a_future_time_that_is_not_refused_is_still_clamped(mode: Mode) -> None:
    story = given(policy=future_time(mode)).when(started("desk", at="09:30", asked="2027-01-01T00:00"))
    assert story.timer("desk").started_at == moment("09:30")


@pytest.mark.parametrize("press", PRESSES)
def test_a_policy_without_a_mode_refuses_times_over_a_minute_ahead(press: str) -> None:
    """Stops are accepted all the same."""
    before, pressing = PRESSES[press]
    for policy in (JERUSALEM, future_time(None)):
        story = given(*before, policy=policy)
        story.when(pressing("desk", at="09:30", asked="09:40")).then(expected(Mode.STRICT, press, "09:40"))


@pytest.mark.parametrize(
    ("mode", "came"),
    [
        (Mode.OFF, accepted()),
        (Mode.FLAG, accepted("R14", findings=[found(Rule.FUTURE_TIME, "desk", "09:30", "09:30")])),
        (Mode.BLOCK, refused(Rule.FUTURE_TIME, found(Rule.FUTURE_TIME, "desk", "09:30", refused=True))),
        (Mode.STRICT, refused(Rule.FUTURE_TIME, found(Rule.FUTURE_TIME, "desk", "09:30", refused=True))),
    ],
)
def test_a_work_date_of_tomorrow_does_what_the_mode_says(mode: Mode, came: Came) -> None:
    tomorrow = MONDAYS_DATE.replace(day=MONDAYS_DATE.day + 1)
    given(policy=future_time(mode)).when(started("desk", at="09:30", work_date=tomorrow)).then(came)


def test_a_late_stop_with_late_off_has_no_flag_and_is_clamped() -> None:
    """Mode off drops the flag alone. The clamp stays, because a timer never goes back in time."""
    story = given(started("desk", at="09:00"), policy=late_press(Mode.OFF))
    story.when(stopped("desk", at="09:30", asked="08:00")).then(accepted())
    timer = story.timer("desk")
    assert (timer.state, timer.stopped_at, timer.total_us) == (State.STOPPED, moment("09:00"), 0)


@pytest.mark.parametrize("mode", [Mode.FLAG, Mode.BLOCK, Mode.STRICT])
@pytest.mark.parametrize("press", PRESSES)
def test_work_queued_offline_is_refused_in_no_mode(mode: Mode, press: str) -> None:
    """The work was done, so a late press can only be flagged."""
    before, pressing = PRESSES[press]
    story = given(*before, policy=late_press(mode))
    story.when(pressing("desk", at="09:30", asked="09:15")).then(accepted("late"))
