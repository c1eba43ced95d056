"""Batches: their borders, and what the cache holds or has forgotten, do not matter."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import cycle
from typing import Any, Final, cast
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projector.domain.outcomes import Kept
from services.projector.loop.partition import cache
from services.projector.loop.partition.batch import Batch
from services.projector.loop.partition.cache import Bounds, Cache
from services.projector.loop.partition.partition import Partition
from services.projector.loop.partition.writer import BatchWriter
from services.projector.ports import Advance, Checkpoint, OutcomeLog
from services.projector.store.rows import Rows, rows_of
from shared.events.models import DeadlineReached, OwnerEstimateSet
from shared.events.outcome import read_outcome
from shared.events.rules import Rule
from tests.support.fakes.outcome_store import OutcomeStore
from tests.support.story.documents import Revisions, revisions
from tests.support.story.folded import folded
from tests.support.story.given import book_of, fact, found, paused, started, stopped
from tests.support.story.histories import DOCUMENTS, WEARY, Entry, histories

NOBODY_PUBLISHES: Final = cast("OutcomeLog", None)
# The revision of a policy with a cap of an hour and a half, by which timers stop after ten hours.
WATCHED: Final = 2 * DOCUMENTS.index(WEARY)
sizes = st.lists(st.integers(1, 9), min_size=1, max_size=6)


class Run:
    """One log taken through the writer in batches, on a store that only has outcomes."""

    def __init__(
        self,
        log: Sequence[Entry],
        sizes: Sequence[int],
        owners_max: int,
        under: Revisions = DOCUMENTS,
        *,
        jobs_max: int = 8,
        reborn: bool = False,
    ) -> None:
        self.store = OutcomeStore()
        self.answers: list[bytes] = []
        self.partition = Partition(0, 1, NOBODY_PUBLISHES)
        self.partition.cache = Cache(Bounds(owners_max), jobs_max=jobs_max)
        self._reborn = reborn
        self._writer = BatchWriter(self.store, book_of(*under), self._committed, self._trouble)
        asyncio.run(self._take_through(log, sizes))

    @property
    def bodies(self) -> list[bytes]:
        """Every outcome that was kept, as it was written."""
        return self.store.bodies[0]

    async def _take_through(self, log: Sequence[Entry], sizes: Sequence[int]) -> None:
        lengths = cycle(sizes)
        while log:
            length = next(lengths)
            await self._writer.take_through([Batch(self.partition, log[:length], {})])
            log = log[length:]
            if self._reborn:
                self.partition.stand_at(await self.store.checkpoint(0))

    def _committed(self, batches: Sequence[Batch]) -> None:
        (batch,) = batches
        self.answers += [came.body for _, came in batch.answers]
        self.partition.at = batch.to
        self.partition.cache.absorb(batch.ledger)

    def _trouble(self, _: Partition, reason: str, error: Exception) -> None:
        raise AssertionError(reason) from error


@given(histories, revisions, sizes)
def test_any_split_of_the_log_folds_to_the_same_answers_and_outcomes(
    log: list[Entry], under: Revisions, sizes: list[int]
) -> None:
    _, came = folded(log, under)
    run = Run(log, sizes, 100, under)
    assert run.answers == [one.body for one in came]
    assert run.bodies == [one.body for one in came if isinstance(one, Kept)]


@given(histories, revisions, sizes, st.integers(0, 2), st.integers(0, 1))
def test_a_cache_of_any_size_gives_the_same_answers(
    log: list[Entry], under: Revisions, sizes: list[int], owners_max: int, jobs_max: int
) -> None:
    _, came = folded(log, under)
    assert Run(log, sizes, owners_max, under, jobs_max=jobs_max).answers == [one.body for one in came]


@given(histories, revisions, sizes)
def test_a_projector_restarted_after_each_batch_answers_the_same(
    log: list[Entry], under: Revisions, sizes: list[int]
) -> None:
    _, came = folded(log, under)
    assert Run(log, sizes, 100, under, reborn=True).answers == [one.body for one in came]


@given(histories, revisions, sizes, st.integers(0, 1))
def test_cached_sheets_agree_with_the_outcomes(
    log: list[Entry], under: Revisions, sizes: list[int], jobs_max: int
) -> None:
    run = Run(log, sizes, 100, under, jobs_max=jobs_max)
    for key, sheet in run.partition.cache.sheets.items():
        said = run.store.sheet(key)
        running = {id_: timer for id_, timer in said.timers.items() if timer.open is not None}
        assert (sheet.timers, sheet.zone) == (running, said.zone)
        # Of some jobs it knows everything, and of the jobs of running timers always.
        jobs = {timer.after.job_id for timer in running.values() if timer.after.job_id is not None} | set(sheet.jobs)
        assert {job_id: sheet.job(job_id) for job_id in jobs} == {job_id: said.job(job_id) for job_id in jobs}
        # The cache holds no closed intervals, and knows a moment after which none ends.
        assert sheet.closed == ()
        assert all(sheet.closed_since is not None and interval.end <= sheet.closed_since for interval in said.closed)


@pytest.mark.parametrize("jobs_max", [0, 8])
def test_a_job_that_the_cache_forgot_is_read_again(jobs_max: int) -> None:
    """Fifty minutes of the estimate are used up by a timer that was paused. The next timer has ten."""
    told = [
        fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=3600),
        started("desk", at="09:00", job_id="roof"),
        paused("desk", at="09:50"),
        started("phone", at="10:00", job_id="roof"),
        fact(DeadlineReached, "10:10"),
    ]
    log = [press.logged(offset) for offset, press in enumerate(told)]
    run = Run(log, [1], owners_max=100, jobs_max=jobs_max)
    assert run.answers == [one.body for one in folded(log)[1]]
    assert read_outcome(run.answers[-1]).findings == (found(Rule.OVER_ESTIMATE, "phone", "10:10"),)


def late_among_three() -> list[Entry]:
    """Three timers used an estimate up. The stop of one comes late, and another had run for hours after it."""
    told = [
        fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=8 * 3600),
        started("desk", at="09:00", job_id="roof"),
        started("phone", at="09:00", job_id="roof"),
        started("car", at="12:00", job_id="roof"),
        fact(DeadlineReached, "13:30"),
        stopped("car", at="18:00"),
        stopped("phone", at="18:10", asked="10:00"),
    ]
    return [press.logged(offset) for offset, press in enumerate(told)]


def late_after_a_stop() -> list[Entry]:
    """Two timers made the hour and a half of a day by 09:45, and stopped by themselves. One had stopped at 09:20."""
    told = [
        started("desk", at="09:00", policy_rev=WATCHED),
        started("phone", at="09:00", policy_rev=WATCHED),
        fact(DeadlineReached, "19:01"),
        stopped("phone", at="20:00", asked="09:20", policy_rev=WATCHED),
    ]
    return [press.logged(offset) for offset, press in enumerate(told)]


def late_by_three_days() -> list[Entry]:
    """The phone stopped by itself at 19:00. A start of three days ago overlaps that, and crosses the phone's cap."""
    told = [
        started("phone", at="09:00", policy_rev=WATCHED),
        fact(DeadlineReached, "19:01"),
        started("desk", at="20:00", asked="2026-02-27T20:00", policy_rev=WATCHED),
    ]
    return [press.logged(offset) for offset, press in enumerate(told)]


