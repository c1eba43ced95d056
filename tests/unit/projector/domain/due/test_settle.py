"""What falls due without a press: each rule three times (it fires, it does not yet, it stays quiet), at its instant."""

from datetime import date, timedelta
from typing import Any, Final

import pytest

from shared.events.durations import US_PER_MINUTE
from shared.events.models import OwnerLeaveGranted
from shared.events.outcome import State
from shared.events.policy import (
    DailyCap,
    Holiday,
    LongRunning,
    Mode,
    Policy,
    RuleMode,
    Rules,
)
from shared.events.rules import Rule
from tests.support.story.documents import replaced
from tests.support.story.given import (
    JERUSALEM,
    Story,
    accepted,
    book_of,
    fact,
    found,
    given,
    moment,
    paused,
    refused,
    resumed,
    started,
    stopped,
    tick,
)
from tests.unit.projector.domain.due.looks import FRIDAY_AND_SATURDAY, HOUR, agreed, policy, there, told

# 2 March 2026 is a Monday. In Jerusalem a day begins at 22:00 UTC of the day before.


def capped(seconds: int, mode: Mode | None = None) -> Policy:
    return policy(rules=Rules(R11=DailyCap(mode=mode, billable_seconds_per_day=seconds), R13=None))


# R11: a cap that is crossed while a timer runs.


def test_a_cap_is_found_at_the_microsecond_at_which_it_is_reached() -> None:
    story = given(started("desk", at="09:00"), policy=capped(HOUR))
    assert story.outcome.due == moment("10:00")
    story.when(tick("10:00")).then(accepted(findings=[found(Rule.OVER_DAILY_CAP, "desk", "10:00")]))
    assert story.timer("desk").flags == ("R11",)


def test_a_tick_before_the_crossing_is_void_and_after_it_finds_the_same_instant() -> None:
    early = given(started("desk", at="09:00"), policy=capped(HOUR)).when(tick("09:59:59.999"))
    assert early.answers[-1].__class__.__name__ == "Voided"
    late = given(started("desk", at="09:00"), policy=capped(HOUR)).when(tick("13:00"))
    assert told(late) == [found(Rule.OVER_DAILY_CAP, "desk", "10:00")]


def test_with_two_timers_a_cap_is_reached_twice_as_fast_and_each_has_its_finding() -> None:
    story = given(started("desk", at="09:00"), started("phone", at="09:30"), tick("12:00"), policy=capped(HOUR))
    at = "09:45"
    assert [one for one in told(story) if one.rule == "R11"] == sorted(
        (found(Rule.OVER_DAILY_CAP, timer, at) for timer in ("desk", "phone")), key=lambda one: one.timer_id
    )


def test_what_is_not_billable_reaches_no_cap() -> None:
    story = given(started("desk", at="09:00", billable=False), tick("23:00"), policy=capped(HOUR))
    assert told(story) == []


def test_a_finding_ends_with_its_interval_and_says_how_long_it_lasted() -> None:
    story = given(started("desk", at="09:00"), policy=capped(HOUR)).when(stopped("desk", at="10:30"))
    story.then(accepted("R11", findings=[found(Rule.OVER_DAILY_CAP, "desk", "10:00", "10:30")]))


def test_a_finding_of_a_day_ends_at_midnight_and_the_new_day_is_looked_at_anew() -> None:
    story = given(started("desk", at="19:00"), policy=capped(2 * HOUR)).when(stopped("desk", at="2026-03-03T01:00"))
    assert told(story) == [
        found(Rule.OVER_DAILY_CAP, "desk", "21:00", "22:00"),
        found(Rule.OVER_DAILY_CAP, "desk", "2026-03-03T00:00", "2026-03-03T01:00"),
    ]


def test_a_crossing_that_did_not_happen_has_no_time() -> None:
    """A tick found it at 10:00. A pause that was queued offline says that the work ended at 09:40."""
    story = given(started("desk", at="09:00"), tick("10:20"), policy=capped(HOUR))
    story.when(paused("desk", at="10:30", asked="09:40"))
    assert told(story) == [found(Rule.OVER_DAILY_CAP, "desk", "10:00", "10:00")]


