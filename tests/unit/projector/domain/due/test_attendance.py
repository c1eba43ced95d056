"""R10 and odd windows of attendance: over midnight, with a gap, without an end, and changed while a timer runs."""

from datetime import date, timedelta
from typing import Final
from unittest.mock import Mock

import pytest

from services.projector.domain.due import days_off
from shared.events import calendar
from shared.events.models import OwnerAttendanceRecorded
from shared.events.outcome import Finding
from shared.events.rules import Rule
from tests.support.story.cells import MONDAY, SUNDAY, TUESDAY, document_of
from tests.support.story.given import (
    Story,
    Told,
    accepted,
    fact,
    found,
    given,
    moment,
    paused,
    resumed,
    started,
    stopped,
)
from tests.unit.projector.domain.due.looks import told

# In Jerusalem, Tuesday 3 March 2026 begins at 22:00 UTC of Monday.
ALONE: Final = document_of({Rule.OUTSIDE_ATTENDANCE: {"mode": "flag"}})


def there(came: str, left: str | None, on: date = MONDAY, known: str = "04:00") -> Told:
    ends = None if left is None else moment(left)
    return fact(OwnerAttendanceRecorded, known, on=on, checked_in_at=moment(came), checked_out_at=ends)


def outside(from_: str, to: str | None = None) -> Finding:
    return found(Rule.OUTSIDE_ATTENDANCE, "desk", from_, to)


def tuesday(time: str) -> str:
    return f"2026-03-03T{time}"


def on_leaving(*windows: Told, from_: str, to: str) -> list[Finding]:
    """Return what is found about a timer that runs from one moment to another, with these windows known before."""
    return told(given(*windows, started("desk", at=from_), policy=ALONE).when(stopped("desk", at=to)))


def at_a_press(*windows: Told, at: str) -> list[Finding]:
    """Return what a start finds."""
    return told(given(*windows, policy=ALONE).when(started("desk", at=at)))


# Over midnight.

NIGHT: Final = there("18:00", tuesday("01:00"))
NEXT_MORNING: Final = there(tuesday("07:00"), tuesday("15:00"), TUESDAY)


@pytest.mark.parametrize(
    ("at", "is_outside"),
    [
        ("17:59:59.999", True),
        ("18:00", False),
        ("22:00", False),
        (tuesday("00:59:59.999"), False),
        (tuesday("01:00"), True),
        (tuesday("06:59:59.999"), True),
        (tuesday("07:00"), False),
    ],
)
def test_a_window_over_midnight_covers_the_night_of_the_next_day(at: str, is_outside: bool) -> None:  # noqa: FBT001 - a column
    assert at_a_press(NIGHT, NEXT_MORNING, at=at) == ([outside(at)] if is_outside else [])


def test_after_a_night_that_has_no_check_in_of_its_own_day_every_press_is_quiet() -> None:
    assert at_a_press(NIGHT, at=tuesday("02:00")) == []


def test_a_check_out_after_midnight_is_found_although_its_window_is_of_the_day_before() -> None:
    assert on_leaving(NIGHT, from_="20:00", to=tuesday("03:00")) == [outside(tuesday("01:00"), tuesday("03:00"))]


def test_a_window_of_two_days_before_covers_nothing() -> None:
    """It reaches over two midnights, and the contract knows one."""
    long = there("2026-03-01T20:00", tuesday("05:00"), SUNDAY)
    assert at_a_press(long, NEXT_MORNING, at=tuesday("02:00")) == [outside(tuesday("02:00"))]
    assert on_leaving(long, from_=tuesday("02:00"), to=tuesday("06:00")) == []


def test_a_finding_ends_at_midnight_and_the_next_check_out_begins_another() -> None:
    found_twice = on_leaving(there("08:00", "17:00"), NEXT_MORNING, from_="16:00", to=tuesday("16:00"))
    assert found_twice == [outside("17:00", "22:00"), outside(tuesday("15:00"), tuesday("16:00"))]


# Two windows in a day, with a gap.

MORNING, AFTERNOON = there("08:00", "12:00"), there("13:00", "17:00")


@pytest.mark.parametrize(
    ("at", "is_outside"),
    [("11:59:59.999", False), ("12:00", True), ("12:59:59.999", True), ("13:00", False), ("17:00", True)],
)
def test_a_press_in_the_gap_is_outside(at: str, is_outside: bool) -> None:  # noqa: FBT001 - a column
    assert at_a_press(MORNING, AFTERNOON, at=at) == ([outside(at)] if is_outside else [])


def test_a_timer_that_runs_through_the_gap_is_found_once_until_it_ends() -> None:
    """Coming back ends no finding, and so the second check-out opens none."""
    assert on_leaving(MORNING, AFTERNOON, from_="09:00", to="18:00") == [outside("12:00", "18:00")]


def test_a_new_interval_is_found_anew_at_the_second_check_out() -> None:
    story = given(MORNING, AFTERNOON, started("desk", at="09:00"), paused("desk", at="12:30"), policy=ALONE)
    story.when(resumed("desk", at="13:30"), stopped("desk", at="17:10"))
    assert told(story) == [outside("12:00", "12:30"), outside("17:00", "17:10")]


@pytest.mark.parametrize("came", ["11:00", "12:00"], ids=["overlapping", "touching"])
def test_windows_without_a_gap_are_one(came: str) -> None:
    assert on_leaving(MORNING, there(came, "17:00"), from_="09:00", to="16:00") == []
    assert on_leaving(MORNING, there(came, "17:00"), from_="09:00", to="17:30") == [outside("17:00", "17:30")]


# Without a check-out.


