"""Quiet: until when a sheet knows that nothing falls due, and what makes it forget that."""

from datetime import date, timedelta
from typing import Final

import pytest

from services.projector.domain.sheet.evolve import evolve
from services.projector.domain.sheet.state import Quiet, Timesheet
from services.projector.domain.sheet.taken_back import with_end_taken_back
from shared.events.models import (
    DeadlineReached,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerProfileSet,
)
from shared.events.policies.book import Timeline
from shared.events.policies.terms import terms_of
from shared.events.policy import LongRunning, Rules
from shared.events.value import replace
from tests.support.story.given import JERUSALEM, Told, fact, given, moment, paused, started, timer_id

HOUR: Final = 3600
US: Final = timedelta(microseconds=1)
TIMELINE: Final = Timeline((moment("08:00"),), (terms_of(JERUSALEM),))
QUIET: Final = Quiet(TIMELINE, moment("09:00"), moment("18:00"))
CLOSING: Final = JERUSALEM.model_copy(update={"rules": Rules(R16=LongRunning(auto_close_seconds=7 * HOUR))})


def knowing(sheet: Timesheet) -> Timesheet:
    return replace(sheet, quiet=QUIET)


def test_a_sheet_is_quiet_from_a_look_until_the_first_thing_falls_due() -> None:
    story = given(started("desk", at="09:00"), policy=CLOSING)
    known = story.sheet().quiet
    assert known is not None
    assert (known.since, known.until) == (moment("09:00"), moment("16:00"))
    moments = moment("09:00") - US, moment("09:00"), moment("16:00") - US, moment("16:00")
    assert [story.sheet().is_quiet(known.timeline, at) for at in moments] == [False, True, True, False]


def test_a_sheet_is_not_known_to_be_quiet_by_another_timeline() -> None:
    sheet = knowing(Timesheet("acme", "dana"))
    assert sheet.is_quiet(TIMELINE, moment("09:00"))
    assert not sheet.is_quiet(Timeline(TIMELINE.begins, TIMELINE.terms), moment("09:00"))


@pytest.mark.parametrize(
    "told",
    [
        paused("desk", at="10:00"),
        fact(OwnerProfileSet, "10:00", zone="Europe/Berlin"),
        fact(OwnerLeaveGranted, "10:00", on=date(2026, 3, 3)),
        fact(OwnerAttendanceRecorded, "10:00", on=date(2026, 3, 2), checked_in_at=moment("08:00")),
        fact(OwnerEstimateSet, "10:00", job_id="J-1", seconds=HOUR),
    ],
    ids=["press", "profile", "leave", "attendance", "estimate"],
)
def test_a_sheet_that_changes_is_no_longer_known_to_be_quiet(told: Told) -> None:
    story = given(started("desk", at="09:00", job_id="J-1"))
    before = knowing(story.sheet())
    after = evolve(before, story.when(told).outcome)
    assert after != before
    assert after.quiet is None


def test_a_sheet_whose_end_is_taken_back_is_no_longer_known_to_be_quiet() -> None:
    story = given(started("desk", at="09:00"), fact(DeadlineReached, "16:00"), policy=CLOSING)
    sheet = with_end_taken_back(knowing(story.sheet()), timer_id("desk"), moment("15:00"), moment("16:30"))
    assert sheet is not None
    assert sheet.quiet is None


def test_two_sheets_that_are_joined_are_not_known_to_be_quiet() -> None:
    sheet = knowing(given(started("desk", at="09:00")).sheet())
    assert sheet.joined(sheet).quiet is None


def test_a_sheet_that_is_trimmed_stays_quiet() -> None:
    """What is dropped makes nothing fall due."""
    story = given(started("desk", at="09:00"), paused("desk", at="09:30"), started("phone", at="09:40"), policy=CLOSING)
    known = story.sheet().quiet
    assert known is not None
    assert timer_id("desk") not in story.sheet().trimmed(0).timers
    assert story.sheet().trimmed(0).quiet == known
