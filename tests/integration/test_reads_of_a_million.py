"""What the API reads with a million timers of one tenant: a page, and rows of the timer or the owner asked for.

Each read is made for an owner of ten timers, of which one runs, and for one of ten thousand, which are all open.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import astuple
from datetime import date, timedelta
from typing import Final

import asyncpg
import pytest

from services.command_api.desk.questions import TimerFilter
from services.command_api.store.database import query, session_of
from services.command_api.store.reports import LOOKED_AT_MAX, TIMER_LEADS, lead_of
from shared.events.outcome import State
from tests.integration.million import BUSY_TIMERS, NOW, PRESSED_OFTEN, Reading, reading_of, readings_of
from tests.integration.plans import BLOCKS_MAX, READS

pytestmark = pytest.mark.real

PAGE: Final = 101
SLOTS: Final = {"o5": 5, "busy": 77}
O5: Final = (5, "acme", "o5")
BUSY: Final = (77, "acme", "busy")
EVENT: Final = "00000000-0000-0000-0000-000000000005"
YEARS_AGO: Final = NOW - timedelta(days=1800)
# The settings of a session of the API's by which it plans.
PLANS: Final = {
    name: value
    for name, value in session_of(writes=False).items()
    if name.startswith(("enable_", "plan_", "max_parallel", "jit"))
}


@pytest.fixture(autouse=True)
async def as_the_api_plans(million: asyncpg.Connection) -> AsyncIterator[None]:
    """Let the session plan as the API's do: the queries are worded for that."""
    for name, value in PLANS.items():
        await million.execute(f"SET {name} = {value}")
    yield
    for name in PLANS:
        await million.execute(f"RESET {name}")


async def read(conn: asyncpg.Connection, sql: str, values: Sequence[object]) -> Reading:
    return await reading_of(conn, sql, values, PLANS["plan_cache_mode"])


def sql_of(asked: TimerFilter) -> str:
    return query("find_timers").replace("AND true", f"AND {TIMER_LEADS[lead_of(asked)]}")


def values_of(asked: TimerFilter) -> Sequence[object]:
    owner, state, account, job, reference, flag, since, until = astuple(asked)
    slot = None if owner is None else SLOTS[owner]
    has = (slot, owner, state, account, job, reference, flag)
    return ("acme", PAGE, until, -1, since, *has, LOOKED_AT_MAX)


LISTS: Final = {
    "of a tenant": TimerFilter(),
    "of a tenant, years ago": TimerFilter(until=YEARS_AGO),
    "of an owner": TimerFilter(owner="o5"),
    "of a busy owner": TimerFilter(owner="busy"),
    "of a busy owner, years ago": TimerFilter(owner="busy", until=YEARS_AGO),
    "of who works now": TimerFilter(state=State.RUNNING),
    "of what is paused": TimerFilter(state=State.PAUSED),
    "of what an owner does now": TimerFilter(owner="o5", state=State.RUNNING),
    "of what a busy owner does now": TimerFilter(owner="busy", state=State.RUNNING),
    "of what a busy owner has paused": TimerFilter(owner="busy", state=State.PAUSED),
    "of one job": TimerFilter(job_id="often"),
    "of what is late": TimerFilter(flag="late"),
}


@pytest.mark.parametrize("asked", LISTS.values(), ids=LISTS)
async def test_a_list_reads_a_page_of_a_million(million: asyncpg.Connection, asked: TimerFilter) -> None:
    whole, rows, blocks = await read(million, sql_of(asked), values_of(asked))
    assert whole == []
    # Timers, and their texts.
    assert 0 < rows <= 2 * PAGE
    assert blocks <= 2 * BLOCKS_MAX


# What no index knows: one timer is like that or none, and it is not among the newest.
RARE: Final = {
    "a flag": TimerFilter(flag="R13"),
    "a job of a busy owner": TimerFilter(owner="busy", job_id="rare"),
    "a flag of who works now": TimerFilter(state=State.RUNNING, flag="R13"),
    "a stopped timer of a busy owner": TimerFilter(owner="busy", state=State.STOPPED),
}


@pytest.mark.parametrize("asked", RARE.values(), ids=RARE)
async def test_what_is_rare_is_looked_for_so_far_and_no_further(
    million: asyncpg.Connection, asked: TimerFilter
) -> None:
    whole, rows, blocks = await read(million, sql_of(asked), values_of(asked))
    assert whole == []
    assert rows <= LOOKED_AT_MAX + PAGE
    assert blocks <= LOOKED_AT_MAX + BLOCKS_MAX


async def test_without_an_end_what_is_rare_is_looked_for_through_all(million: asyncpg.Connection) -> None:
    """The control."""
    values = [*values_of(RARE["a flag"])[:-1], 2_000_000]
    _, rows, _ = await read(million, sql_of(RARE["a flag"]), values)
    assert rows > 100_000


