"""The days of an owner: what many intervals cost is not taken from the presses that run beside."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast

import pytest

from services.command_api.desk.attended import Attended
from services.command_api.desk.rows import DaysRow
from services.command_api.store import reports
from services.command_api.store.database import Database
from services.command_api.store.reports import CUT_ON_LOOP_MAX, PostgresReports

NEW_YEAR: Final = datetime(2026, 1, 1, tzinfo=UTC)
A_YEAR_OF_PRESSES: Final = 36_600


class OneRow:
    """Stands in for a `Database`: the row of days has so many intervals of a minute, a hundred on each day."""

    def __init__(self, intervals: int) -> None:
        starts = [NEW_YEAR + timedelta(days=nth // 100, minutes=14 * (nth % 100)) for nth in range(intervals)]
        days = sorted({start.date() for start in starts})
        self._row = {
            "next_offset": 43,
            "kpart": 3,
            "zone": None,
            "days": days,
            "totals_us": [60_000_000] * len(days),
            "billables_us": [0] * len(days),
            "changed": [False] * len(days),
            "starts": starts,
            "ends": [start + timedelta(minutes=1) for start in starts],
            "zones": ["UTC"] * intervals,
        }

    async def row(self, _sql: str, *_values: object) -> dict[str, Any]:
        return self._row


@asynccontextmanager
async def ticking() -> AsyncIterator[list[int]]:
    """Count the turns of the loop that others get."""
    turns = [0]

    async def tick() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(tick())
    await asyncio.sleep(0)
    turns[0] = 0
    try:
        yield turns
    finally:
        task.cancel()


async def turns_beside(intervals: int) -> int:
    store = PostgresReports(cast("Database", OneRow(intervals)))
    async with ticking() as turns:
        found = await store.days("acme", "dana", date(2026, 1, 1), date(2026, 12, 31))
        got = turns[0]
    assert found.days[0].attended == Attended(NEW_YEAR, NEW_YEAR + timedelta(minutes=14 * 99 + 1), 99 * 13 * 60_000_000)
    assert len(found.days) == intervals // 100
    return got


async def test_the_loop_turns_while_a_year_of_intervals_is_cut_into_days() -> None:
    assert await turns_beside(A_YEAR_OF_PRESSES) > 3


async def test_cut_on_the_loop_a_year_would_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(reports, "CUT_ON_LOOP_MAX", A_YEAR_OF_PRESSES)
    assert await turns_beside(A_YEAR_OF_PRESSES) == 0


async def test_long_rows_of_days_are_cut_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """They share one interpreter with the presses: two threads would take more of it, and be no faster."""
    running, most, may_end = [0], [0], threading.Event()

    def cut(_row: object) -> DaysRow:
        running[0] += 1
        most[0] = max(most[0], running[0])
        may_end.wait(0.1)
        running[0] -= 1
        return DaysRow(None, None, ())

    monkeypatch.setattr(reports, "_days", cut)
    store = PostgresReports(cast("Database", OneRow(CUT_ON_LOOP_MAX + 1)))
    year = ("acme", "dana", date(2026, 1, 1), date(2026, 12, 31))
    await asyncio.gather(store.days(*year), store.days(*year))
    assert most == [1]


async def test_an_ordinary_month_needs_no_thread() -> None:
    assert await turns_beside(CUT_ON_LOOP_MAX) == 0