def test_what_a_press_of_long_ago_overlaps_counts_once() -> None:
    """The interval that it overlaps ended lately, so it is read twice."""
    run = Run(late_by_three_days(), [1], owners_max=0)
    assert run.answers == [one.body for one in folded(late_by_three_days())[1]]
    assert found(Rule.OVER_DAILY_CAP, "phone", "09:00", "19:00") in read_outcome(run.answers[-1]).findings


def test_what_ended_after_a_late_press_is_read_again() -> None:
    """An hour of the phone, three of the desk by 12:00, and then two hours an hour, because the car ran too."""
    run = Run(late_among_three(), [1], owners_max=100)
    assert run.answers == [one.body for one in folded(late_among_three())[1]]
    assert found(Rule.OVER_ESTIMATE, "desk", "14:00") in read_outcome(run.answers[-1]).findings


def test_a_timer_that_nobody_ended_before_a_late_press_is_read_again() -> None:
    """Twenty minutes of the phone, so the desk crossed the cap at 10:10."""
    run = Run(late_after_a_stop(), [1], owners_max=100)
    assert run.answers == [one.body for one in folded(late_after_a_stop())[1]]
    assert found(Rule.OVER_DAILY_CAP, "desk", "10:10", "19:00") in read_outcome(run.answers[-1]).findings


