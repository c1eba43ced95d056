"""A late press moves crossings that were told: the time of a day, and of a job, is shared by an owner's timers."""

from typing import Final

import pytest

from shared.events.models import OwnerEstimateSet
from shared.events.outcome import CHANGES_MAX, Finding, State
from shared.events.policies.book import PolicyRecord
from shared.events.policy import DailyCap, LongRunning, Mode, Overlap, OverlapMode, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    Story,
    Told,
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
    timer_id,
)
from tests.unit.projector.domain.due.looks import HOUR, agreed, policy, told

# A day may have eight billable hours.
ALLOW: Final = Overlap(mode=OverlapMode.ALLOW)
CAP: Final = policy(
    rules=Rules(R11=DailyCap(billable_seconds_per_day=8 * HOUR), R13=ALLOW, R17=RuleMode(mode=Mode.OFF))
)
NO_CAP: Final = policy(rules=Rules(R13=ALLOW))
R11, R12, R17 = Rule.OVER_DAILY_CAP, Rule.OVER_ESTIMATE, Rule.OVERFULL_DAY


def both(*told: Told, policy: Policy = CAP) -> Story:
    """Begin with two timers that run from 09:00. At 13:00 they have made eight hours."""
    return given(started("desk", at="09:00"), started("phone", at="09:00"), *told, policy=policy)


def of(story: Story, timer: str) -> list[Finding]:
    """Return the findings about a timer, each as it was told last."""
    return [one for one in told(story) if one.timer_id == timer_id(timer)]


def test_a_late_stop_moves_the_crossing_of_another_timer() -> None:
    """Two timers made eight hours by 13:00, and a tick said so. One of them had stopped at 11:00."""
    story = both(tick("13:30"))
    assert of(story, "desk") == [found(R11, "desk", "13:00")]
    story.when(stopped("phone", at="14:00", asked="11:00"))
    assert of(story, "phone") == [found(R11, "phone", "13:00", "13:00")]
    assert of(story, "desk") == [found(R11, "desk", "13:00", "13:00")]
    assert story.outcome.due == moment("15:00")
    story.when(tick("15:30"), stopped("desk", at="16:00"))
    assert of(story, "desk") == [found(R11, "desk", "13:00", "13:00"), found(R11, "desk", "15:00", "16:00")]
    agreed(story)


def test_without_a_tick_the_same_presses_leave_the_same_time() -> None:
    story = both(stopped("phone", at="14:00", asked="11:00"), stopped("desk", at="16:00"))
    assert of(story, "desk") == [found(R11, "desk", "15:00", "16:00")]


def test_a_late_press_in_time_for_the_crossing_leaves_it_in_the_same_outcome() -> None:
    story = both(tick("15:30"), stopped("phone", at="16:00", asked="11:00"))
    assert of(story, "desk") == [found(R11, "desk", "13:00", "13:00"), found(R11, "desk", "15:00")]
    assert {one.from_ for one in story.outcome.findings} == {moment("13:00"), moment("15:00")}


def test_a_late_start_makes_a_crossing_earlier() -> None:
    story = given(started("desk", at="09:00"), tick("17:30"), policy=CAP)
    assert of(story, "desk") == [found(R11, "desk", "17:00")]
    story.when(started("phone", at="18:00", asked="15:00"))
    assert of(story, "desk") == [found(R11, "desk", "17:00", "17:00"), found(R11, "desk", "16:00")]
    story.when(stopped("phone", at="18:00:10", asked="15:20"))
    assert found(R11, "desk", "16:40") in of(story, "desk")
    assert [one.from_ for one in of(story, "desk") if one.amount_us != 0] == [moment("16:40")]
    agreed(story)


def test_what_ended_after_the_press_counts_where_it_lies() -> None:
    """Six hours of the car lie after the late stop. Counted whole, the desk would be over the cap from 11:00 on."""
    story = both(started("car", at="12:00"), tick("13:30"), stopped("car", at="18:00"))
    assert of(story, "desk") == [found(R11, "desk", "12:40")]
    story.when(stopped("phone", at="18:10", asked="10:00"))
    # An hour of the phone, three of the desk by 12:00, and then two hours an hour.
    assert of(story, "desk") == [found(R11, "desk", "12:40", "12:40"), found(R11, "desk", "14:00")]


def test_a_crossing_that_does_not_move_is_not_told_again() -> None:
    """The late timer is not billable, so it changes nothing of the cap."""
    story = given(
        started("desk", at="09:00"), started("phone", at="09:00", billable=False), tick("17:30"), policy=CAP
    ).when(stopped("phone", at="18:00", asked="11:00"))
    assert story.outcome.findings == ()
    assert of(story, "desk") == [found(R11, "desk", "17:00")]
    agreed(story)


