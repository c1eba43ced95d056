"""Zones: what a wall clock meant, also on the days when it was changed."""

import zoneinfo
from datetime import UTC, datetime

import pytest

from shared.events.zones import instant_of, is_zone, zone


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("wall", "zone_name", "instant"),
    [
        ("2026-01-15T09:00", "Asia/Jerusalem", "2026-01-15T07:00"),
        ("2026-07-15T09:00", "Asia/Jerusalem", "2026-07-15T06:00"),
        ("2026-07-15T09:00", "America/New_York", "2026-07-15T13:00"),
        ("2026-07-15T09:00", "Asia/Kolkata", "2026-07-15T03:30"),
        ("2026-07-15T09:00", "Asia/Kathmandu", "2026-07-15T03:15"),
        ("2026-07-15T09:00", "UTC", "2026-07-15T09:00"),
        ("2026-07-15T09:00", "Pacific/Kiritimati", "2026-07-14T19:00"),
    ],
)
def test_an_ordinary_reading_means_one_instant(wall: str, zone_name: str, instant: str) -> None:
    assert instant_of(local(wall), zone_name) == utc(instant)


@pytest.mark.parametrize(
    ("wall", "zone_name", "instant"),
    [
        ("2026-10-25T01:30", "Asia/Jerusalem", "2026-10-24T22:30"),
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30"),
        ("2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-04T14:45"),  # half an hour
    ],
)
def test_an_ambiguous_reading_is_the_first_of_the_two(wall: str, zone_name: str, instant: str) -> None:
    assert instant_of(local(wall), zone_name) == utc(instant)
    # The fold of the caller's own datetime is ignored.
    assert instant_of(local(wall).replace(fold=1), zone_name) == utc(instant)


@pytest.mark.parametrize(
    ("wall", "zone_name", "instant", "reads"),
    [
        ("2026-03-27T02:30", "Asia/Jerusalem", "2026-03-27T00:30", "2026-03-27T03:30"),
        ("2026-03-08T02:30", "America/New_York", "2026-03-08T07:30", "2026-03-08T03:30"),
        ("2026-04-24T00:15", "Africa/Cairo", "2026-04-23T22:15", "2026-04-24T01:15"),  # no midnight that day
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:45", "2026-10-04T02:45"),  # half an hour
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T22:00", "2011-12-31T12:00"),  # no such day at all
    ],
)
def test_a_skipped_reading_is_moved_forward_by_the_gap(wall: str, zone_name: str, instant: str, reads: str) -> None:
    assert instant_of(local(wall), zone_name) == utc(instant)
    assert utc(instant).astimezone(zone(zone_name)).replace(tzinfo=None) == local(reads)


@pytest.mark.parametrize(
    ("wall", "zone_name"), [("0001-01-01T00:00", "Asia/Tokyo"), ("9999-12-31T23:00", "America/Lima")]
)
def test_the_ends_of_the_calendar_are_an_error_and_nothing_else(wall: str, zone_name: str) -> None:
    with pytest.raises(OverflowError):
        instant_of(local(wall), zone_name)


@pytest.mark.parametrize("name", ["Asia/Jerusalem", "UTC", "Etc/GMT+12", "Africa/Cairo", "America/Argentina/Ushuaia"])
def test_a_zone_of_the_pinned_tzdata_is_a_zone(name: str) -> None:
    assert is_zone(name)
    assert zone(name).key == name


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "asia/jerusalem", "../../etc/passwd", "/etc/localtime", "localtime", "posixrules"]
)
def test_a_name_outside_tzdata_is_no_zone(name: str) -> None:
    assert not is_zone(name)


def test_the_machines_own_zone_files_are_never_read() -> None:
    assert zoneinfo.TZPATH == ()
