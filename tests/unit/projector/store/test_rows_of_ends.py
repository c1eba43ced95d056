"""Rows of ends that may be taken back: what a commit says of them, however presses are cut into commits."""

import json
from datetime import date

from services.projector.domain.outcomes import Kept
from services.projector.ports import Advance, Checkpoint
from services.projector.store.rows import rows_of
from shared.events.models import DeadlineReached
from shared.events.outcome import DayPart, Was
from shared.events.policy import DailyCap, LongRunning, Overlap, OverlapMode, Rules
from shared.events.value import replace
from tests.support.story.given import JERUSALEM, Story, book_of, fact, given, moment, paused, resumed, started, stopped
from tests.unit.projector.store.written import DESK, MINUTE_US, SLOT, WHOSE, writes


def test_an_end_that_was_taken_back_gives_its_days_back() -> None:
    """The system had stopped the timer at 11:00. A late press says 09:30, and the day loses an hour and a half."""
    story = given(started("desk", at="09:00", billable=False, job_id="J-1")).when(stopped("desk", at="09:30"))
    said = story.outcome
    (change,) = said.changed
    assert change.closed is not None
    was = Was(end=moment("11:00"), days=(DayPart(on=date(2026, 3, 2), us=120 * MINUTE_US),))
    corrected = replace(change, closed=replace(change.closed, was=was))
    outcome = replace(said, changed=(corrected,))
    rows = dict(rows_of([Advance(0, Checkpoint(3), [Kept(outcome, b"{}")])]).writes())
    assert [tuple(row) for row in zip(*rows["add_day_totals"], strict=True)] == [
        (SLOT, *WHOSE, date(2026, 3, 2), -90 * MINUTE_US, 0, False)
    ]
    assert [tuple(row) for row in zip(*rows["add_work_totals"], strict=True)] == [
        (SLOT, "acme", "job", "J-1", date(2026, 3, 2), -90 * MINUTE_US, 0, False)
    ]
    (interval,) = zip(*rows["upsert_intervals"], strict=True)
    assert interval[5:7] == (moment("09:00"), moment("09:30"))


def test_an_end_that_may_be_taken_back_stays_so_when_a_flag_is_told_in_the_same_commit() -> None:
    """A late start crosses the cap at 17:30, and flags the desk, which the system had stopped at 19:00."""
    rules = Rules(R11=DailyCap(billable_seconds_per_day=39_600), R16=LongRunning(auto_close_seconds=36_000))
    story = Story(book_of(JERUSALEM.model_copy(update={"rules": rules}))).when(started("desk", at="09:00"))
    story.when(fact(DeadlineReached, "19:01"), started("phone", at="20:00", asked="15:00"))
    (desk,) = [row for row in writes(story)["upsert_timers"] if row[1] == DESK]
    assert desk[14] == "R11,R16"
    days = [{"on": "2026-03-02", "us": 600 * MINUTE_US}]
    assert json.loads(desk[17]) == {"source_offset": story.outcome.source_offset, "days": days}
    # And what a person presses then is nobody's guess.
    story.when(stopped("desk", at="20:10", asked="18:00"))
    assert [row[17] for row in writes(story)["upsert_timers"] if row[1] == DESK] == [None]


def test_a_flag_alone_leaves_an_end_of_before_as_it_is_and_any_press_does_not() -> None:
    """Of the second commit a resume and a pause say that they were before the switch at 10:00, and count there."""
    rules = Rules(R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS))
    story = given(
        started("desk", at="09:00"), started("phone", at="10:00"), policy=JERUSALEM.model_copy(update={"rules": rules})
    )
    before = len(story.outcomes)
    story.when(resumed("desk", at="10:10", asked="09:50"), paused("desk", at="10:11", asked="09:55"))
    (desk,) = [row for row in writes(story, since=before)["upsert_timers"] if row[1] == DESK]
    assert (desk[9], desk[13], desk[17]) == ("PAUSED", moment("10:00"), None)
    flagged = replace(story.outcomes[0].changed[0], by="settle", opened=None)
    outcome = replace(story.outcomes[0], changed=(flagged,))
    (alone,) = rows_of([Advance(0, Checkpoint(3), [Kept(outcome, b"{}")])]).timers.values()
    assert alone[17] == "null"