@pytest.mark.parametrize("mode", [Mode.BLOCK, Mode.STRICT])
def test_over_the_cap_a_start_is_refused_and_a_stop_is_not(mode: Mode) -> None:
    story = given(started("desk", at="09:00"), stopped("desk", at="10:00"), policy=capped(HOUR, mode))
    story.when(started("phone", at="10:10")).then(
        refused(Rule.OVER_DAILY_CAP, found(Rule.OVER_DAILY_CAP, "phone", "10:10", refused=True))
    )
    running = given(started("desk", at="09:00"), policy=capped(HOUR, mode)).when(stopped("desk", at="11:00"))
    assert running.timer("desk").state is State.STOPPED


def test_strict_refuses_a_pause_over_the_cap_and_the_timer_runs_on() -> None:
    story = given(started("desk", at="09:00"), policy=capped(HOUR, Mode.STRICT)).when(paused("desk", at="11:00"))
    assert (story.outcome.verdict, story.outcome.rule) == ("refused", "R11")
    assert story.timer("desk").state is State.RUNNING


def test_a_pause_refused_at_the_very_instant_of_the_crossing_leaves_its_finding() -> None:
    """The finding is told open, in the outcome too: whoever reads the stream has it as the fold has."""
    story = given(started("desk", at="09:00"), policy=capped(HOUR, Mode.STRICT)).when(paused("desk", at="10:00"))
    story.then(refused(Rule.OVER_DAILY_CAP, found(Rule.OVER_DAILY_CAP, "desk", "10:00")))
    agreed(story)


def test_a_lower_cap_counts_from_when_it_was_set() -> None:
    """Otherwise a change would judge what lies before it. Here the second document is set on Monday at midnight UTC."""
    story = Story(book_of(JERUSALEM, capped(HOUR)))
    story.when(started("desk", at="2026-03-01T22:30"), tick("03:00"), stopped("desk", at="04:00", policy_rev=3))
    assert told(story) == [found(Rule.OVER_DAILY_CAP, "desk", "00:00", "04:00")]


# R16 and the automatic stop.


def long_running(**limits: Any) -> Policy:  # noqa: ANN401 - seconds
    return policy(rules=Rules(R16=LongRunning(**limits)))


def test_a_long_interval_is_found_at_its_length() -> None:
    story = given(started("desk", at="09:00"), policy=long_running(long_running_seconds=HOUR))
    story.when(tick("10:00")).then(accepted(findings=[found(Rule.LONG_RUNNING, "desk", "10:00")]))
    assert story.timer("desk").state is State.RUNNING


def test_a_new_interval_has_its_own_length() -> None:
    rules = long_running(long_running_seconds=HOUR)
    story = given(
        started("desk", at="09:00"),
        paused("desk", at="09:50"),
        resumed("desk", at="10:00"),
        tick("10:59"),
        policy=rules,
    )
    assert told(story) == []


def test_an_automatic_stop_is_at_the_limit_to_the_microsecond() -> None:
    start = "09:00:00.000123"
    story = given(started("desk", at=start, logged="09:00:01"), policy=long_running(auto_close_seconds=HOUR))
    story.when(tick("17:00"))
    assert story.timer("desk").state is State.STOPPED
    assert story.timer("desk").stopped_at == moment(start) + timedelta(hours=1)
    assert story.minutes("desk") == 60
    assert told(story) == [found(Rule.LONG_RUNNING, "desk", "10:00:00.000123", "10:00:00.000123")]


def test_a_long_interval_that_is_stopped_automatically_has_one_finding() -> None:
    limits = long_running(long_running_seconds=HOUR, auto_close_seconds=2 * HOUR)
    story = given(started("desk", at="09:00"), tick("12:00"), policy=limits)
    assert told(story) == [found(Rule.LONG_RUNNING, "desk", "10:00", "11:00")]