def test_a_window_without_a_check_out_has_no_end() -> None:
    open_ = there("08:00", None)
    assert on_leaving(open_, from_="09:00", to=tuesday("20:00")) == []
    assert at_a_press(open_, NEXT_MORNING, at=tuesday("06:00")) == []
    assert at_a_press(open_, at="07:59") == [outside("07:59")]


@pytest.mark.parametrize("year", [2027, 9999])
def test_a_check_out_that_is_years_away_is_as_good_as_none(year: int) -> None:
    """The last day of all has no midnight after it."""
    story = given(there("08:00", f"{year}-12-31T23:00"), policy=ALONE)
    story.when(started("desk", at="09:00")).then(accepted())
    assert told(story.when(stopped("desk", at="20:00"))) == []


def test_a_window_without_a_check_out_keeps_an_earlier_check_out_quiet() -> None:
    assert on_leaving(MORNING, there("11:00", None), from_="09:00", to="20:00") == []


# Changed while a timer runs.


def changed(known: str, left: str | None, *, first: str | None = "17:00") -> Story:
    """Return the story of a timer from 09:00 on, whose owner's check-out was said to be another one."""
    return given(there("08:00", first), started("desk", at="09:00"), there("08:00", left, known=known), policy=ALONE)


@pytest.mark.parametrize("first", ["19:00", None])
def test_an_earlier_check_out_that_is_known_in_time_is_the_one_that_counts(first: str | None) -> None:
    story = changed("16:00", "17:00", first=first).when(stopped("desk", at="20:00"))
    assert told(story) == [outside("17:00", "20:00")]


def test_a_later_check_out_that_is_known_in_time_is_the_one_that_counts() -> None:
    assert told(changed("16:59", "19:00").when(stopped("desk", at="20:00"))) == [outside("19:00", "20:00")]
    assert told(changed("16:59", None).when(stopped("desk", at="20:00"))) == []


@pytest.mark.parametrize("left", ["19:00", None])
def test_a_check_out_that_was_found_stands_when_it_is_changed_afterwards(left: str | None) -> None:
    """A finding is history."""
    assert told(changed("17:30", left).when(stopped("desk", at="20:00"))) == [outside("17:00", "20:00")]


@pytest.mark.parametrize("first", ["19:00", None])
def test_a_check_out_that_was_over_when_it_became_known_counts_from_then_on(first: str | None) -> None:
    """At 18:00 the owner had left since 17:00. What came before is not judged again."""
    story = changed("18:00", "17:00", first=first).when(paused("desk", at="18:30"), resumed("desk", at="18:40"))
    assert told(story) == [outside("18:00", "18:30"), outside("18:40")]


def test_while_a_check_out_is_found_an_earlier_one_that_is_bared_opens_no_second() -> None:
    """The window that covered 11:00 became shorter when it was over: 11:00 lies before the finding that goes on."""
    covering, shorter = there("10:30", "12:00"), there("10:30", "10:45", known="12:10")
    story = given(there("08:00", "11:00"), covering, started("desk", at="09:00"), shorter, policy=ALONE)
    assert told(story.when(stopped("desk", at="13:00"))) == [outside("12:00", "13:00")]


# Checked in after the start.


def test_a_start_before_the_first_check_in_is_quiet_and_the_check_out_is_found() -> None:
    """When the timer began, nothing was known of that day."""
    story = given(started("desk", at="06:00"), there("08:00", None, known="08:00"), policy=ALONE)
    story.when(there("08:00", "17:00", known="17:00"), stopped("desk", at="17:20"))
    assert told(story) == [outside("17:00", "17:20")]


def test_a_check_in_after_the_start_makes_an_earlier_pause_outside() -> None:
    """It was queued offline: it counts before the check-in, and is judged by what is known when it is recorded."""
    story = given(started("desk", at="06:00"), there("08:00", None, known="08:00"), policy=ALONE)
    story.when(paused("desk", at="08:10", asked="07:50")).then(accepted("R10", findings=[outside("07:50", "07:50")]))


def test_a_check_in_after_the_start_leaves_a_pause_in_its_window_quiet() -> None:
    story = given(started("desk", at="06:00"), there("08:00", None, known="08:00"), policy=ALONE)
    story.when(paused("desk", at="08:10")).then(accepted())


# Many windows, and windows of days that never come.


@pytest.mark.parametrize("timers", [1, 5], ids=["one timer", "timers in groups"])
def test_a_press_asks_about_the_windows_of_its_days_alone(monkeypatch: pytest.MonkeyPatch, timers: int) -> None:
    """An owner has planned 1000 days. Each of them is compared with a day, and a handful with a moment."""
    days = [date(2026, 3, 3) + timedelta(days=n) for n in range(1000)]
    story = given(*(there(f"{day}T08:00", f"{day}T17:00", day) for day in days), policy=ALONE)
    story.when(*(started(f"desk {n}", at="09:00") for n in range(timers)))
    covers, local_day = Mock(wraps=days_off.covers), Mock(wraps=calendar.local_day)
    monkeypatch.setattr(days_off, "covers", covers)
    monkeypatch.setattr(days_off, "local_day", local_day)
    story.when(started("phone", at="09:01"))
    assert story.outcome.due == moment(tuesday("17:00"))
    assert 0 < covers.call_count < 100
    assert 0 < local_day.call_count < 100


@pytest.mark.parametrize("zone", ["UTC", "Asia/Jerusalem", "America/New_York"])
def test_attendance_at_the_end_of_the_calendar_is_as_good_as_none(zone: str) -> None:
    there_for_ever = there("9999-12-30T20:00", "9999-12-31T12:00", date(9999, 12, 30))
    story = given(there_for_ever, policy=ALONE.model_copy(update={"zone": zone}))
    story.when(started("desk", at="09:00")).then(accepted())
    story.when(paused("desk", at="10:00"), resumed("desk", at="11:00")).then(accepted(), accepted())
    assert told(story) == []
