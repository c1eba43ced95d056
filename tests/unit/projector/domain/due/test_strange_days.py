"""Strange days: the local days of zones with strange clocks, by hand, and what the fold makes of work across them.

Each row was worked out from the rule that the zone published, not from tzdata. A row is a local date, the UTC instant
at which it begins, and how many hours it has.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Final

import pytest

from shared.events.calendar import first_instant, local_day, split
from shared.events.durations import US_PER_SECOND
from shared.events.models import DeadlineReached
from shared.events.outcome import Finding
from shared.events.policy import DailyCap, Holiday, LongRunning, Mode, Overlap, OverlapMode, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import JERUSALEM, fact, given, moment, started, stopped

HOUR: Final = timedelta(hours=1)
US: Final = timedelta(microseconds=1)
CAP_HOURS: Final = 4

DAYS: Final = [
    # The Friday before the last Sunday of March, 02:00 -> 03:00; the last Sunday of October, 02:00 -> 01:00.
    ("Asia/Jerusalem", "2026-03-27", "2026-03-26T22:00", 23),
    ("Asia/Jerusalem", "2026-10-25", "2026-10-24T21:00", 25),
    # The last Friday of April has no midnight. The last Thursday of October goes back from 24:00 to 23:00.
    ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00", 23),
    ("Africa/Cairo", "2026-10-29", "2026-10-28T21:00", 25),
    # Until 2019: the first Sunday of November had no midnight, and the third Saturday of February had 23:00 twice.
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", 23),
    ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00", 25),
    # From the 29th straight to the 31st, over the date line.
    ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", 24),
    ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", 24),
    # 5 h 45 min ahead, all the year.
    ("Asia/Kathmandu", "2026-03-02", "2026-03-01T18:15", 24),
    # By half an hour: 02:00 -> 02:30 on the first Sunday of October, 02:00 -> 01:30 on that of April.
    ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30", 23.5),
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", 24.5),
    # One hour ahead, and none in Ramadan: back on the Sunday before it, forward on that after it.
    ("Africa/Casablanca", "2026-02-15", "2026-02-14T23:00", 25),
    ("Africa/Casablanca", "2026-03-22", "2026-03-22T00:00", 23),
    # No midnight on the second Sunday of March, and two on the first of November: 01:00 -> 00:00. Not in 2026, when
    # Cuba stayed on summer time.
    ("America/Havana", "2026-03-08", "2026-03-08T05:00", 23),
    ("America/Havana", "2025-11-02", "2025-11-02T04:00", 25),
    ("America/Havana", "2026-11-01", "2026-11-01T04:00", 24),
    # By two hours, from the Greenwich hour of winter to Norway's summer.
    ("Antarctica/Troll", "2026-03-29", "2026-03-29T00:00", 22),
    ("Antarctica/Troll", "2026-10-25", "2026-10-24T22:00", 26),
    # 12 h 45 min ahead, 13 h 45 min in summer.
    ("Pacific/Chatham", "2026-04-05", "2026-04-04T10:15", 25),
    ("Pacific/Chatham", "2026-09-27", "2026-09-26T11:15", 23),
    # Irish winter time is the exception, an hour less than standard time. The days are those of its neighbours.
    ("Europe/Dublin", "2026-03-29", "2026-03-29T00:00", 23),
    ("Europe/Dublin", "2026-10-25", "2026-10-24T23:00", 25),
    # Half an hour off. Until 2011 the clocks changed at a minute past midnight: 00:01 -> 23:01 of the day before.
    ("America/St_Johns", "2026-03-08", "2026-03-08T03:30", 23),
    ("America/St_Johns", "2010-11-07", "2010-11-07T02:30", 25),
    # Once, for good: 00:00 of 1 February was 23:00 of 31 January again.
    ("Africa/Juba", "2021-01-31", "2021-01-30T21:00", 25),
    # The last Sunday of March begins at 01:00. The Saturday before the last Sunday of October has 23:00 twice.
    ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00", 23),
    ("Asia/Beirut", "2026-10-24", "2026-10-23T21:00", 25),
]
each_day = pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"), DAYS, ids=[f"{zone} {on}" for zone, on, *_ in DAYS]
)


def test_the_table_has_more_than_twelve_zones() -> None:
    assert len({zone for zone, *_ in DAYS}) > 12


@each_day
def test_a_strange_day_begins_and_ends_as_its_zone_published(zone: str, day: str, begins: str, hours: float) -> None:
    on, begin, end = date.fromisoformat(day), moment(begins), moment(begins) + hours * HOUR
    assert first_instant(on, zone) == begin
    assert (local_day(begin, zone), local_day(end - US, zone)) == (on, on)
    before, whole, after = split(begin - HOUR, end + HOUR, zone)
    assert (whole.on, whole.us) == (on, hours * 3600 * US_PER_SECOND)
    assert before.on < on < after.on
    assert before.us == after.us == 3600 * US_PER_SECOND


@each_day
def test_work_across_a_strange_day_is_counted_and_judged_by_its_own_midnights(
    zone: str, day: str, begins: str, hours: float
) -> None:
    """Two timers run from an hour before a holiday to an hour after it. Nobody presses meanwhile.

    The holiday is found from its first instant to its last, the cap after half of its hours, and the day is overfull
    after half of its own length.
    """
    on, begin, end = date.fromisoformat(day), moment(begins), moment(begins) + hours * HOUR
    rules = Rules(
        R09=RuleMode(mode=Mode.FLAG),
        R11=DailyCap(billable_seconds_per_day=CAP_HOURS * 3600),
        R13=Overlap(mode=OverlapMode.ALLOW),
        R16=LongRunning(mode=Mode.OFF),
    )
    policy = JERUSALEM.model_copy(update={"zone": zone, "rules": rules, "holidays": (Holiday(day=on),)})
    starts = _text(begin - HOUR)
    story = given(started("desk", at=starts), started("phone", at=starts), policy=policy)
    story.when(fact(DeadlineReached, _text(end + HOUR / 2)))
    story.when(stopped("desk", at=_text(end + HOUR)), stopped("phone", at=_text(end + HOUR)))

    told: dict[tuple[int, str, datetime], Finding] = {}
    for outcome in story.outcomes:
        told |= {(finding.timer_id, finding.rule, finding.from_): finding for finding in outcome.findings}
        for closed in (change.closed for change in outcome.changed if change.closed is not None):
            assert [(part.on == on, part.us) for part in closed.days] == [
                (False, 3600 * US_PER_SECOND),
                (True, hours * 3600 * US_PER_SECOND),
                (False, 3600 * US_PER_SECOND),
            ]
    assert Counter((finding.rule, finding.from_, finding.to) for finding in told.values()) == {
        (Rule.DAY_OFF, begin, end): 2,
        (Rule.OVER_DAILY_CAP, begin + CAP_HOURS / 2 * HOUR, end): 2,
        (Rule.OVERFULL_DAY, begin + hours / 2 * HOUR, end): 2,
    }


def _text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat()
