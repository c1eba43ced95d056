"""Intervals that were on the log long after they began: nobody looked at their first days, so each look does.

Dana is off on Fridays and Saturdays, and eight billable hours fill a day. The zone is UTC.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any, Final
from unittest.mock import Mock, patch

import pytest

from services.projector.domain.due import deadlines
from services.projector.domain.sheet.state import FoundOpen
from shared.events.outcome import CHANGES_MAX
from shared.events.policy import DailyCap, LongRunning, Mode, Policy, Preset, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import Story, Told, given, moment, paused, resumed, started, stopped, tick, timer_id
from tests.unit.projector.domain.due.looks import FRIDAY_AND_SATURDAY, HOUR, told

WATCHED: Final = Policy(
    preset=Preset.NATIVE,
    zone="UTC",
    weekend=FRIDAY_AND_SATURDAY,
    rules=Rules(
        R11=DailyCap(billable_seconds_per_day=8 * HOUR), R16=LongRunning(mode=Mode.OFF), R17=RuleMode(mode=Mode.OFF)
    ),
)
DAYS: Final = [date(2026, 3, 2) + timedelta(days=n) for n in range(21)]
NOW: Final = "2026-03-22T10:00"
LUNCH: Final = (
    paused("desk", at=NOW, asked="2026-03-03T12:00"),
    resumed("desk", at=f"{NOW}:01", asked="2026-03-03T13:00"),
)


def on_time(story: Story, *presses: Told, until: str, ticks: bool = True) -> Story:
    """Say presses, with a look whenever one is due up to a moment."""
    for press in presses:
        story.when(press)
    while ticks and story.outcomes and (due := story.outcome.due) is not None and due <= moment(until):
        story.when(tick((due + timedelta(milliseconds=1)).replace(tzinfo=None).isoformat(timespec="milliseconds")))
    return story


def found_on(story: Story, rule: Rule, timer: str = "desk") -> Counter[date]:
    """Return on which days a rule found time of a timer, and how many hours."""
    hours = Counter[date]()
    for one in told(story):
        if one.rule == rule and one.timer_id == timer_id(timer) and one.amount_us != 0:
            hours[one.from_.date()] += (one.amount_us or 0) // HOUR // 1_000_000
    return hours


def of_lunch(*, ticks: bool, in_time: bool) -> Story:
    """Return three weeks of work without a pause but for one lunch, which was queued offline or came in time."""
    story = on_time(given(started("desk", at="08:00"), policy=WATCHED), until="2026-03-03T12:00", ticks=ticks)
    if in_time:
        story.when(paused("desk", at="2026-03-03T12:00"), resumed("desk", at="2026-03-03T13:00"))
    on_time(story, until=NOW, ticks=ticks)
    if not in_time:
        on_time(story, *LUNCH, until="2026-03-22T11:00", ticks=ticks)
    return on_time(story, stopped("desk", at="2026-03-22T12:00"), until="2026-03-22T12:00")


@pytest.mark.parametrize("ticks", [True, False])
def test_a_lunch_of_weeks_ago_leaves_the_findings_of_all_days_after_it(ticks: bool) -> None:  # noqa: FBT001 - a column
    """The pause ends what was told of the later days, and the interval that the resume opens is looked at from then."""
    late, in_time = of_lunch(ticks=ticks, in_time=False), of_lunch(ticks=True, in_time=True)
    off = {day: 24 for day in DAYS if day.isoweekday() in {5, 6}}
    assert found_on(late, Rule.DAY_OFF) == found_on(in_time, Rule.DAY_OFF) == off
    over = dict.fromkeys(DAYS, 16) | {DAYS[0]: 8, DAYS[1]: 15, DAYS[-1]: 4}
    assert found_on(late, Rule.OVER_DAILY_CAP) == found_on(in_time, Rule.OVER_DAILY_CAP) == over


def test_a_start_of_weeks_ago_is_looked_at_from_its_first_day() -> None:
    story = given(started("desk", at=NOW, asked="2026-03-02T09:00"), policy=WATCHED)
    story.when(stopped("desk", at="2026-03-22T12:00"))
    assert found_on(story, Rule.OVER_DAILY_CAP) == dict.fromkeys(DAYS, 16) | {DAYS[0]: 7, DAYS[-1]: 4}


def test_a_start_of_years_ago_is_looked_at_for_63_days_before_it_was_on_the_log() -> None:
    """Otherwise each look would cost as much as the years have days."""
    story = given(started("desk", at=NOW, asked="2021-03-02T09:00"), policy=WATCHED)
    on_time(story, until="2026-03-22T10:05")
    assert min(found_on(story, Rule.OVER_DAILY_CAP)) == date(2026, 3, 22) - timedelta(days=63)
    assert len(found_on(story, Rule.OVER_DAILY_CAP)) == 64


def test_days_between_the_log_and_the_last_eight_are_not_looked_at() -> None:
    """As of any interval: they were looked at in their time. Here nobody did."""
    story = given(started("desk", at=NOW, asked="2026-03-02T09:00"), policy=WATCHED)
    story.when(tick("2026-04-20T12:00"))
    days = found_on(story, Rule.OVER_DAILY_CAP)
    assert [day for day in days if day < date(2026, 4, 1)] == DAYS
    assert min(day for day in days if day not in DAYS) == date(2026, 4, 12)


def test_what_an_outcome_has_no_room_for_is_told_by_the_next_look_at_once() -> None:
    """Four timers of two months: over 300 findings, each told twice, when it begins and at midnight."""
    story = given(policy=WATCHED)
    for number in range(4):
        story.when(started(str(number), at=f"{NOW}:0{number}", asked=f"2026-01-20T0{number}:00"))
    story.when(tick("2026-03-22T10:01:04"))
    assert len(story.outcome.findings) == CHANGES_MAX // 2
    assert story.outcome.due == moment("2026-03-22T10:01:04")
    on_time(story, until="2026-03-22T10:02")
    for number in range(4):
        assert len(found_on(story, Rule.OVER_DAILY_CAP, str(number))) == 62


def test_an_interval_of_weeks_ago_is_quiet_once_its_days_are_told() -> None:
    """All of its days lie in one look, so the next press does not look again."""
    story = given(started("desk", at=NOW, asked="2026-03-02T09:00"), policy=WATCHED).when(tick("2026-03-22T10:01"))
    quiet = story.sheet().quiet
    assert quiet is not None
    assert (quiet.since, quiet.until) == (moment("2026-03-22T10:01"), moment("2026-03-23T00:00"))


def test_a_look_does_not_compare_each_day_with_each_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two months of one interval are some 80 findings. Each begins in one step of a look, and ends in another."""
    asked = Mock(side_effect=lambda found: found.to is None or found.to > found.from_)
    monkeypatch.setattr(FoundOpen, "lasted", property(asked))
    story = given(started("desk", at=NOW, asked="2026-01-20T09:00"), policy=WATCHED).when(tick("2026-03-22T10:01"))
    assert len(story.outcome.findings) == 80
    assert 0 < asked.call_count < 20_000


# The control: without it, the first days are never told.


@pytest.mark.parametrize(
    "claim",
    [
        lambda: test_a_lunch_of_weeks_ago_leaves_the_findings_of_all_days_after_it(ticks=True),
        test_a_start_of_weeks_ago_is_looked_at_from_its_first_day,
        test_an_interval_of_weeks_ago_is_quiet_once_its_days_are_told,
    ],
)
def test_where_no_interval_comes_late_the_first_days_are_not_told(claim: Callable[[], None]) -> None:
    with nothing_comes_late(), pytest.raises(AssertionError):
        claim()


def nothing_comes_late() -> AbstractContextManager[Any]:
    return patch.object(deadlines, "late_on", lambda _: None)
