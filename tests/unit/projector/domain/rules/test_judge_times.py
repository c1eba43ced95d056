"""When a press counts, and the findings on times that callers give: R14, R18 and the labels beside them."""

from collections.abc import Callable
from datetime import date

import pytest

from shared.events.rules import Rule
from tests.support.story.given import (
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

FUTURE = Rule.FUTURE_TIME
LATE_PRESS = Rule.LATE_PRESS


def flagged_future(timer: str, from_: str, to: str) -> Came:
    return accepted("R14", findings=[found(FUTURE, timer, from_, to)])


def refused_future(timer: str, from_: str, to: str) -> Came:
    return refused(FUTURE, found(FUTURE, timer, from_, to, refused=True))


# When it counts.


def test_a_press_without_a_time_counts_from_the_apis_clock() -> None:
    story = given().when(started("desk", at="09:00:00.250", logged="09:00:07")).then(accepted())
    assert story.timer("desk").started_at == moment("09:00:00.250")


def test_an_api_clock_ahead_of_the_log_is_clamped_without_blame() -> None:
    """Even an hour ahead, because the caller asked for no time."""
    story = given().when(started("desk", at="10:00", logged="09:00")).then(accepted())
    assert story.timer("desk").started_at == moment("09:00")


def test_an_api_clock_behind_the_log_is_believed_without_blame() -> None:
    story = given().when(started("desk", at="08:00", logged="09:00")).then(accepted())
    assert story.timer("desk").started_at == moment("08:00")


def test_the_asked_time_counts_before_the_apis_clock() -> None:
    story = given().when(started("desk", at="09:00", asked="08:59:30")).then(accepted())
    assert story.timer("desk").started_at == moment("08:59:30")
    assert story.outcome.asked_at == story.outcome.at == moment("08:59:30")
    assert story.outcome.recorded_at == moment("09:00")


@pytest.mark.parametrize("press", [paused, stopped], ids=["pause", "stop"])
def test_no_press_counts_before_its_timers_last_one(press: Callable[..., Told]) -> None:
    """The API of the second press has a slow clock. The interval is then empty, never negative."""
    story = given(started("desk", at="09:00")).when(press("desk", at="08:50", logged="09:05")).then(accepted())
    assert story.outcome.at == story.timer("desk").last_at == moment("09:00")
    assert story.minutes("desk") == 0


def test_a_resume_does_not_count_before_the_pause() -> None:
    story = given(started("desk", at="09:00"), paused("desk", at="09:10"))
    story.when(resumed("desk", at="09:20", asked="09:05"))
    opened = story.running("desk")
    assert opened is not None
    assert opened.start == moment("09:10")


def test_a_refused_press_is_no_timers_last_one() -> None:
    story = given(started("desk", at="09:00"), resumed("desk", at="09:30"))
    story.when(paused("desk", at="09:40", asked="09:29:30")).then(accepted("late"))
    assert story.minutes("desk") == 29.5


def test_a_repeated_stop_is_no_timers_last_one() -> None:
    story = given(started("desk", at="09:00"), stopped("desk", at="09:10"), stopped("desk", at="09:20"))
    assert story.timer("desk").last_at == moment("09:10")


# R14: a time that had not come.


@pytest.mark.parametrize("asked", ["09:00:00.001", "09:00:01", "09:00:59.999999", "09:01:00"])
def test_a_time_up_to_a_minute_ahead_is_clamped_and_flagged(asked: str) -> None:
    story = given().when(started("desk", at="09:00", asked=asked)).then(flagged_future("desk", "09:00", asked))
    assert story.timer("desk").started_at == moment("09:00")
    assert story.timer("desk").flags == ("R14",)


@pytest.mark.parametrize("asked", ["09:01:00.001", "09:01:00.000001", "09:02", "9999-12-31T23:59:59"])
def test_over_a_minute_ahead_is_refused(asked: str) -> None:
    given().when(started("desk", at="09:00", asked=asked)).then(refused_future("desk", "09:00", asked))


@pytest.mark.parametrize("asked", ["08:59:59.999999", "09:00", "09:00:00.000999"])
def test_a_time_in_the_logs_own_millisecond_is_not_ahead(asked: str) -> None:
    """The broker's clock shows 09:00:00.000 for all of it."""
    story = given().when(started("desk", at="09:00", asked=asked)).then(accepted())
    assert story.timer("desk").started_at == min(moment(asked), moment("09:00"))


def test_it_is_the_log_that_says_what_the_future_is() -> None:
    """Heard at nine, on the log at half past nine: the asked time had come by then."""
    given().when(started("desk", at="09:00", asked="09:20", logged="09:30")).then(accepted("late"))
    given().when(started("desk", at="09:30", asked="09:30", logged="09:00")).then(
        refused_future("desk", "09:00", "09:30")
    )


def test_a_pause_over_a_minute_ahead_is_refused() -> None:
    """The timer runs on."""
    story = given(started("desk", at="09:00"))
    story.when(paused("desk", at="09:10", asked="09:12")).then(refused_future("desk", "09:10", "09:12"))
    assert story.running("desk") is not None


def test_a_resume_over_a_minute_ahead_is_refused() -> None:
    story = given(started("desk", at="09:00"), paused("desk", at="09:10"))
    story.when(resumed("desk", at="09:20", asked="09:22")).then(refused_future("desk", "09:20", "09:22"))


@pytest.mark.parametrize("asked", ["09:10:01", "09:11", "09:11:00.001", "12:00", "9999-12-31T23:59:59"])
def test_a_stop_however_far_ahead_is_clamped_and_flagged_and_never_refused(asked: str) -> None:
    story = given(started("desk", at="09:00"))
    story.when(stopped("desk", at="09:10", asked=asked)).then(flagged_future("desk", "09:10", asked))
    assert story.minutes("desk") == 10


def test_an_illegal_press_hears_r07_before_its_time_is_judged() -> None:
    story = given(started("desk", at="09:00"))
    story.when(resumed("desk", at="09:10", asked="12:00"))
    story.then(refused(Rule.NOT_LEGAL_NOW, found(Rule.NOT_LEGAL_NOW, "desk", "09:10", refused=True)))


def test_a_work_date_of_tomorrow_is_a_future_time() -> None:
    story = given().when(started("desk", at="09:00", work_date=date(2026, 3, 3)))
    story.then(refused(FUTURE, found(FUTURE, "desk", "09:00", refused=True)))


@pytest.mark.parametrize("work_date", [date(2026, 3, 2), date(2026, 3, 1), date(1999, 1, 1)])
def test_a_work_date_up_to_today_is_kept_and_moves_no_time(work_date: date) -> None:
    story = given().when(started("desk", at="09:00", work_date=work_date)).then(accepted())
    assert story.timer("desk").work_date == work_date
    assert story.timer("desk").started_at == moment("09:00")


def test_today_is_the_owners_today() -> None:
    """22:30 in London is half past midnight in Jerusalem."""
    given().when(started("desk", at="22:30", work_date=date(2026, 3, 3))).then(accepted())


@pytest.mark.parametrize(("at", "accepts"), [("21:59", True), ("21:58:59.999", False)])
def test_a_clock_a_minute_ahead_may_already_have_tomorrow(at: str, accepts: bool) -> None:  # noqa: FBT001 - a column
    story = given().when(started("desk", at=at, work_date=date(2026, 3, 3)))
    story.then(accepted() if accepts else refused(FUTURE, found(FUTURE, "desk", at, refused=True)))


# R18: a time that was long past.


@pytest.mark.parametrize(
    ("asked", "came"),
    [
        ("08:59:00", accepted()),
        ("08:58:59.999999", accepted("late")),
        ("08:58:59", accepted("late")),
        ("2026-02-20T09:00", accepted("late")),
    ],
)
def test_a_time_over_a_minute_past_is_used_and_labelled_late(asked: str, came: Came) -> None:
    story = given().when(started("desk", at="09:00", asked=asked)).then(came)
    assert story.timer("desk").started_at == moment(asked)


def test_lateness_is_measured_on_the_log_and_not_at_the_api() -> None:
    given().when(started("desk", at="09:00", asked="09:00", logged="09:01:00.001")).then(accepted("late"))
    given().when(started("desk", at="09:02", asked="09:00", logged="09:01")).then(accepted())


def test_a_press_that_came_late_by_itself_is_not_labelled() -> None:
    """The caller asked for no time, and is not to blame that the log took an hour."""
    given().when(started("desk", at="09:00", logged="10:00")).then(accepted())


@pytest.mark.parametrize(
    ("asked", "came"),
    [
        ("09:09:59", accepted()),
        ("09:09:58.999999", accepted("R18", findings=[found(LATE_PRESS, "desk", "09:09:58.999999", "09:10")])),
        ("09:09:58", accepted("R18", findings=[found(LATE_PRESS, "desk", "09:09:58", "09:10")])),
    ],
)
def test_a_time_before_the_timers_last_event_is_moved_to_it(asked: str, came: Came) -> None:
    """It is flagged when it moves by more than a second."""
    story = given(started("desk", at="09:00"), paused("desk", at="09:10"))
    story.when(resumed("desk", at="09:10:10", asked=asked)).then(came)
    assert story.timer("desk").last_at == moment("09:10")


def test_a_press_moved_by_a_day_is_both_late_and_moved() -> None:
    story = given(started("desk", at="09:00"))
    story.when(stopped("desk", at="09:10", asked="2026-03-01T09:00"))
    story.then(accepted("R18", "late", findings=[found(LATE_PRESS, "desk", "2026-03-01T09:00", "09:00")]))
    assert story.minutes("desk") == 0
    assert story.timer("desk").flags == ("R18", "late")


def test_a_slow_api_clock_moves_a_press_without_blame() -> None:
    given(started("desk", at="09:00")).when(paused("desk", at="08:00", logged="09:10")).then(accepted())


def test_a_start_is_not_moved_to_another_timers_event() -> None:
    given(started("desk", at="09:00"), stopped("desk", at="09:10")).when(
        started("phone", at="09:10", asked="09:09:30")
    ).then(accepted("R13", findings=[found(Rule.OVERLAP, "phone", "09:09:30")]))


# Labels.


def test_a_time_that_came_without_a_zone_is_labelled() -> None:
    story = given().when(started("desk", at="09:00", asked="08:00", zone_assumed=True))
    story.then(accepted("late", "zone_assumed"))
    assert story.timer("desk").flags == ("late", "zone_assumed")


def test_a_timer_keeps_the_flags_of_all_its_presses() -> None:
    story = given(started("desk", at="09:00", asked="09:00:30", zone_assumed=True))
    story.when(stopped("desk", at="09:30", asked="08:00"))
    story.then(accepted("R18", "late", findings=[found(LATE_PRESS, "desk", "08:00", "09:00")]))
    assert story.timer("desk").flags == ("R14", "R18", "late", "zone_assumed")


def test_the_findings_on_a_refused_press_stay_off_its_timer() -> None:
    story = given(started("desk", at="09:00"))
    story.when(paused("desk", at="09:10", asked="09:20"))
    assert story.outcome.flags == ()
    assert story.timer("desk").flags == ()
