"""Local days: the table of the contract, and clocks that are stranger than its rows."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.events.calendar import day_begins, first_instant, local_day, split, window
from shared.events.outcome import DayPart

JERUSALEM = "Asia/Jerusalem"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(start: str, end: str, zone_name: str) -> dict[str, float]:
    """Return the minutes of each local day, in order."""
    return {str(part.on): part.us / 60e6 for part in split(at(start), at(end), zone_name)}


@pytest.mark.parametrize(
    ("start", "end", "zone_name", "minutes"),
    [
        ("2026-03-26T21:00", "2026-03-27T01:00", JERUSALEM, {"2026-03-26": 60, "2026-03-27": 180}),
        ("2026-10-24T20:30", "2026-10-25T01:00", JERUSALEM, {"2026-10-24": 30, "2026-10-25": 240}),
        ("2026-04-23T20:00", "2026-04-24T00:00", "Africa/Cairo", {"2026-04-23": 120, "2026-04-24": 120}),
        ("2026-07-01T20:30", "2026-07-01T23:30", "UTC", {"2026-07-01": 180}),
        ("2026-07-01T20:30", "2026-07-01T23:30", JERUSALEM, {"2026-07-01": 30, "2026-07-02": 150}),
        ("2026-07-01T20:30", "2026-07-01T23:30", "America/New_York", {"2026-07-01": 180}),
        ("2026-07-01T20:30", "2026-07-01T23:30", "Asia/Kolkata", {"2026-07-02": 180}),
        # Thursday 22:00 to Friday 01:00 in Israel.
        ("2026-03-05T20:00", "2026-03-05T23:00", JERUSALEM, {"2026-03-05": 120, "2026-03-06": 60}),
    ],
)
def test_the_table_of_the_contract(start: str, end: str, zone_name: str, minutes: dict[str, float]) -> None:
    assert days(start, end, zone_name) == minutes


@pytest.mark.parametrize(
    ("start", "end", "zone_name", "minutes"),
    [
        pytest.param(
            # 02:00 -> 02:30: a day of twenty-three and a half hours.
            *("2026-10-03T13:00", "2026-10-04T13:00", "Australia/Lord_Howe"),
            {"2026-10-03": 30, "2026-10-04": 1410},
            id="Lord Howe moves by half an hour",
        ),
        pytest.param(
            *("2025-11-02T03:00", "2025-11-03T06:00", "America/Havana"),
            {"2025-11-01": 60, "2025-11-02": 1500, "2025-11-03": 60},
            id="Havana has midnight twice",
        ),
        pytest.param(
            *("2026-03-08T04:00", "2026-03-08T06:00", "America/Havana"),
            {"2026-03-07": 60, "2026-03-08": 60},
            id="Havana has no midnight",
        ),
        pytest.param(
            *("2026-10-29T19:00", "2026-10-29T23:30", "Africa/Cairo"),
            {"2026-10-29": 180, "2026-10-30": 90},
            id="Cairo has 23:00 twice",
        ),
        pytest.param(
            *("2026-03-28T21:00", "2026-03-28T23:00", "Asia/Beirut"),
            {"2026-03-28": 60, "2026-03-29": 60},
            id="Beirut has no midnight",
        ),
        pytest.param(
            *("2026-10-24T19:30", "2026-10-24T22:30", "Asia/Beirut"),
            {"2026-10-24": 150, "2026-10-25": 30},
            id="Beirut has 23:00 twice",
        ),
        pytest.param(
            *("2023-03-26T02:00", "2023-03-26T05:00", "America/Asuncion"),
            {"2023-03-25": 120, "2023-03-26": 60},
            id="Asuncion had 23:00 twice",
        ),
        pytest.param(
            *("2023-10-01T03:00", "2023-10-01T05:00", "America/Asuncion"),
            {"2023-09-30": 60, "2023-10-01": 60},
            id="Asuncion had no midnight",
        ),
        pytest.param(
            *("2026-03-28T23:00", "2026-03-29T22:00", "Antarctica/Troll"),
            {"2026-03-28": 60, "2026-03-29": 1320},
            id="Troll moves by two hours",
        ),
        pytest.param(
            *("2026-02-14T23:00", "2026-02-16T00:00", "Africa/Casablanca"),
            {"2026-02-15": 1500},
            id="Casablanca goes back for Ramadan",
        ),
        pytest.param(
            *("2026-03-21T23:00", "2026-03-22T23:00", "Africa/El_Aaiun"),
            {"2026-03-21": 60, "2026-03-22": 1380},
            id="El Aaiun comes back from Ramadan",
        ),
        pytest.param(
            *("2026-04-04T10:00", "2026-04-05T12:00", "Pacific/Chatham"),
            {"2026-04-04": 15, "2026-04-05": 1500, "2026-04-06": 45},
            id="Chatham is a quarter of an hour off",
        ),
        pytest.param(
            *("2011-12-30T09:00", "2011-12-30T11:00", "Pacific/Apia"),
            {"2011-12-29": 60, "2011-12-31": 60},
            id="Apia skipped a day",
        ),
        pytest.param(
            *("1993-08-21T11:00", "1993-08-21T13:00", "Pacific/Kwajalein"),
            {"1993-08-20": 60, "1993-08-22": 60},
            id="Kwajalein skipped a day",
        ),
        pytest.param(
            *("2026-03-29T00:00", "2026-03-29T03:00", "America/Nuuk"),
            {"2026-03-28": 60, "2026-03-29": 120},
            id="Nuuk jumps to midnight",
        ),
        pytest.param(
            *("2026-10-24T23:00", "2026-10-25T02:00", "Atlantic/Azores"),
            {"2026-10-24": 60, "2026-10-25": 120},
            id="the Azores have midnight twice",
        ),
        pytest.param(
            *("2026-03-29T00:30", "2026-03-29T01:30", "Atlantic/Azores"),
            {"2026-03-28": 30, "2026-03-29": 30},
            id="the Azores have no midnight",
        ),
        pytest.param(
            # 2010-11-07: 00:01 -> 23:01 of the day before. The seventh has begun, and stays begun.
            *("2010-11-07T02:00", "2010-11-07T04:30", "America/St_Johns"),
            {"2010-11-06": 30, "2010-11-07": 120},
            id="St John's had its last hour of the sixth twice",
        ),
        pytest.param(
            *("2010-03-14T03:00", "2010-03-14T04:00", "America/St_Johns"),
            {"2010-03-13": 30, "2010-03-14": 30},
            id="St John's jumped at a minute past midnight",
        ),
        pytest.param(
            *("2026-07-01T09:30", "2026-07-01T10:30", "Pacific/Kiritimati"),
            {"2026-07-01": 30, "2026-07-02": 30},
            id="Kiritimati is fourteen hours ahead",
        ),
    ],
)
def test_days_of_a_clock_that_jumps_add_up_to_the_time_between(
    start: str, end: str, zone_name: str, minutes: dict[str, float]
) -> None:
    parts = days(start, end, zone_name)
    assert parts == minutes
    assert sum(parts.values()) == (at(end) - at(start)) / timedelta(minutes=1)
    assert list(parts) == sorted(parts)


@pytest.mark.parametrize(
    ("day", "zone_name", "begins"),
    [
        ("2026-03-27", JERUSALEM, "2026-03-26T22:00"),
        ("2026-04-24", "Africa/Cairo", "2026-04-23T22:00"),
        ("2025-11-02", "America/Havana", "2025-11-02T04:00"),
        ("2010-11-07", "America/St_Johns", "2010-11-07T02:30"),
        ("2026-03-29", "America/Nuuk", "2026-03-29T01:00"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00"),
        ("1919-03-31", "America/Toronto", "1919-03-31T04:30"),  # 23:30 -> 00:30: a gap of which midnight is the middle
        ("1883-11-18", "America/New_York", "1883-11-18T04:56:02"),  # by the sun, to the second
    ],
)
def test_a_day_begins_at_the_first_instant_of_its_date(day: str, zone_name: str, begins: str) -> None:
    assert first_instant(date.fromisoformat(day), zone_name) == at(begins)


@pytest.mark.parametrize(
    ("day", "zone_name"),
    [("2011-12-30", "Pacific/Apia"), ("2011-12-30", "Pacific/Fakaofo"), ("1993-08-21", "Pacific/Kwajalein")],
)
def test_a_date_that_a_zone_skipped_never_begins(day: str, zone_name: str) -> None:
    assert first_instant(date.fromisoformat(day), zone_name) is None


@pytest.mark.parametrize(
    ("moment", "zone_name", "day"),
    [
        ("2026-03-26T21:59:59.999999", JERUSALEM, "2026-03-26"),
        ("2026-03-26T22:00", JERUSALEM, "2026-03-27"),
        ("2010-11-07T02:29:59.999999", "America/St_Johns", "2010-11-06"),
        ("2010-11-07T02:30:30", "America/St_Johns", "2010-11-07"),  # 00:00:30, before the clocks went back
        ("2010-11-07T02:31", "America/St_Johns", "2010-11-07"),  # 23:01 of the sixth, on the wall
        ("2010-11-07T03:30", "America/St_Johns", "2010-11-07"),  # 00:00, for the second time
        ("2026-04-23T21:59:59.999999", "Africa/Cairo", "2026-04-23"),
        ("2026-04-23T22:00", "Africa/Cairo", "2026-04-24"),
        ("2011-12-30T09:59:59.999999", "Pacific/Apia", "2011-12-29"),
        ("2011-12-30T10:00", "Pacific/Apia", "2011-12-31"),
    ],
)
def test_every_moment_belongs_to_the_day_that_has_begun(moment: str, zone_name: str, day: str) -> None:
    assert local_day(at(moment), zone_name) == date.fromisoformat(day)
    # And work at that time counts on that day.
    (part,) = split(at(moment), at(moment) + timedelta(microseconds=1), zone_name)
    assert part == DayPart(on=date.fromisoformat(day), us=1)


def test_an_interval_of_no_length_has_no_days() -> None:
    assert split(at("2026-03-26T22:00"), at("2026-03-26T22:00"), JERUSALEM) == ()


def test_an_interval_that_ends_at_midnight_has_nothing_of_the_next_day() -> None:
    assert days("2026-03-01T21:00", "2026-03-01T22:00", JERUSALEM) == {"2026-03-01": 60}


def test_an_interval_that_begins_at_midnight_has_nothing_of_the_day_before() -> None:
    assert days("2026-03-01T22:00", "2026-03-01T23:00", JERUSALEM) == {"2026-03-02": 60}


def test_a_microsecond_on_each_side_of_midnight_is_kept() -> None:
    parts = split(at("2026-03-01T21:59:59.999999"), at("2026-03-01T22:00:00.000001"), JERUSALEM)
    assert parts == (DayPart(on=date(2026, 3, 1), us=1), DayPart(on=date(2026, 3, 2), us=1))


def test_a_timer_forgotten_for_a_year_has_a_part_for_each_day() -> None:
    parts = split(at("2025-12-31T22:00"), at("2026-12-31T22:00"), JERUSALEM)
    assert [part.on for part in parts] == [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    hours = {part.on.isoformat(): part.us / 3600e6 for part in parts if part.us != 24 * 3_600_000_000}
    assert hours == {"2026-03-27": 23, "2026-10-25": 25}


ENDS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize("zone_name", ["UTC", JERUSALEM, "Pacific/Kiritimati", "Pacific/Niue", "America/New_York"])
@pytest.mark.parametrize("hours", [0, 3, 23, 30, 60])
def test_the_calendar_has_a_first_day_and_a_last_one_in_every_zone(zone_name: str, hours: int) -> None:
    (first, last), apart = ENDS, timedelta(hours=hours)
    for moment in (first + apart, last - apart):
        begins, ends = window(local_day(moment, zone_name), zone_name)
        assert begins <= moment < ends or moment == ends == last
    assert day_begins(date.min, zone_name) == first
    assert window(date.max, zone_name)[1] == last
    for start, end in ((first, first + apart), (last - apart, last)):
        assert sum(part.us for part in split(start, end, zone_name)) == apart / timedelta(microseconds=1)
