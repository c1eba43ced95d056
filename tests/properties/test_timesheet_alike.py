"""Alike: a look that asks one timer of each group finds what a look that asks every timer finds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace as with_fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from services.projector.domain.due import alike, together
from services.projector.domain.due.alike import Alike, Peers
from services.projector.domain.due.crossings import first_at, time_in
from services.projector.domain.due.settle import look_ahead, settle
from services.projector.domain.due.together import Together, first_in_all, moment_of_us, time_in_all, us_of
from services.projector.domain.endings import DAILY, midnight_after
from services.projector.domain.sheet.jobs import Estimate, Job
from services.projector.domain.sheet.state import (
    DayWorked,
    FoundOpen,
    Leave,
    OpenInterval,
    Timer,
    Timesheet,
    Window,
)
from shared.events.outcome import CHANGES_MAX, State, TimerAfter
from shared.events.policies.book import Timeline
from shared.events.policies.terms import terms_of
from shared.events.policy import Mode, Policy, Preset, RuleMode, Rules
from shared.events.rules import Rule
from shared.events.value import replace
from tests.support.proof.laws import Fault, assert_noticed
from tests.support.story.documents import Revisions, revisions
from tests.support.story.folded import folded
from tests.support.story.histories import BEGINNING, DOCUMENTS, Entry, Move, histories, moves, written

EVERY_ONE: Final = 1_000_000
NOBODY: Final = -1
HOUR: Final = timedelta(hours=1)
ON: Final = BEGINNING.date()
# A look at `NOW`, and at times about it: some intervals have begun in the minute before.
NOW: Final = BEGINNING + 4 * HOUR
# A caller may ask for such a time.
LONG_AGO: Final = datetime(1, 1, 2, tzinfo=UTC)
OFF: Final = RuleMode(mode=Mode.OFF)
LAX: Final = Policy(
    preset=Preset.NATIVE,
    zone="Africa/Cairo",
    rules=Rules(R09=OFF, R10=OFF, R12=OFF, R17=OFF),
)


def _crowd(given: list[Move]) -> list[Entry]:
    """Write moves of one owner: the first half of them are starts."""
    half = len(given) // 2
    return written(
        [
            with_fields(move, owner="dana", tenant="acme", timer=place, kind="start")
            if place < half
            else with_fields(move, owner="dana", tenant="acme", timer=place % half)
            for place, move in enumerate(given)
        ]
    )


crowds: Final = st.lists(moves, min_size=8, max_size=30).map(_crowd)

_STARTS: Final = [NOW - ago for ago in (HOUR, HOUR, 2 * HOUR, 30 * HOUR, 300 * HOUR, timedelta(seconds=20))]
_MOMENTS: Final = [NOW - ago * HOUR for ago in (-2, 0, 1, 2, 20, 22, 40)]


@st.composite
def _timers(draw: st.DrawFn, number: int) -> Timer:
    start = draw(st.sampled_from(_STARTS))
    zone = draw(st.sampled_from(("Asia/Jerusalem", "Asia/Jerusalem", "Africa/Cairo")))
    running = OpenInterval(1, start, zone, draw(st.sampled_from((start, start, NOW - timedelta(seconds=20)))))
    found: dict[tuple[datetime, str], FoundOpen] = {}
    told = st.tuples(
        st.sampled_from(sorted({*DAILY, Rule.OVER_ESTIMATE, Rule.LONG_RUNNING})),
        st.sampled_from([start, *(one for one in _MOMENTS if one > start)]),
        st.sampled_from(("lasts", "at midnight", "never")),
    )
    for rule, from_, ends in draw(st.lists(told, max_size=3)):
        to = {"lasts": None, "at midnight": midnight_after(from_, running), "never": from_}[ends]
        found[from_, rule.value] = FoundOpen(rule.value, from_, to)
    running = with_fields(running, found=tuple(found[key] for key in sorted(found)))
    after = TimerAfter(
        id=number,
        owner="dana",
        account_id=None,
        job_id=draw(st.sampled_from((None, "roof", "cellar"))),
        project_id=None,
        billable=draw(st.booleans()),
        work_date=None,
        state=State.RUNNING,
        started_at=start,
        stopped_at=None,
        total_us=0,
        last_at=start,
        flags=(),
        reference=None,
    )
    return Timer(after, running, 1)


@st.composite
def looks(draw: st.DrawFn) -> tuple[Timesheet, Timeline]:
    """Return a sheet with running timers, and the documents of its tenant: also such as no history leads to."""
    timers = [draw(_timers(number)) for number in range(1, draw(st.integers(2, 9)))]
    documents = draw(st.lists(st.sampled_from((*DOCUMENTS, LAX)), min_size=1, max_size=3))
    began = sorted(draw(st.lists(st.sampled_from(_MOMENTS), min_size=len(documents), max_size=len(documents))))
    timeline = Timeline(tuple(began), tuple(map(terms_of, documents)))
    days = st.sampled_from([ON + timedelta(days=ahead) for ahead in (-1, 0, 1)])
    windows = st.builds(
        Window, days, st.sampled_from(_MOMENTS), st.none() | st.sampled_from(_MOMENTS), st.just(NOW - 100 * HOUR)
    )
    worked = st.sampled_from((0, 80_000, 90_000)).map(lambda seconds: DayWorked(seconds * 1_000_000, seconds * 500_000))
    jobs = st.builds(
        Job,
        st.sampled_from((0, 3_000_000)),
        st.none() | st.builds(Estimate, st.sampled_from((1, 90, 40_000)), st.just(NOW)),
    )
    sheet = Timesheet(
        "acme",
        "dana",
        timers={timer.id: timer for timer in timers},
        days=draw(st.dictionaries(days, worked, max_size=2)),
        leave=draw(st.dictionaries(days, st.builds(Leave, st.booleans(), st.just(NOW - 100 * HOUR)), max_size=2)),
        attendance=draw(st.dictionaries(st.sampled_from(("a", "b", "c")), windows, max_size=3)),
        jobs=draw(st.dictionaries(st.sampled_from(("roof", "cellar")), jobs, max_size=2)),
    )
    return sheet, timeline


# The laws. Each is a property, and is shown to notice a fault of the product.


def a_fold_in_groups_is_the_same(said: tuple[list[Entry], Revisions]) -> None:
    def of(few: int) -> Any:  # noqa: ANN401 - compared whole
        with patch.object(alike, "FEW", few):
            ledger, came = folded(*said)
        return came, ledger.sheets

    assert of(NOBODY) == of(EVERY_ONE)


def a_look_at_groups_is_the_same(asked: tuple[Timesheet, Timeline]) -> None:
    sheet, timeline = asked

    def of(few: int) -> list[Any]:
        with patch.object(alike, "FEW", few):
            ahead = look_ahead(sheet, timeline, NOW)
            found = [
                settle(sheet, timeline, until, NOW, CHANGES_MAX, may_end)
                for until, may_end in ((NOW, ()), (NOW - 30 * HOUR, ()), (NOW + 3 * HOUR, {1, 2}), (LONG_AGO, ()))
            ]
        return [ahead.due, ahead.sheet.quiet, *found]

    event(f"most that are alike: {_most_alike(sheet, timeline)}")
    assert of(NOBODY) == of(EVERY_ONE)


def _most_alike(sheet: Timesheet, timeline: Timeline) -> int:
    with patch.object(alike, "FEW", NOBODY):
        groups = alike.alike_in(alike.grouped(sheet, timeline, NOW))
    assert groups is not None
    return max(len(peers.members) for peers in groups.by_traits.values())


# The time without running timers, the limit, and of each zone its day and when its intervals began.
Sums = tuple[int, int, list[tuple[tuple[datetime, datetime], list[datetime]]]]


def groups_add_up_as_each_timer_does(asked: Sums) -> None:
    total, limit, parts = asked
    spans = [(max(begin, start), end) for (begin, end), starts in parts for start in starts if max(begin, start) < end]
    parts_together = [(Together(map(us_of, starts)), us_of(begin), us_of(end)) for (begin, end), starts in parts]
    for moment in (NOW, NOW - 2 * HOUR, NOW + 30 * HOUR):
        assert time_in_all(parts_together, us_of(moment)) == time_in(spans, moment)
    if total < limit:
        reached = first_in_all(total, limit, parts_together)
        event("reached" if reached is not None else "not reached")
        assert (None if reached is None else moment_of_us(reached)) == first_at(total, limit, spans)


_minutes: Final = st.integers(0, 6 * 60).map(
    lambda count: NOW - 3 * HOUR + count * timedelta(minutes=1, microseconds=7)
)
_parts: Final = st.tuples(
    st.sampled_from([(NOW - 2 * HOUR, NOW + HOUR), (NOW - HOUR, NOW + 2 * HOUR)]),
    st.lists(_minutes, min_size=1, max_size=5),
)
sums: Final = st.tuples(
    st.integers(0, 3_600_000_000),
    st.sampled_from((1, 4_000_000_000, 20_000_000_000)),
    st.lists(_parts, min_size=2, max_size=3),
)


@given(st.tuples(histories, revisions))
def test_a_fold_in_groups_is_the_same(said: tuple[list[Entry], Revisions]) -> None:
    a_fold_in_groups_is_the_same(said)


@given(st.tuples(crowds, revisions))
def test_a_fold_in_groups_is_the_same_for_an_owner_with_many_timers(said: tuple[list[Entry], Revisions]) -> None:
    a_fold_in_groups_is_the_same(said)


@given(looks())
def test_a_look_at_groups_is_the_same(asked: tuple[Timesheet, Timeline]) -> None:
    a_look_at_groups_is_the_same(asked)


@given(sums)
def test_groups_add_up_as_each_timer_does(asked: Sums) -> None:
    groups_add_up_as_each_timer_does(asked)


def groups_of_the_timers_before() -> AbstractContextManager[Any]:
    renewed = alike._renewed

    def kept(known: Alike, sheet: Timesheet) -> Alike:
        return replace(known, timers=sheet.timers) if known.members else renewed(known, sheet)

    return patch.object(alike, "_renewed", kept)


def the_last_of_a_group_answers() -> AbstractContextManager[Any]:
    last = property(lambda self: max(self.members.values(), key=lambda member: member.start_us))
    return patch.object(Peers, "first", last)


def no_press_is_late() -> AbstractContextManager[Any]:
    return patch.object(Peers, "told_last", None)


def starts_count_from_midnight() -> AbstractContextManager[Any]:
    def time_in(self: Together, begin: int, end: int, until: int) -> int:
        return len(self.starts) * max(0, min(until, end) - begin)

    return patch.object(Together, "time_in", time_in)


def no_zone_ends_before_another() -> AbstractContextManager[Any]:
    return patch.object(together, "all", lambda _: True, create=True)


@pytest.mark.parametrize(
    ("law", "cases", "fault"),
    [
        (a_fold_in_groups_is_the_same, st.tuples(crowds, revisions), groups_of_the_timers_before),
        (a_fold_in_groups_is_the_same, st.tuples(crowds, revisions), no_press_is_late),
        (a_fold_in_groups_is_the_same, st.tuples(crowds, revisions), the_last_of_a_group_answers),
        (a_look_at_groups_is_the_same, looks(), starts_count_from_midnight),
        (groups_add_up_as_each_timer_does, sums, no_zone_ends_before_another),
    ],
)
def test_a_law_of_groups_notices_a_fault(
    law: Callable[[Any], None], cases: st.SearchStrategy[Any], fault: Fault
) -> None:
    """The control."""
    assert_noticed(fault, given(cases)(law))