def test_nothing_falls_due_in_the_first_minute_after_the_press() -> None:
    """A start and a stop were queued offline. The stop comes 59 seconds after the start, and is the one that counts."""
    limits = long_running(auto_close_seconds=HOUR)
    story = given(started("desk", at="18:00", asked="09:00"), tick("18:00:30"), policy=limits)
    story.when(stopped("desk", at="18:00:59", asked="12:00"))
    assert (story.minutes("desk"), story.timer("desk").stopped_at) == (180, moment("12:00"))
    forgotten = given(started("desk", at="18:00", asked="09:00"), tick("18:01"), policy=limits)
    assert forgotten.timer("desk").stopped_at == moment("10:00")


# R09: days off.


def test_thursday_night_is_sixty_minutes_of_friday_and_the_stop_is_accepted() -> None:
    story = given(started("desk", at="2026-03-05T20:00"), policy=policy(weekend=FRIDAY_AND_SATURDAY))
    assert story.outcome.due == moment("2026-03-05T22:00")
    story.when(stopped("desk", at="2026-03-05T23:00"))
    assert story.outcome.verdict == "accepted"
    [finding] = told(story)
    assert finding == found(Rule.DAY_OFF, "desk", "2026-03-05T22:00", "2026-03-05T23:00")
    assert finding.amount_us == 60 * US_PER_MINUTE


def test_each_day_off_has_a_finding_of_its_own() -> None:
    story = given(started("desk", at="2026-03-05T20:00"), policy=policy(weekend=FRIDAY_AND_SATURDAY))
    story.when(stopped("desk", at="2026-03-08T01:00"))
    assert told(story) == [
        found(Rule.DAY_OFF, "desk", "2026-03-05T22:00", "2026-03-06T22:00"),
        found(Rule.DAY_OFF, "desk", "2026-03-06T22:00", "2026-03-07T22:00"),
    ]


def test_a_holiday_and_leave_are_days_off_too() -> None:
    monday = date(2026, 3, 2)
    for story in (
        given(policy=policy(holidays=(Holiday(day=monday),))),
        given(fact(OwnerLeaveGranted, "08:00", on=monday)),
    ):
        story.when(started("desk", at="09:00")).then(accepted("R09", findings=[found(Rule.DAY_OFF, "desk", "09:00")]))


def test_leave_that_became_known_later_judges_nothing_before() -> None:
    story = given(started("desk", at="2026-03-01T20:00"), fact(OwnerLeaveGranted, "08:00", on=date(2026, 3, 2)))
    story.when(tick("09:00"))
    assert told(story) == []


# R10: attendance.


def test_work_after_the_check_out_is_found_at_the_check_out() -> None:
    story = given(there("08:00", "17:00"), started("desk", at="09:00")).when(stopped("desk", at="18:00"))
    assert told(story) == [found(Rule.OUTSIDE_ATTENDANCE, "desk", "17:00", "18:00")]


def test_a_check_out_that_is_told_late_counts_from_when_it_is_known() -> None:
    """Badges say so a while later. From then on the owner is known to be out; nothing before is judged again."""
    story = given(there("08:00", None), started("desk", at="09:00"), tick("17:20"), there("08:00", "17:00", at="17:30"))
    assert told(story) == [found(Rule.OUTSIDE_ATTENDANCE, "desk", "17:30")]
    story.when(stopped("desk", at="18:00"))
    assert told(story) == [found(Rule.OUTSIDE_ATTENDANCE, "desk", "17:30", "18:00")]


def test_a_check_out_that_is_told_the_next_day_finds_nothing() -> None:
    """The day is over. In Jerusalem that was at 22:00 UTC, and on the new day nobody has checked in."""
    story = given(there("08:00", None), started("desk", at="09:00"), there("08:00", "17:00", at="22:30"), tick("23:00"))
    assert told(story) == []


def test_a_check_out_before_the_interval_began_is_none_of_it_however_late_it_is_told() -> None:
    story = given(there("08:00", None), started("desk", at="17:10"), there("08:00", "17:00", at="17:30"), tick("18:00"))
    assert told(story) == []