def test_a_crossing_before_the_press_stands() -> None:
    story = both(tick("13:30")).when(stopped("phone", at="14:00", asked="13:00"))
    assert of(story, "desk") == [found(R11, "desk", "13:00")]
    assert [one.timer_id for one in story.outcome.findings] == [timer_id("phone")]


@pytest.mark.parametrize("mode", [Mode.FLAG, Mode.STRICT])
def test_a_refused_press_moves_nothing(mode: Mode) -> None:
    cap = policy(rules=Rules(R11=DailyCap(mode=mode, billable_seconds_per_day=2 * HOUR), R13=ALLOW))
    story = both(tick("11:00"), policy=cap)
    before = told(story)
    assert found(R11, "desk", "10:00") in before
    press = (
        paused("phone", at="12:00", asked="10:30") if mode is Mode.STRICT else resumed("phone", "12:00", asked="09:30")
    )
    story.when(press)
    assert story.outcome.verdict == "refused"
    assert [one for one in told(story) if not one.refused] == before


def test_minutes_states_and_ends_of_other_timers_stay() -> None:
    story = both(tick("13:30"))
    desk = story.timer("desk")
    story.when(stopped("phone", at="14:00", asked="11:00"))
    assert story.timer("desk") == desk
    assert (story.minutes("phone"), story.timer("phone").state) == (120, State.STOPPED)
    assert [change.timer for change in story.outcome.changed] == [timer_id("phone")]


def test_a_finding_that_midnight_ended_moves_too() -> None:
    """In Jerusalem the day ends at 22:00 UTC. The phone had stopped on Monday, and says so on Tuesday."""
    story = both(tick("2026-03-03T01:00"))
    assert of(story, "desk")[0] == found(R11, "desk", "13:00", "22:00")
    story.when(stopped("phone", at="2026-03-03T01:30", asked="11:00"))
    assert of(story, "desk")[0] == found(R11, "desk", "13:00", "13:00")
    assert found(R11, "desk", "15:00", "22:00") in story.outcome.findings
    agreed(story)


def test_the_time_of_a_job_moves_too() -> None:
    story = given(fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=8 * HOUR), policy=NO_CAP)
    story.when(started("desk", at="09:00", job_id="roof"), started("phone", at="09:00", job_id="roof"), tick("13:30"))
    assert of(story, "desk") == [found(R12, "desk", "13:00")]
    story.when(stopped("phone", at="15:30", asked="11:00"))
    assert of(story, "desk") == [found(R12, "desk", "13:00", "13:00"), found(R12, "desk", "15:00")]
    agreed(story)


def test_a_crossing_of_an_estimate_that_was_replaced_stands() -> None:
    """Facts count from when they are on the log. What the estimate of before was, nobody knows any more."""
    roof = {"job_id": "roof"}
    story = given(fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=8 * HOUR), policy=NO_CAP)
    story.when(started("desk", at="09:00", job_id="roof"), started("phone", at="09:00", job_id="roof"), tick("13:30"))
    story.when(fact(OwnerEstimateSet, "14:00", seconds=20 * HOUR, **roof), stopped("phone", at="15:30", asked="11:00"))
    assert of(story, "desk") == [found(R12, "desk", "13:00")]


def test_an_overfull_day_is_one_no_more() -> None:
    """Two timers ran from midnight on, and filled a day by noon. One of them had stopped after an hour."""
    story = given(started("desk", at="2026-03-02T22:00"), started("phone", at="2026-03-02T22:00"), policy=NO_CAP)
    story.when(tick("2026-03-03T12:00"))
    assert of(story, "desk") == [found(R17, "desk", "2026-03-03T10:00")]
    story.when(stopped("phone", at="2026-03-03T13:00", asked="2026-03-02T23:00"))
    assert of(story, "desk") == [found(R17, "desk", "2026-03-03T10:00", "2026-03-03T10:00")]
    story.when(tick("2026-03-03T22:00"))
    assert found(R17, "desk", "2026-03-03T21:00", "2026-03-03T22:00") in of(story, "desk")


def test_a_finding_that_a_press_began_moves_too() -> None:
    """The car started at 14:00 on a day that seemed full. The phone had stopped at 10:00."""
    story = both(started("car", at="14:00"))
    assert of(story, "car") == [found(R11, "car", "14:00")]
    story.when(stopped("phone", at="14:30", asked="10:00"))
    assert of(story, "car") == [found(R11, "car", "14:00", "14:00")]
    story.when(tick("15:10"))
    # One hour of the phone, five of the desk by 14:00, and then two hours an hour.
    assert found(R11, "car", "15:00") in of(story, "car")