@pytest.mark.parametrize("log", [late_among_three, late_after_a_stop])
def test_without_what_ended_since_a_late_press_would_be_judged_wrong(log: Callable[[], list[Entry]]) -> None:
    """The control: the press asks for nothing but its own moment on the log."""
    with patch.object(cache, "_since", lambda press: press.log_time):
        run = Run(log(), [1], owners_max=100)
    assert run.answers != [one.body for one in folded(log())[1]]


@given(histories, revisions, sizes)
def test_outcomes_alone_give_the_same_rows_in_any_split(log: list[Entry], under: Revisions, sizes: list[int]) -> None:
    _, came = folded(log, under)
    written = [Kept(one.outcome, one.body) for one in came if isinstance(one, Kept)]
    read_back = [Kept(read_outcome(one.body), one.body) for one in written]
    whole = merged([rows_of([advance(read_back)])])
    lengths, parts = cycle(sizes), []
    while written:
        length = next(lengths)
        parts.append(rows_of([advance(written[:length])]))
        written = written[length:]
    assert merged(parts) == whole


def advance(written: Sequence[Kept]) -> Advance:
    return Advance(0, Checkpoint(0), written)


def merged(commits: Sequence[Rows]) -> dict[str, dict[Any, Any]]:
    """Write commits one after the other as the queries do, into plain dicts."""
    tables: dict[str, dict[Any, Any]] = defaultdict(dict)
    for rows in commits:
        tables["outcome"] |= {row[:2]: row for row in rows.tables().get("insert_outcomes", [])}
        tables["dead_letter"] |= {row[:2]: row for row in rows.dead_letters}
        for key, interval in rows.intervals.items():
            # When an interval was opened is written once.
            opened = tables["interval"].get(key, interval)[8]
            tables["interval"][key] = (*interval[:8], opened or interval[8], *interval[9:])
        tables["timer_history"] |= {row[:4]: row for row in rows.history}
        for id_, timer in rows.timers.items():
            # `started_by` is written once, with the timer's first row.
            before = tables["timer"].get(id_, timer)
            provisional = timer[17]
            if provisional == "null":  # a flag alone was told: what may be taken back stays so
                kept = before[17]
                provisional = kept and json.dumps(json.loads(kept) | {"source_offset": timer[16]})
            tables["timer"][id_] = (*timer[:15], before[15], timer[16], provisional, *timer[18:])
        for name, totals in (("day_total", rows.day_totals), ("work_total", rows.work_totals)):
            for day, worked in totals.items():
                before = tables[name].get(day, (0, 0))
                tables[name][day] = tuple(map(sum, zip(before, worked, strict=True)))
        for job, total_us in rows.job_totals.items():
            tables["job_total"][job] = tables["job_total"].get(job, 0) + total_us
        for finding, violation in rows.violations.items():
            # The last telling counts. Whose the finding is, and what began it, is written once.
            began = tables["violation"].get(finding, violation)[7:]
            tables["violation"][finding] = (*violation[:7], *began)
        for about, told in rows.facts.items():
            _learn(tables["owner_fact"], about, told)
    return {name: table for name, table in tables.items() if table}


def _learn(facts: dict[Any, Any], about: tuple[Any, ...], told: tuple[dict[str, Any], datetime, bool]) -> None:
    # A profile is told in parts, and each erasure is one of its own. Any other fact is told whole, and told again it is
    # known since it was told first.
    (body, known_at, changed), (before, since) = told, facts.get(about, ({}, None))
    if about[3] == "profile":
        facts[about] = before | body, known_at
    elif since is None or changed or before != body or about[3] == "texts_erased":
        facts[about] = body, known_at