def test_a_check_out_that_is_told_late_while_the_owner_is_back_finds_nothing() -> None:
    story = given(there("08:00", None), started("desk", at="09:00"), there("17:15", None, at="17:15"))
    story.when(there("08:00", "17:00", at="17:30"), tick("18:00"))
    assert told(story) == []


def test_a_window_that_goes_on_keeps_it_quiet() -> None:
    story = given(there("08:00", "17:00"), there("16:00", "19:00"), started("desk", at="09:00"))
    story.when(stopped("desk", at="18:00"))
    assert told(story) == []


def test_without_a_check_in_that_day_attendance_is_quiet() -> None:
    given(there("08:00", "17:00")).when(started("desk", at="2026-03-03T23:00")).then(accepted())


def test_a_start_outside_every_window_is_found_at_the_press() -> None:
    outside = found(Rule.OUTSIDE_ATTENDANCE, "desk", "07:30")
    given(there("08:00", "17:00", at="07:00")).when(started("desk", at="07:30")).then(
        accepted("R10", findings=[outside])
    )


# R17: more than a day has.


def test_two_timers_fill_a_day_by_noon_and_one_alone_never_does() -> None:
    alone = given(started("desk", at="2026-03-01T22:00"), stopped("desk", at="2026-03-02T22:00"))
    assert told(alone) == []
    both = given(started("desk", at="2026-03-01T22:00"), started("phone", at="2026-03-01T22:00"), tick("20:00"))
    full = [one.from_ for one in told(both) if one.rule == "R17"]
    assert full == [moment("10:00"), moment("10:00")]


def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is() -> None:
    """Friday 27 March 2026 has 23 hours in Jerusalem: two timers fill it in eleven and a half."""
    begins = "2026-03-26T22:00"
    story = given(started("desk", at=begins), started("phone", at=begins), tick("2026-03-27T20:00"))
    assert {one.from_ for one in told(story) if one.rule == "R17"} == {moment("2026-03-27T09:30")}


def test_of_a_day_that_is_full_already_the_rule_counts_from_when_it_is_switched_on() -> None:
    story = Story(replaced(policy(rules=Rules(R17=RuleMode(mode=Mode.OFF))), JERUSALEM, moment("14:00")))
    story.when(*(started(name, at="2026-03-01T22:00", policy_rev=0) for name in ("desk", "phone")))
    story.when(stopped("desk", at="20:00", policy_rev=2))
    assert found(Rule.OVERFULL_DAY, "desk", "14:00", "20:00") in told(story)


# The order of looks.


@pytest.mark.parametrize("ticks", [(), ("10:00",), ("09:30", "10:00", "10:00", "11:15"), ("2026-03-02T21:00",)])
def test_ticks_change_no_finding_and_no_minute(ticks: tuple[str, ...]) -> None:
    rules = Rules(
        R11=DailyCap(billable_seconds_per_day=HOUR), R16=LongRunning(auto_close_seconds=10 * HOUR), R17=RuleMode()
    )
    presses = {"09:00": started("desk", at="09:00"), "09:20": started("phone", at="09:20")}
    log = sorted([*presses, *ticks, "21:30"], key=moment)
    story = given(policy=policy(rules=rules))
    for at in log:
        story.when(presses.get(at) or (stopped("phone", at="21:30") if at == "21:30" else tick(at)))
    assert {(one.timer_id, one.rule, one.from_, one.to) for one in told(story)} == EXPECTED
    assert (story.minutes("desk"), story.minutes("phone")) == (600, 600)


def _ended(timer: str, rule: Rule, from_: str, to: str | None) -> tuple[int, str, object, object]:
    one = found(rule, timer, from_, to)
    return one.timer_id, one.rule, one.from_, one.to


EXPECTED: Final = {
    _ended("phone", Rule.OVERLAP, "09:20", None),
    _ended("desk", Rule.OVER_DAILY_CAP, "09:40", "19:00"),
    _ended("phone", Rule.OVER_DAILY_CAP, "09:40", "19:20"),
    _ended("desk", Rule.LONG_RUNNING, "19:00", "19:00"),
    _ended("phone", Rule.LONG_RUNNING, "19:20", "19:20"),
}
