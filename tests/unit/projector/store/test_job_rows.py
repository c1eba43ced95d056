"""Rows of job totals: what closed intervals add to each job, from the changes of outcomes alone."""

from typing import Any, Final

from services.projector.domain.outcomes import Kept
from services.projector.ports import Advance, Checkpoint
from services.projector.store.rows import rows_of
from shared.events.durations import US_PER_MINUTE
from shared.events.ids import slot_of
from shared.events.outcome import Change, DayPart, Outcome, Was, read_outcome, write_outcome
from shared.events.policy import Overlap, OverlapMode, Rules
from shared.events.value import replace
from tests.support.story.given import JERUSALEM, given, moment, paused, resumed, started, stopped

WHOSE: Final = (slot_of("acme", "dana"), "acme", "dana")


def totals(*outcomes: Outcome) -> list[tuple[Any, ...]]:
    """Return what a commit adds, from the outcomes as they were written."""
    read = [read_outcome(write_outcome(outcome)) for outcome in outcomes]
    rows = rows_of([Advance(0, Checkpoint(3), [Kept(outcome, write_outcome(outcome)) for outcome in read])])
    return list(zip(*dict(rows.writes()).get("add_job_totals", ()), strict=True))


def test_intervals_of_one_job_are_one_row_over_timers_and_days() -> None:
    story = given(
        started("desk", at="21:00", job_id="roof"),
        paused("desk", at="21:30"),
        started("phone", at="21:30", job_id="roof", billable=False),
        resumed("desk", at="21:45"),
        stopped("desk", at="22:45"),
        stopped("phone", at="22:00"),
        started("car", at="23:00", job_id="cellar"),
        stopped("car", at="23:10"),
        started("none", at="23:20"),
        stopped("none", at="23:30"),
    )
    assert totals(*story.outcomes) == [
        (*WHOSE, "roof", (30 + 60 + 30) * US_PER_MINUTE),
        (*WHOSE, "cellar", 10 * US_PER_MINUTE),
    ]


def test_a_timer_that_runs_adds_nothing_yet() -> None:
    assert totals(*given(started("desk", at="09:00", job_id="roof")).outcomes) == []


def test_a_timer_that_a_switch_ends_adds_to_its_own_job() -> None:
    switching = JERUSALEM.model_copy(update={"rules": Rules(R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS))})
    story = given(started("desk", at="09:00", job_id="roof"), policy=switching)
    story.when(started("phone", at="09:30", job_id="cellar"))
    assert totals(story.outcome) == [(*WHOSE, "roof", 30 * US_PER_MINUTE)]


def test_an_end_that_was_taken_back_gives_its_time_back() -> None:
    """The system had stopped the timer at 11:00. A late press says 09:30, and the job loses an hour and a half."""
    said = given(started("desk", at="09:00", job_id="roof"), stopped("desk", at="09:30")).outcome
    assert totals(replace(said, changed=(taking_back(said.changed[0]),))) == [(*WHOSE, "roof", -90 * US_PER_MINUTE)]


def taking_back(change: Change) -> Change:
    """Return a change that takes an end at 11:00 back."""
    assert change.closed is not None
    was = Was(end=moment("11:00"), days=(DayPart(on=moment("11:00").date(), us=120 * US_PER_MINUTE),))
    return replace(change, closed=replace(change.closed, was=was))