def test_in_its_first_minute_an_interval_keeps_a_finding_that_its_press_began() -> None:
    """Nothing else falls due for it so early. Told as ended, it would come back a minute later."""
    story = both(tick("13:30"), started("car", at="14:00")).when(stopped("phone", at="14:00:20", asked="12:50"))
    assert of(story, "car") == [found(R11, "car", "14:00")]
    assert [one for one in story.outcome.findings if one.timer_id == timer_id("car")] == []


def test_days_of_more_than_eight_days_ago_stand_as_they_were_told() -> None:
    story = both(tick("13:30")).when(tick("2026-03-12T14:00"))
    told_on_monday = found(R11, "desk", "13:00", "22:00")
    assert told_on_monday in of(story, "desk")
    story.when(stopped("phone", at="2026-03-12T14:30", asked="11:00"))
    assert told_on_monday in of(story, "desk")
    # Of the days that are looked at, the desk alone fills eight hours of each.
    assert found(R11, "desk", "2026-03-12T06:00") in of(story, "desk")
    assert found(R11, "desk", "2026-03-12T02:00", "2026-03-12T02:00") in of(story, "desk")


def test_one_outcome_tells_two_hundred_that_moved_and_the_others_stand() -> None:
    """Also an owner with hundreds of timers gets an outcome that a broker takes."""
    many = {start.timer: start for start in (started(f"t{number}", at="09:00:01") for number in range(212))}
    story = both(*many.values(), tick("09:10"))
    moved_to = {one.timer_id for one in told(story) if one.from_ > moment("09:01")}
    story.when(stopped("phone", at="09:20", asked="09:01"))
    ended = [one for one in story.outcome.findings if one.amount_us == 0]
    assert len(many) > CHANGES_MAX
    assert len(moved_to) >= CHANGES_MAX
    assert CHANGES_MAX - 1 <= len(ended) <= CHANGES_MAX  # the press itself is a change too
    story.when(tick("09:30"), tick("09:31"))
    lasting = {one.timer_id for one in told(story) if one.amount_us is None}
    assert lasting >= {start.timer for start in many.values()}
    agreed(story)


def test_an_automatic_stop_counts_where_it_lies() -> None:
    """The system stopped the car at 14:00. It is no time of the morning, in which the phone had stopped."""
    rules = Rules(
        R11=DailyCap(billable_seconds_per_day=8 * HOUR), R13=ALLOW, R16=LongRunning(auto_close_seconds=6 * HOUR)
    )
    story = given(started("car", at="08:00"), started("desk", at="10:00"), policy=policy(rules=rules))
    story.when(started("phone", at="10:00"), tick("14:01"))
    assert found(R11, "desk", "12:00") in of(story, "desk")
    story.when(stopped("phone", at="14:05", asked="10:30"))
    assert [one.from_ for one in of(story, "desk") if one.amount_us != 0] == [moment("12:45")]


def test_what_a_press_was_judged_by_stands_although_the_cap_was_set_after_its_own_moment() -> None:
    """The cap was set at 14:00. A start that belongs to 12:00 came after it, and was judged by it."""
    cap = policy(rules=Rules(R11=DailyCap(billable_seconds_per_day=HOUR), R13=ALLOW, R17=RuleMode(mode=Mode.OFF)))
    book = book_of(NO_CAP, tenants=["acme"])
    record = PolicyRecord(replaces=0, set_by="avi", set_at=moment("14:00"), document=cap)
    book.apply(1, b"acme", record.model_dump_json(by_alias=True).encode(), moment("14:00"))
    story = Story(book).when(started("car", at="09:00", policy_rev=0), stopped("car", at="11:00", policy_rev=0))
    story.when(started("desk", at="15:00", asked="12:00"))
    story.when(started("phone", at="15:06", asked="11:30", billable=False))
    assert of(story, "desk") == [found(R11, "desk", "12:00")]


def test_in_the_first_minute_nothing_else_falls_due_because_a_crossing_moved() -> None:
    """A queue that was offline: desk has run for half a day by its own time, and may end at the next press."""
    long = LongRunning(long_running_seconds=4 * HOUR)
    limits = Rules(R11=DailyCap(billable_seconds_per_day=HOUR), R13=ALLOW, R16=long, R17=RuleMode(mode=Mode.OFF))
    story = given(started("phone", at="09:00"), policy=policy(rules=limits))
    story.when(started("desk", at="19:00:00", asked="11:00"), stopped("phone", at="19:00:01", asked="10:54"))
    assert {one.rule for one in of(story, "desk")} == {R11}
    story.when(stopped("desk", at="19:00:02", asked="12:00"))
    assert story.timer("desk").flags == ("R11", "late")
