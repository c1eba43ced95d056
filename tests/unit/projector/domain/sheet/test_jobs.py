"""Jobs on a sheet: the time of closed intervals on each, its estimate, and what is kept between batches."""

from dataclasses import replace
from typing import Final

from services.projector.domain.sheet.evolve import evolve, learned
from services.projector.domain.sheet.jobs import Estimate, Job
from services.projector.domain.sheet.state import Timesheet
from shared.events.durations import US_PER_MINUTE
from shared.events.models import OwnerEstimateSet
from shared.events.outcome import Change, DayPart, Fact, Was, read_outcome
from tests.support.story.given import Story, fact, given, moment, paused, resumed, started, stopped

NOBODY: Final = Timesheet("acme", "dana")


def worked(minutes: float, estimate: Estimate | None = None) -> Job:
    return Job(int(minutes * US_PER_MINUTE), estimate)


def replayed(story: Story, before: Timesheet = NOBODY) -> Timesheet:
    """Fold the outcomes from their bytes, as a reader of the stream does."""
    for folded in story.answers:
        before = evolve(before, read_outcome(folded.body))
    return before


def test_a_jobs_time_is_the_sum_of_its_closed_intervals_over_all_timers() -> None:
    story = given(
        started("desk", at="09:00", job_id="roof"),
        started("phone", at="09:05", job_id="roof", billable=False),
        started("car", at="09:05", job_id="cellar"),
        started("none", at="09:05"),
        paused("desk", at="09:10"),
        resumed("desk", at="09:20"),
        stopped("desk", at="09:25"),
        stopped("phone", at="09:35"),
        stopped("none", at="09:45"),
    )
    assert story.sheet().jobs == {"roof": worked(10 + 5 + 30)}
    assert replayed(story) == story.sheet()


def test_an_estimate_replaces_the_one_before_and_says_since_when_it_is_known() -> None:
    story = given(
        fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=60),
        started("desk", at="09:00", job_id="roof"),
        stopped("desk", at="09:10"),
        fact(OwnerEstimateSet, "10:00", job_id="roof", seconds=90),
    )
    assert story.sheet().jobs == {"roof": worked(10, Estimate(90, moment("10:00")))}
    assert replayed(story) == story.sheet()


def test_an_end_that_was_taken_back_gives_its_time_back() -> None:
    """The sheet knew an interval until 11:00, guessed by the system. A person says 09:30."""
    guessed = replayed(given(started("desk", at="09:00", job_id="roof"), stopped("desk", at="11:00")))
    said = given(started("desk", at="09:00", job_id="roof"), stopped("desk", at="09:30")).outcome
    taken_back = replace(said, changed=(taking_back(said.changed[0]),))
    assert guessed.jobs == {"roof": worked(120)}
    assert evolve(guessed, taken_back).jobs == {"roof": worked(30)}


def taking_back(change: Change) -> Change:
    """Return a change that takes an end at 11:00 back."""
    assert change.closed is not None
    was = Was(end=moment("11:00"), days=(DayPart(on=moment("11:00").date(), us=120 * US_PER_MINUTE),))
    return replace(change, closed=replace(change.closed, was=was))


def test_of_a_job_that_the_sheet_does_not_know_nothing_is_learned() -> None:
    """A part of its time would look like all of it."""
    read = replace(NOBODY, jobs={"roof": worked(10)}, all_jobs=False)
    estimate = Fact(kind="estimate", about="cellar", body={"seconds": 60})
    assert learned(read, estimate, moment("10:00")) == read
    story = given(started("desk", at="09:00", job_id="cellar"), stopped("desk", at="09:30"))
    assert replayed(story, read).jobs == read.jobs
    assert not replayed(story, read).knows_job("cellar")
    known = replace(read, jobs={**read.jobs, "cellar": worked(1)})
    assert replayed(story, known).jobs == {"roof": worked(10), "cellar": worked(31)}


def test_a_sheet_keeps_the_jobs_of_running_timers_and_a_few_others() -> None:
    names = [f"job {number}" for number in range(5)]
    presses = [press for name in names for press in (started(name, "09:00", job_id=name), stopped(name, "09:10"))]
    sheet = given(started("desk", at="08:00", job_id="roof"), *presses).sheet()
    sheet = replace(sheet, jobs={"roof": worked(0), **sheet.jobs})
    kept = sheet.trimmed(2)
    assert set(kept.jobs) == {"roof", *names[-2:]}
    assert sheet.knows_job("anything")
    assert kept.knows_job("roof")
    assert not kept.knows_job(names[0])
    assert kept.trimmed(2) == kept
    assert set(sheet.trimmed(0).jobs) == {"roof"}


def test_a_sheet_that_drops_no_job_still_knows_them_all() -> None:
    sheet = given(started("desk", at="09:00", job_id="roof"), stopped("desk", at="09:10")).sheet()
    assert sheet.trimmed(8).knows_job("cellar")


def test_joined_sheets_know_what_either_knows() -> None:
    one = replace(NOBODY, jobs={"roof": worked(1)}, all_jobs=False)
    other = replace(NOBODY, jobs={"cellar": worked(2)}, all_jobs=False)
    assert one.joined(other).jobs == {"roof": worked(1), "cellar": worked(2)}
    assert not one.joined(other).knows_job("attic")
    assert one.joined(replace(other, all_jobs=True)).knows_job("attic")
