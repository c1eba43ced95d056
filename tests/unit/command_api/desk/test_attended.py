"""Attended: from when to when somebody worked on a day, and how long not in between."""

from datetime import UTC, date, datetime

from services.command_api.desk.attended import Attended, attended_on

JERUSALEM = "Asia/Jerusalem"
MINUTE_US = 60_000_000


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=UTC)


def test_the_time_between_intervals_is_a_pause() -> None:
    worked = [(at("02 10:00"), at("02 11:00"), "UTC"), (at("02 08:00"), at("02 09:30"), "UTC")]
    assert attended_on(worked) == {date(2026, 3, 2): Attended(at("02 08:00"), at("02 11:00"), 30 * MINUTE_US)}


def test_intervals_side_by_side_leave_no_pause_where_one_covers_it() -> None:
    worked = [
        (at("02 08:00"), at("02 12:00"), "UTC"),
        (at("02 08:30"), at("02 09:00"), "UTC"),
        (at("02 11:00"), at("02 12:10"), "UTC"),
        (at("02 12:10"), at("02 12:30"), "UTC"),
        (at("02 12:30:00.000001"), at("02 12:40"), "UTC"),
    ]
    assert attended_on(worked) == {date(2026, 3, 2): Attended(at("02 08:00"), at("02 12:40"), 1)}


def test_a_night_shift_is_cut_at_local_midnight_and_the_night_is_no_pause() -> None:
    worked = [(at("02 20:00"), at("02 23:00"), JERUSALEM), (at("03 08:00"), at("03 09:00"), JERUSALEM)]
    assert attended_on(worked) == {
        date(2026, 3, 2): Attended(at("02 20:00"), at("02 22:00"), 0),
        date(2026, 3, 3): Attended(at("02 22:00"), at("03 09:00"), 9 * 60 * MINUTE_US),
    }


def test_each_interval_is_cut_in_its_own_zone() -> None:
    """The owner moved to New York: the later interval lies on the day before, and begins before the first one ends."""
    worked = [(at("02 22:30"), at("02 23:30"), JERUSALEM), (at("03 04:00"), at("03 06:00"), "America/New_York")]
    assert attended_on(worked) == {
        date(2026, 3, 2): Attended(at("03 04:00"), at("03 05:00"), 0),
        date(2026, 3, 3): Attended(at("02 22:30"), at("03 06:00"), (5 * 60 + 30) * MINUTE_US),
    }


def test_an_interval_of_no_length_is_on_no_day() -> None:
    assert attended_on([(at("02 08:00"), at("02 08:00"), "UTC")]) == {}