# Each other read: its values, and how many rows and blocks it may touch.
FEW: Final = (8, 40)
ALL_OPEN: Final = (2 * BUSY_TIMERS + PAGE, 5 * BUSY_TIMERS)
A_MONTH: Final = (date(2026, 2, 1), date(2026, 2, 28))
OF_OLD: Final = (date(2021, 1, 1), date(2021, 1, 31))
YEAR_OF_OLD: Final = (date(2021, 1, 1), date(2021, 12, 31))
TOUCHED: Final = [
    # Nobody has more intervals, days or timers than they have, and an owner's open timers are in no order of a page.
    ("find_current_timers", (*O5, 1000), FEW),
    ("find_current_timers", (*BUSY, PAGE), ALL_OPEN),
    ("find_open_timers", ("acme", PAGE, 0), (2 * PAGE, 2 * BLOCKS_MAX)),
    ("find_open_timers", ("acme", PAGE, 5000), (5000 + 2 * PAGE, 5000 + 2 * BLOCKS_MAX)),
    ("find_open_timers_of_owner", ("acme", PAGE, 0, 5, "o5"), FEW),
    ("find_open_timers_of_owner", ("acme", PAGE, 0, 77, "busy"), (BUSY_TIMERS + PAGE, 2 * BLOCKS_MAX)),
    ("find_running_timer", O5, FEW),
    ("find_running_timer", BUSY, FEW),
    ("find_timer", (5, 5, "acme"), FEW),
    ("find_timer", (77, PRESSED_OFTEN, "acme"), FEW),
    ("find_timer", (5, 5, "other"), FEW),
    # All that is known of an owner is the answer: here a leave for each of ten years' days.
    ("find_owner", O5, FEW),
    ("find_owner", BUSY, (3650, BLOCKS_MAX)),
    ("find_outcome", ("acme", EVENT, 5), FEW),
    ("find_outcome", ("other", EVENT, 5), FEW),
    ("find_outcome_anywhere", ("acme", EVENT), FEW),
    # An interval begins every five hours: those of the days asked for, of a day before and of five behind, and ten long
    # ones, of which the later are read too.
    ("find_days", (*O5, *A_MONTH), (20, 40)),
    ("find_days", (*BUSY, *A_MONTH), (28 + 5 * 34 + 10, BLOCKS_MAX)),
    ("find_days", (*BUSY, *OF_OLD), (31 + 5 * 37 + 10, BLOCKS_MAX)),
    ("find_days", (*BUSY, *YEAR_OF_OLD), (365 + 5 * 371 + 10, BLOCKS_MAX)),
    # A job that owners of all slots work for has a row for each of them, each day.
    ("find_work_days", ("acme", "job", "roof", *A_MONTH), (28 * 4096, 28 * 4096 // 10)),
    ("find_work_days", ("acme", "job", "none", *A_MONTH), FEW),
    ("find_violations", ("acme", PAGE, None, None, -1, ""), (PAGE, BLOCKS_MAX)),
    ("find_violations_by_rule", ("acme", PAGE, None, None, -1, "R11"), (PAGE, BLOCKS_MAX)),
    ("find_violations_by_rule", ("acme", PAGE, None, None, -1, "R13"), FEW),
    ("find_violations_of_owner", ("acme", PAGE, None, None, -1, "", *O5[::2]), FEW),
    ("find_violations_of_owner", ("acme", PAGE, None, None, -1, "", *BUSY[::2]), FEW),
    ("find_violations_of_owner_by_rule", ("acme", PAGE, None, None, -1, "R11", *O5[::2]), FEW),
    ("find_violations_of_owner_by_rule", ("acme", PAGE, None, None, -1, "R13", *BUSY[::2]), FEW),
    # A timer that was pressed once, and one with ten thousand lines, from its middle on.
    ("find_history", (5, 5, -1, PAGE), FEW),
    ("find_history", (77, PRESSED_OFTEN, 5_000, PAGE), (PAGE + 1, BLOCKS_MAX)),
]


@pytest.mark.parametrize(("name", "values", "at_most"), TOUCHED)
async def test_a_read_touches_what_it_is_about(
    million: asyncpg.Connection, name: str, values: Sequence[object], at_most: tuple[int, int]
) -> None:
    whole, rows, blocks = await read(million, query(name), values)
    assert whole == []
    assert rows <= at_most[0]
    assert blocks <= at_most[1]


def test_each_read_is_made() -> None:
    assert {name for name, _, _ in TOUCHED} == READS.keys()
    assert {lead_of(asked) for asked in (*LISTS.values(), *RARE.values())} == TIMER_LEADS.keys() - {
        "account",  # as a job
        "reference",  # one timer has it, or few
    }


@pytest.mark.parametrize("name", ["find_current_timers", "find_running_timer", "find_open_timers_of_owner"])
async def test_without_its_index_a_read_touches_more(million: asyncpg.Connection, name: str) -> None:
    """The control."""
    values = next(values for of, values, _ in TOUCHED if of == name)
    within = million.transaction()
    await within.start()
    try:
        await million.execute("DROP INDEX fold_v1.timer_open_of_owner")
        _, rows, _ = await read(million, query(name), values)
    finally:
        await within.rollback()
    assert rows > FEW[0]


async def test_without_its_index_an_owners_days_of_old_touch_what_came_after(million: asyncpg.Connection) -> None:
    """The control."""
    within = million.transaction()
    await within.start()
    try:
        await million.execute("DROP INDEX fold_v1.interval_long")
        _, rows, _ = await read(million, query("find_days"), (*BUSY, *OF_OLD))
    finally:
        await within.rollback()
    assert rows > 8000


async def test_a_session_that_plans_for_its_values_reads_all_of_a_busy_owner(million: asyncpg.Connection) -> None:
    """The control of the session's settings. A statement is planned for its values five times, and for any then."""
    for name in PLANS:
        await million.execute(f"RESET {name}")
    asked = LISTS["of a busy owner"]
    readings = await readings_of(million, sql_of(asked), values_of(asked), "auto", 5)
    assert all(rows >= BUSY_TIMERS for _, rows, _ in readings)
