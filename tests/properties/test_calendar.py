"""Days: true of every interval in every zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.calendar import first_instant, local_day, split
from shared.events.zones import zone

MINUTE: Final = timedelta(minutes=1)
US: Final = timedelta(microseconds=1)

# Clocks that changed near midnight, by hours that are not whole, or by a day.
CHANGES: Final = [
    ("Asia/Jerusalem", "2026-03-27T00:00"),
    ("Asia/Jerusalem", "2026-10-24T23:00"),
    ("Africa/Cairo", "2026-04-23T22:00"),
    ("Africa/Cairo", "2026-10-29T21:00"),
    ("Asia/Beirut", "2026-03-28T22:00"),
    ("Asia/Beirut", "2026-10-24T21:00"),
    ("America/Havana", "2026-03-08T05:00"),
    ("America/Havana", "2025-11-02T05:00"),
    ("America/Asuncion", "2023-03-26T03:00"),
    ("America/Asuncion", "2023-10-01T04:00"),
    ("America/St_Johns", "2010-03-14T03:31"),
    ("America/St_Johns", "2010-11-07T02:31"),
    ("America/St_Johns", "1988-04-03T03:31"),  # by two hours
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Antarctica/Troll", "2026-03-29T01:00"),
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("Pacific/Chatham", "2026-04-04T14:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Pacific/Kwajalein", "1993-08-21T12:00"),
    ("Pacific/Kiritimati", "1994-12-31T10:00"),
    ("America/Nuuk", "2026-03-29T01:00"),
    ("Atlantic/Azores", "2026-03-29T01:00"),
    ("Atlantic/Azores", "2026-10-25T01:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("America/Scoresbysund", "2024-03-31T01:00"),  # changes its zone and its season at once, and stands still
    ("Asia/Pyongyang", "2015-08-14T15:00"),
    ("America/Caracas", "2016-05-01T07:00"),
]

spans = st.timedeltas(timedelta(0), timedelta(days=3))
around_a_change = st.builds(
    lambda change, before, length: (
        change[0],
        (start := datetime.fromisoformat(change[1]).replace(tzinfo=UTC) - before),
        start + length,
    ),
    st.sampled_from(CHANGES),
    st.timedeltas(timedelta(hours=-12), timedelta(hours=60)),
    spans,
)
anywhere = st.builds(
    lambda name, start, length: (name, start, start + length),
    st.sampled_from(sorted(available_timezones())),
    st.datetimes(datetime(1890, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - they get one
    st.timedeltas(timedelta(0), timedelta(days=40)),
)
Span = tuple[str, datetime, datetime]


@pytest.mark.parametrize(("name", "at"), CHANGES, ids=[f"{name} {at}" for name, at in CHANGES])
def test_the_clocks_changed_at_each_moment_that_is_listed(name: str, at: str) -> None:
    """Newer zone data may move a change. Then the examples lie around an ordinary night, and prove nothing."""
    after = datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(zone(name))
    before = (after.astimezone(UTC) - US).astimezone(zone(name))
    assert (before.utcoffset(), before.dst()) != (after.utcoffset(), after.dst())


@given(around_a_change)
def test_days_match_a_clock_that_is_read_each_minute(span: Span) -> None:
    """After midnight a clock may go back and show yesterday's date again. Today has begun all the same."""
    name, start, end = span
    watched: dict[date, int] = {}
    minute = start.replace(second=0, microsecond=0) - timedelta(days=2)
    shown = minute.astimezone(zone(name)).date()
    while minute < end:
        shown = max(shown, minute.astimezone(zone(name)).date())
        if minute + MINUTE > start:
            watched[shown] = watched.get(shown, 0) + (min(end, minute + MINUTE) - max(start, minute)) // US
        minute += MINUTE
    assert {part.on: part.us for part in split(start, end, name)} == {day: us for day, us in watched.items() if us}


@given(around_a_change | anywhere)
def test_parts_add_up_and_their_days_follow_each_other(span: Span) -> None:
    name, start, end = span
    parts = split(start, end, name)
    assert sum(part.us for part in parts) == (end - start) // US
    assert all(part.us > 0 for part in parts)
    assert all(one.on < other.on for one, other in pairwise(parts))


@given(around_a_change | anywhere, st.floats(0, 1))
def test_an_interval_cut_in_two_has_the_same_days(span: Span, where: float) -> None:
    name, start, end = span
    middle = start + (end - start) * where
    together: dict[date, int] = {}
    for part in (*split(start, middle, name), *split(middle, end, name)):
        together[part.on] = together.get(part.on, 0) + part.us
    assert together == {part.on: part.us for part in split(start, end, name)}


@given(around_a_change | anywhere)
def test_no_moment_comes_before_its_day_begins(span: Span) -> None:
    name, start, end = span
    day = local_day(start, name)
    begins = first_instant(day, name)
    assert begins is not None
    assert begins <= start
    assert day <= local_day(end, name)
    # Only a clock that went back over midnight shows another date than the day's, and then an earlier one.
    assert start.astimezone(zone(name)).date() <= day
