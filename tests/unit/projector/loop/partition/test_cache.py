"""The cache: what it holds, what it asks for, and what it forgets."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from services.projector.domain.due.deadlines import DAYS_LOOKED
from services.projector.domain.sheet.ledger import Known, Ledger
from services.projector.domain.sheet.state import ClosedInterval, Timesheet
from services.projector.loop.partition.cache import JOBS_MAX, Bounds, Cache
from services.projector.ports import Wanted
from shared.events.ids import slot_of
from shared.events.models import DeadlineReached, OwnerLeaveGranted
from tests.support.story.given import Told, fact, given, moment, paused, resumed, started, stopped, timer_id

ACME_DANA = ("acme", "dana")
SLOT = slot_of("acme", "dana")
STORY = given(
    started("desk", at="09:00"),
    paused("desk", at="09:10"),
    started("phone", at="09:20"),
    stopped("phone", at="09:30"),
    started("car", at="09:40"),
)
SHEET = STORY.sheet()


def wanted(cache: Cache, *told: Told) -> Wanted:
    asked = Wanted()
    cache.want([press.logged(n) for n, press in enumerate(told)], 3, asked)
    return asked


def cached(*sheets: Timesheet, owners_max: int = 100) -> Cache:
    cache = Cache(Bounds(owners_max))
    cache.take({(sheet.tenant, sheet.owner): sheet for sheet in sheets})
    return cache


def since(
    told: Told, *known: Timesheet
) -> tuple[dict[tuple[int, str, str], datetime], dict[tuple[int, int], datetime]]:
    asked = wanted(cached(*known), told)
    return asked.owners, asked.timers


def worked(timer: str, start: str, end: str) -> ClosedInterval:
    return ClosedInterval(timer_id(timer), moment(start), moment(end), "Asia/Jerusalem", billable=True, job_id=None)


# What it asks for.


def test_every_press_asks_whether_it_was_judged_before() -> None:
    presses = [started("desk", at="09:00"), paused("desk", at="09:10"), fact(DeadlineReached, "09:20")]
    assert wanted(Cache(Bounds()), *presses).events == [(3, UUID(int=1)), (3, UUID(int=2)), (3, UUID(int=3))]
    assert wanted(cached(SHEET), *presses).events == [(3, UUID(int=1)), (3, UUID(int=2)), (3, UUID(int=3))]


def test_a_start_of_an_unknown_owner_asks_for_owner_and_id() -> None:
    assert since(started("desk", at="09:00", asked="08:00")) == (
        {(SLOT, "acme", "dana"): moment("08:00")},
        {(SLOT, timer_id("desk")): moment("08:00")},
    )


@pytest.mark.parametrize("press", [paused, resumed, stopped])
def test_a_press_on_an_unknown_timer_asks_for_the_timer(press: type) -> None:
    assert since(press("desk", at="09:00")) == ({}, {(SLOT, timer_id("desk")): moment("09:00")})


@pytest.mark.parametrize("press", [paused, resumed, stopped])
def test_a_press_on_a_known_timer_asks_for_nothing(press: type) -> None:
    assert since(press("desk", at="09:50"), SHEET) == ({}, {})


def test_a_press_of_a_cached_owner_is_news() -> None:
    """Nothing is wanted but whether its event was judged before, or its drawn id is taken."""
    start = started("bus", at="09:50")
    asked = wanted(cached(SHEET), start, paused("bus", at="09:51"), stopped("car", at="09:52"))
    assert asked.is_news
    assert asked.drawn == set(asked.timers) == {(SLOT, timer_id("bus"))}
    assert wanted(cached(SHEET), fact(DeadlineReached, "09:50")).is_news


@pytest.mark.parametrize(
    "press",
    [
        pytest.param(started("bus", at="09:50", owner="noam"), id="of another owner"),
        pytest.param(paused("bus", at="09:50"), id="on an unknown timer"),
        pytest.param(started("bus", at="09:50", job_id="J-1"), id="on an unknown job"),
        pytest.param(started("bus", at="09:50", asked="2020-01-02T09:00"), id="of long ago"),
        pytest.param(resumed("desk", at="09:50", asked="2020-01-02T09:00"), id="resumed long ago"),
    ],
)
def test_a_press_that_needs_what_is_not_cached_is_no_news(press: Told) -> None:
    assert not wanted(cached(replace(SHEET.trimmed(8), all_jobs=False)), press).is_news


def test_an_owner_fact_asks_for_its_owner_alone() -> None:
    told = fact(OwnerLeaveGranted, "09:00", on="2026-04-02")
    assert since(told) == ({(SLOT, "acme", "dana"): moment("09:00")}, {})
    assert since(told, SHEET) == ({}, {})


def test_several_presses_ask_back_to_their_earliest_moment() -> None:
    presses = [
        started("desk", at="09:00", asked="08:30"),
        started("phone", at="09:10", asked="08:00"),
        paused("desk", at="09:20"),
        paused("desk", at="09:30", asked="07:00"),
    ]
    asked = wanted(Cache(Bounds()), *presses)
    assert asked.owners == {(SLOT, "acme", "dana"): moment("08:00")}
    # A pause overlaps nothing. But it may move crossings, and they lie where closed intervals put them.
    assert asked.timers == {
        (SLOT, timer_id("desk")): moment("07:00"),
        (SLOT, timer_id("phone")): moment("08:00"),
    }


def test_a_press_of_long_ago_asks_for_the_earliest_overlap_and_the_days_that_rules_look_at() -> None:
    """Its owner may have closed 20,000 intervals since."""
    old = started("desk", at="09:00", asked="2020-01-02T09:00")
    asked = wanted(cached(SHEET), old, resumed("car", at="09:10", asked="2020-01-03T09:00"))
    assert asked.owners == {(SLOT, "acme", "dana"): moment("09:00") - DAYS_LOOKED}
    assert asked.overlaps == [
        (SLOT, "acme", "dana", timer_id("desk"), moment("2020-01-02T09:00")),
        (SLOT, None, None, timer_id("car"), moment("2020-01-03T09:00")),
    ]


def test_a_pause_or_stop_of_long_ago_asks_for_no_overlap() -> None:
    for press in (paused, stopped):
        assert wanted(Cache(Bounds()), press("desk", at="09:00", asked="2020-01-02T09:00")).overlaps == []


def test_a_press_older_than_its_sheet_asks_for_the_sheet_again() -> None:
    trimmed = SHEET.trimmed(8)
    assert trimmed.closed_since == moment("09:30")
    assert since(resumed("car", at="09:50", asked="09:30"), trimmed) == ({}, {})
    asked = since(resumed("car", at="09:50", asked="09:29:59.999999"), trimmed)
    assert asked == ({(SLOT, "acme", "dana"): moment("09:29:59.999999")}, {})


def test_a_stopped_timer_is_asked_for_again_once_it_was_dropped() -> None:
    assert since(stopped("phone", at="09:50"), SHEET) == ({}, {})
    assert since(stopped("phone", at="09:50"), SHEET.trimmed(8)) == ({}, {(SLOT, timer_id("phone")): moment("09:50")})


def test_a_presss_moment_is_its_asked_time_clamped_to_the_log() -> None:
    asked = wanted(Cache(Bounds()), paused("desk", at="09:10", asked="12:00"))
    assert asked.timers == {(SLOT, timer_id("desk")): moment("09:10")}


# What it takes in.


def test_a_read_sheet_joins_the_cached_one() -> None:
    dropped = SHEET.trimmed(8)
    read = replace(SHEET, closed=SHEET.closed[1:], closed_since=moment("09:15"))
    cache = cached(dropped)
    cache.take({ACME_DANA: read})
    joined = cache.sheets[ACME_DANA]
    assert joined.timers == SHEET.timers
    assert joined.closed == (worked("phone", "09:20", "09:30"),)
    assert joined.closed_since == moment("09:15")
    assert cache.owner_of == dict.fromkeys(SHEET.timers, ACME_DANA)


def test_a_sheet_that_remembers_everything_still_does_after_a_read() -> None:
    cache = cached(SHEET)
    cache.take({ACME_DANA: replace(SHEET, closed=(), closed_since=moment("09:35"))})
    assert cache.sheets[ACME_DANA] == SHEET


def test_joined_sheets_know_as_far_back_as_the_longer_one() -> None:
    since = [SHEET.closed_since, moment("09:00"), moment("09:20")]
    assert since[0] is None
    joined = {
        (one, other): replace(SHEET, closed_since=one).joined(replace(SHEET, closed_since=other)).closed_since
        for one in since
        for other in since
    }
    expected = {
        (one, other): None if one is None or other is None else min(one, other) for one in since for other in since
    }
    assert joined == expected


def test_an_interval_that_both_remember_is_remembered_once() -> None:
    joined = SHEET.joined(replace(SHEET, closed=tuple(reversed(SHEET.closed)), closed_since=moment("09:00")))
    assert joined == SHEET


def test_a_batchs_sheets_are_cached_trimmed_once_it_is_committed() -> None:
    cache = cached()
    ledger = Ledger(0, 1, Known(cache.sheets, cache.owner_of, {}, -1))
    ledger.sheets[ACME_DANA] = SHEET
    assert cache.sheets == {}
    cache.absorb(ledger)
    assert cache.sheets == {ACME_DANA: SHEET.trimmed(JOBS_MAX)}
    assert cache.owner_of == {timer_id("car"): ACME_DANA}


# What it forgets.


def test_after_a_batch_only_what_common_presses_ask_about_is_kept() -> None:
    cache = cached(SHEET)
    cache.trim()
    (sheet,) = cache.sheets.values()
    assert set(sheet.timers) == set(cache.owner_of) == {timer_id("car")}
    assert (sheet.closed, sheet.closed_since) == ((), moment("09:30"))


def test_a_sheet_that_was_not_touched_is_not_trimmed_twice() -> None:
    cache = cached(SHEET)
    cache.trim()
    before = cache.sheets[ACME_DANA]
    cache.trim()
    assert cache.sheets[ACME_DANA] is before


def test_a_sheet_that_was_read_and_changed_is_trimmed_once() -> None:
    cache = cached(SHEET)
    ledger = Ledger(0, 1, Known(cache.sheets, cache.owner_of, {}, -1))
    ledger.sheets[ACME_DANA] = SHEET
    cache.absorb(ledger)
    before = cache.sheets[ACME_DANA]
    cache.trim()
    assert cache.sheets[ACME_DANA] is before


def test_a_trimmed_sheet_never_forgets_how_far_back_it_knows() -> None:
    """It is trimmed again with nothing new, and with an interval older than those dropped before."""
    trimmed = SHEET.trimmed(8)
    assert trimmed.trimmed(8) == trimmed
    older = replace(trimmed, closed=(worked("phone", "08:00", "08:30"),))
    assert older.trimmed(8).closed_since == moment("09:30")
    newer = replace(trimmed, closed=(worked("phone", "09:00", "09:45"),))
    assert newer.trimmed(8).closed_since == moment("09:45")


def test_a_sheet_without_past_knows_all_of_it_after_trimming() -> None:
    empty = Timesheet("acme", "dana")
    assert empty.trimmed(8) == empty
    assert empty.knows_since(moment("2020-01-01T00:00"))


@pytest.mark.parametrize(("back_to", "knows"), [("09:30", True), ("09:29:59.999999", False), ("23:00", True)])
def test_a_trimmed_sheet_knows_what_ends_after_the_last_that_was_dropped(back_to: str, knows: bool) -> None:  # noqa: FBT001 - a column
    assert SHEET.trimmed(8).knows_since(moment(back_to)) is knows


def owners(names: Sequence[str]) -> list[Timesheet]:
    return [given(started("desk", at="09:00", owner=name)).sheet(name) for name in names]


def test_the_owners_unseen_for_longest_are_evicted_with_their_timers() -> None:
    cache = cached(owners_max=2)
    for sheet in owners("abcd"):
        cache.take({(sheet.tenant, sheet.owner): sheet})
        cache.trim()
    assert list(cache.sheets) == [("acme", "c"), ("acme", "d")]
    assert cache.owner_of == {timer_id("desk", name): ("acme", name) for name in "cd"}


def test_the_owner_touched_last_stays() -> None:
    cache = cached(owners_max=2)
    for sheet in owners("abac"):
        cache.take({(sheet.tenant, sheet.owner): sheet})
        cache.trim()
    assert list(cache.sheets) == [("acme", "a"), ("acme", "c")]


def test_the_owners_seen_first_in_one_batch_are_evicted_first() -> None:
    cache = cached(*owners("abcd"), owners_max=2)
    cache.trim()
    assert list(cache.sheets) == [("acme", "c"), ("acme", "d")]


def test_no_owner_is_evicted_within_a_batch() -> None:
    """The fold needs every sheet that was read for it, however many there are."""
    cache = cached(*owners("abcd"), owners_max=2)
    assert len(cache.sheets) == 4


def test_a_cache_is_bounded_by_timers_and_not_by_owners_alone() -> None:
    """One owner may leave thousands of timers running."""
    busy = [given(*[started(f"{name}{n}", at="09:00", owner=name) for n in range(4)]).sheet(name) for name in "ab"]
    cache = Cache(Bounds(timers=6))
    cache.take({(sheet.tenant, sheet.owner): sheet for sheet in busy})
    cache.trim()
    assert list(cache.sheets) == [("acme", "b")]
    assert len(cache.owner_of) == len(busy[1].timers)


@pytest.mark.parametrize("bounds", [Bounds(owners=6), Bounds(timers=6)], ids=["owners", "timers"])
def test_the_caches_of_all_partitions_share_the_bounds(bounds: Bounds) -> None:
    """One projector may hold them all, such as after the others have died. Here each owner has one timer."""
    bounds.caches = 3
    caches = [Cache(bounds) for _ in range(3)]
    for cache in caches:
        cache.take({(sheet.tenant, sheet.owner): sheet for sheet in owners("abcd")})
        cache.trim()
    assert [(len(cache.sheets), len(cache.owner_of)) for cache in caches] == [(2, 2)] * 3


def test_paused_timers_leave_the_sheet() -> None:
    """A timer of dialect B is never stopped, so an owner has more than a thousand of them within a year."""
    story = given(
        *[press(f"t{n}", at="09:00") for n in range(50) for press in (started, paused)], started("on", at="09:01")
    )
    cache = cached(story.sheet())
    cache.trim()
    assert set(cache.sheets[ACME_DANA].timers) == {timer_id("on")}
