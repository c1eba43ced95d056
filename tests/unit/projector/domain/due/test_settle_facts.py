"""A fact counts from when it is on the log: until then, what is due is due by what was known, ticks or no ticks.

Each fact is heard ten seconds before something is due, and is on the log ten seconds after it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from shared.events.models import (
    DeadlineReached,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
)
from shared.events.outcome import Finding
from shared.events.rules import Rule
from tests.support.story.given import Story, Told, fact, found, given, moment, started, stopped

# In Jerusalem, Tuesday 3 March 2026 begins at 22:00 UTC of Monday.
ON: Final = date(2026, 3, 2)
TUESDAY: Final = date(2026, 3, 3)


def there(left: str, at: str) -> Told:
    return fact(OwnerAttendanceRecorded, at, on=ON, checked_in_at=moment("07:00"), checked_out_at=moment(left))


def estimate(seconds: int, at: str) -> Told:
    return fact(OwnerEstimateSet, at, job_id="roof", seconds=seconds)


CASES: Final = [
    (estimate(3600, "08:00"), "09:00", estimate(7200, "09:59:50"), found(Rule.OVER_ESTIMATE, "desk", "10:00", "10:30")),
    (
        there("10:00", "08:00"),
        "09:00",
        there("12:00", "09:59:50"),
        found(Rule.OUTSIDE_ATTENDANCE, "desk", "10:00", "10:30"),
    ),
    (
        fact(OwnerLeaveGranted, "08:00", on=TUESDAY),
        "21:00",
        fact(OwnerLeaveRevoked, "21:59:50", on=TUESDAY),
        found(Rule.DAY_OFF, "desk", "22:00", "22:30"),
    ),
]


def lived(known: Told, start: str, other: Told, ticks: Sequence[Told]) -> Story:
    """Return a story in which a fact replaces what was known, twenty seconds after it was heard."""
    hour = int(start[:2]) + 1
    late = replace(other, log_time=moment(f"{hour}:00:10"))
    story = given(known, started("desk", at=start, job_id="roof"))
    return story.when(*ticks, late, stopped("desk", at=f"{hour}:30"))


def told_last(story: Story) -> set[Finding]:
    return set({(one.rule, one.from_): one for said in story.outcomes for one in said.findings}.values())


@pytest.mark.parametrize("ticked", [False, True])
@pytest.mark.parametrize(("known", "start", "other", "finding"), CASES, ids=["estimate", "attendance", "leave"])
def test_what_was_due_before_a_fact_was_on_the_log_is_found(
    known: Told, start: str, other: Told, finding: Finding, *, ticked: bool
) -> None:
    ticks = [fact(DeadlineReached, f"{int(start[:2]) + 1}:00:05")] if ticked else []
    assert told_last(lived(known, start, other, ticks)) == {finding}
