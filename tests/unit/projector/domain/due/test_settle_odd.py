"""What falls due in odd company: more than an outcome has room for, a switch, windows and leave beyond the usual."""

from datetime import date

import pytest

from shared.events.models import OwnerAttendanceRecorded, OwnerLeaveGranted
from shared.events.policy import DailyCap, LongRunning, Mode, Overlap, OverlapMode, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import fact, found, given, moment, started, stopped, tick, timer_id
from tests.unit.projector.domain.due.looks import FRIDAY_AND_SATURDAY, HOUR, policy, there, told


def test_a_finding_of_a_day_ends_at_midnight_although_an_outcome_has_no_room_for_it() -> None:
    """Sixty timers ran through a weekend that nobody looked at, and one outcome tells about a hundred findings."""
    names = sorted({timer_id(str(n)): str(n) for n in range(60)}.items())
    alone = Rules(R16=LongRunning(mode=Mode.OFF), R17=RuleMode(mode=Mode.OFF))
    watched = policy(weekend=FRIDAY_AND_SATURDAY, rules=alone)
    story = given(*(started(name, at="2026-03-05T20:00") for _, name in names), policy=watched)
    last = names[-1][1]
    story.when(stopped(last, at="2026-03-08T08:00"))
    friday = found(Rule.DAY_OFF, last, "2026-03-05T22:00", "2026-03-06T22:00")
    assert [one for one in story.outcome.findings if one.timer_id == friday.timer_id] == [friday]


def test_a_check_out_while_the_owner_was_out_already_is_not_told_again_after_midnight() -> None:
    """R10 lasted from the start to midnight, and a second window came and went in that time."""
    story = given(there("08:00", "12:00"), started("desk", at="13:00"), there("15:00", "17:00", at="13:30"))
    story.when(tick("17:00:01"), tick("22:00:01"))
    assert [one for one in told(story) if one.rule == Rule.OUTSIDE_ATTENDANCE] == [
        found(Rule.OUTSIDE_ATTENDANCE, "desk", "13:00", "22:00")
    ]


def test_a_switch_tells_what_it_ends_although_the_interval_was_opened_just_now() -> None:
    """A start of eleven hours ago reached the log, and half a minute later another timer took over."""
    alone = Rules(
        R11=DailyCap(billable_seconds_per_day=HOUR),
        R13=Overlap(mode=OverlapMode.STOP_PREVIOUS),
        R16=LongRunning(long_running_seconds=2 * HOUR),
    )
    story = given(started("desk", at="20:00", asked="09:00"), policy=policy(rules=alone))
    story.when(started("phone", at="20:00:30"))
    assert {(one.rule, one.from_) for one in story.outcome.findings if one.timer_id == timer_id("desk")} == {
        ("R11", moment("10:00")),
        ("R16", moment("11:00")),
    }


def test_leave_of_the_week_after_next_makes_its_owner_be_looked_at_again() -> None:
    story = given(
        fact(OwnerLeaveGranted, "08:00", on=date(2026, 3, 16)),
        policy=policy(rules=Rules(R16=LongRunning(mode=Mode.OFF))),
    )
    story.when(started("desk", at="09:00"))
    assert story.outcome.due == moment("2026-03-10T09:00")


@pytest.mark.parametrize(
    ("left", "mode", "due"),
    [
        ("2026-03-16T17:00", "flag", "2026-03-10T09:00"),
        ("2026-03-16T17:00", "off", None),
        ("2026-03-19T17:00", "flag", None),  # over three midnights, where the contract knows one
        (None, "flag", None),
    ],
)
def test_a_check_out_of_the_week_after_next_makes_its_owner_be_looked_at_again(
    left: str | None, mode: str, due: str | None
) -> None:
    came, ends = moment("2026-03-16T08:00"), None if left is None else moment(left)
    planned = fact(OwnerAttendanceRecorded, "08:00", on=came.date(), checked_in_at=came, checked_out_at=ends)
    rules = Rules(R10=RuleMode(mode=Mode(mode)), R16=LongRunning(mode=Mode.OFF))
    story = given(planned, policy=policy(rules=rules)).when(started("desk", at="09:00"))
    assert story.outcome.due == (None if due is None else moment(due))
