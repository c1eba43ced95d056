"""Groups of timers that are alike: a look finds with them what it finds without."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

import pytest

from services.projector.domain.due import alike
from services.projector.domain.due.alike import OnJob, Peers, Traits, grouped
from services.projector.domain.due.settle import look_ahead
from services.projector.domain.sheet.jobs import Estimate, Job
from services.projector.domain.sheet.state import DayWorked, FoundOpen, OpenInterval, Timer, Timesheet, Window
from shared.events.outcome import State, TimerAfter
from shared.events.policies.book import Timeline
from shared.events.policies.terms import terms_of
from shared.events.policy import DailyCap, Holiday, LongRunning, Mode, Policy, Preset, RuleMode, Rules
from tests.support.story.given import MONDAY, moment

TODAY: Final = MONDAY.date()
MIDNIGHT: Final = MONDAY + timedelta(days=1)
NOW: Final = moment("15:00")
FLAGS: Final = Policy(
    preset=Preset.NATIVE,
    zone="UTC",
    rules=Rules(R11=DailyCap(billable_seconds_per_day=8 * 3600), R16=LongRunning(long_running_seconds=10 * 3600)),
)
LAX: Final = Policy(preset=Preset.NATIVE, zone="UTC", rules=Rules(R17=RuleMode(mode=Mode.OFF)))
FULL: Final = {TODAY: DayWorked(total_us=90_000_000_000)}


def found(rule: str, at: str, to: datetime | None = None) -> FoundOpen:
    return FoundOpen(rule, moment(at), to)


def runs(number: int, since: str, zone: str = "UTC", logged: str | None = None, **said: Any) -> Timer:  # noqa: ANN401
    """Return a timer that runs. `said`: what was `told` about it, and fields of the timer."""
    told, start = said.pop("told", ()), moment(since)
    work = {"account_id": None, "job_id": None, "project_id": None, "billable": False, "work_date": None} | said
    after = TimerAfter(
        id=number,
        owner="dana",
        **work,
        state=State.RUNNING,
        started_at=start,
        stopped_at=None,
        total_us=0,
        last_at=start,
        flags=(),
    )
    return Timer(after, OpenInterval(1, start, zone, moment(logged or since), tuple(told)), 1)


@dataclass(frozen=True)
class Pair:
    """Two timers of which the later one decides, because it differs from the first in a trait."""

    first: Timer
    second: Timer
    known: Mapping[str, Any] = field(default_factory=dict)
    documents: tuple[tuple[datetime, Policy], ...] = ((MONDAY, FLAGS),)

    def due(self, few: int) -> datetime | None:
        """Return when the owner is to be looked at next. With `few` timers or less, each is looked at."""
        timers = {timer.id: timer for timer in (self.first, self.second)}
        begins, policies = zip(*self.documents, strict=True)
        timeline = Timeline(begins, tuple(map(terms_of, policies)))
        with patch.object(alike, "FEW", few):
            return look_ahead(Timesheet("acme", "dana", timers=timers, **self.known), timeline, NOW).due


def without(trait: str, blank: Any) -> AbstractContextManager[Any]:  # noqa: ANN401 - of any trait
    return patch.object(alike, "Traits", lambda *said: Traits(*said)._replace(**{trait: blank}))


THERE: Final = {"morning": Window(TODAY, moment("08:00"), moment("12:00"), moment("08:00"))}
ESTIMATED: Final = {"roof": Job(0, Estimate(1, moment("08:00")))}
CASES: Final[dict[str, tuple[Pair, str, Callable[[], AbstractContextManager[Any]]]]] = {
    "a zone in which the day is over sooner": (
        Pair(
            runs(1, "09:00", told=[found("R17", "14:30")]),
            runs(2, "10:00", "Asia/Tokyo", told=[found("R17", "14:30")]),
        ),
        "15:00",
        lambda: without("zone", "UTC"),
    ),
    "billable": (
        Pair(runs(1, "09:00"), runs(2, "10:00", billable=True)),
        "18:00",
        lambda: without("billable", blank=False),
    ),
    "no finding about the length": (
        Pair(runs(1, "09:00", told=[found("R16", "14:00")]), runs(2, "12:00")),
        "22:00",
        lambda: without("is_long", blank=False),
    ),
    "no finding about the day": (
        Pair(runs(1, "09:00", told=[found("R17", "09:00", MIDNIGHT)]), runs(2, "12:00"), {"days": FULL}),
        "15:00",
        lambda: without("told", ()),
    ),
    "on the log long after it began": (
        Pair(
            runs(1, "2026-02-01T09:00"),
            runs(2, "2026-02-03T09:00", logged="14:00"),
            documents=((MONDAY, LAX.model_copy(update={"holidays": (Holiday(day=date(2026, 2, 10)),)})),),
        ),
        "15:00",
        lambda: without("late_on", None),
    ),
    "not told of a check-out": (
        Pair(
            runs(1, "09:00", told=[found("R10", "10:00", MIDNIGHT)]),
            runs(2, "09:30", told=[found("R10", "14:00", MIDNIGHT)]),
            {"attendance": THERE},
        ),
        "15:00",
        lambda: without("checked_out_at", None),
    ),
    "not told of the estimate": (
        Pair(
            runs(1, "09:00", job_id="roof", told=[found("R12", "09:00")]),
            runs(2, "12:00", job_id="roof"),
            {"jobs": ESTIMATED},
        ),
        "15:00",
        lambda: patch.object(alike, "OnJob", lambda job_id, _: OnJob(job_id, is_told=False)),
    ),
}


@pytest.mark.parametrize(("pair", "due", "fault"), CASES.values(), ids=list(CASES))
def test_a_trait_of_a_later_timer_decides(
    pair: Pair, due: str, fault: Callable[[], AbstractContextManager[Any]]
) -> None:
    """Each with its control: without the trait the first would answer for both."""
    assert pair.due(few=2) == pair.due(few=0) == moment(due)
    with fault():
        assert pair.due(few=0) != moment(due)


def test_what_is_due_later_in_a_group_waits_with_what_waits_for_its_first_minute() -> None:
    """The first began long before its press: what is due for it waits for a minute, and that of the second with it."""
    pair = Pair(runs(1, "04:00", logged="14:59:40"), runs(2, "04:59:30"))
    assert pair.due(few=2) == pair.due(few=0) == moment("15:00:40")
    assert replace(pair, second=runs(2, "05:30")).due(few=0) == moment("15:00:40")


def test_of_two_in_a_group_that_are_due_at_one_instant_none_waits_for_the_other() -> None:
    pair = Pair(runs(1, "04:00", logged="14:59:40"), runs(2, "04:00"))
    assert pair.due(few=2) == pair.due(few=0) == moment("15:00")


def test_without_the_latest_of_a_group_its_first_minute_is_forgotten() -> None:
    """The control."""
    pair = Pair(runs(1, "04:00", logged="14:59:40"), runs(2, "05:30"))
    assert pair.due(few=2) == moment("15:00:40")
    with patch.object(Peers, "latest", moment("04:00")):
        assert pair.due(few=0) == moment("15:00")


def test_a_trimmed_sheet_keeps_the_groups_of_what_runs() -> None:
    paused = replace(runs(9, "09:00"), open=None)
    timers = {timer.id: timer for timer in (*(runs(number, "09:00") for number in range(1, 5)), paused)}
    timeline = Timeline((MONDAY,), (terms_of(FLAGS),))
    sheet = grouped(Timesheet("acme", "dana", timers=timers), timeline, NOW)
    kept, anew = sheet.trimmed(8), grouped(replace(sheet.trimmed(8), grouped=None), timeline, NOW)
    assert kept.grouped_now == anew.grouped_now
    assert grouped(kept, timeline, NOW) is kept


def test_groups_of_other_timers_are_not_asked() -> None:
    timers = {number: runs(number, "09:00") for number in range(1, 5)}
    sheet = grouped(Timesheet("acme", "dana", timers=timers), Timeline((MONDAY,), (terms_of(FLAGS),)), NOW)
    assert sheet.grouped_now is not None
    assert replace(sheet, timers={**timers, 5: runs(5, "10:00")}).grouped_now is None


def test_few_timers_that_are_left_of_many_are_in_no_group() -> None:
    """Their groups were made by policies and days of before."""
    paused = replace(runs(4, "09:00"), open=None)
    timers = {timer.id: timer for timer in (runs(1, "09:00"), runs(2, "09:00"), runs(3, "09:00"), paused)}
    timeline = Timeline((MONDAY,), (terms_of(FLAGS),))
    left = grouped(Timesheet("acme", "dana", timers=timers), timeline, NOW).trimmed(8)
    assert left.grouped_now is not None
    assert grouped(left, Timeline((MONDAY,), (terms_of(LAX),)), NOW).grouped_now is None
