"""What the API reads with a million timers of one tenant: a page, and rows of the timer or the owner asked for."""

from collections.abc import Sequence
from typing import Final

import asyncpg
import pytest

from services.command_api.desk.questions import TimerFilter
from services.command_api.store.database import query
from services.command_api.store.reports import TIMER_LEADS, lead_of
from shared.events.outcome import State
from tests.integration.million import PRESSED_OFTEN, reading_of, readings_of
from tests.integration.plans import BLOCKS_MAX, MODES

pytestmark = pytest.mark.real

PAGE: Final = 101
# An owner of ten timers, of which one runs, and one of ten thousand, of which three run.
SLOTS: Final = {"o5": 5, "busy": 77}
LISTS: Final = {
    "of a tenant": TimerFilter(),
    "of an owner": TimerFilter(owner="o5"),
    "of a busy owner": TimerFilter(owner="busy"),
    "of who works now": TimerFilter(state=State.RUNNING),
    "of what a busy owner does now": TimerFilter(owner="busy", state=State.RUNNING),
}
# Postgres plans a statement five times for its values, and then decides whether to go on with one plan for all.
TIMES: Final = 7


@pytest.mark.parametrize("asked", LISTS.values(), ids=LISTS)
async def test_a_list_reads_a_page_of_a_million_however_often_asked(
    million: asyncpg.Connection, asked: TimerFilter
) -> None:
    sql = query("find_timers").replace("AND true", f"AND {TIMER_LEADS[lead_of(asked)]}")
    slot = None if asked.owner is None else SLOTS[asked.owner]
    values = ("acme", PAGE, None, -1, None, slot, asked.owner, asked.state, None, None, None, None)
    for whole, _, blocks in await readings_of(million, sql, values, "auto", TIMES):
        assert whole == []
        assert blocks <= BLOCKS_MAX


@pytest.mark.parametrize("mode", MODES)
async def test_current_timers_are_read_with_their_last_intervals_alone(million: asyncpg.Connection, mode: str) -> None:
    whole, rows, blocks = await current(million, "o5", mode)
    # One timer runs, and has one interval.
    assert (whole, rows) == ([], 2)
    assert blocks <= 20


async def test_without_its_index_current_timers_are_looked_for(million: asyncpg.Connection) -> None:
    """The control."""
    within = million.transaction()
    await within.start()
    try:
        await million.execute("DROP INDEX fold_v1.timer_open_of_owner")
        whole, rows, _ = await current(million, "o5", "force_custom_plan")
    finally:
        await within.rollback()
    assert whole or rows > 2


async def current(conn: asyncpg.Connection, owner: str, mode: str) -> tuple[list[str], int, int]:
    return await reading_of(conn, query("find_current_timers"), (SLOTS[owner], "acme", owner, PAGE), mode)


# Of a timer that was pressed once, and of one with ten thousand lines, from its middle on.
HISTORIES: Final = [((5, 5, -1, PAGE), 1), ((77, PRESSED_OFTEN, 5_000, PAGE), PAGE + 1)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("values", "at_most"), HISTORIES, ids=["one line", "ten thousand lines"])
async def test_a_history_reads_its_page(
    million: asyncpg.Connection, values: Sequence[int], at_most: int, mode: str
) -> None:
    whole, rows, blocks = await reading_of(million, query("find_history"), values, mode)
    assert whole == []
    assert 0 < rows <= at_most
    assert blocks <= BLOCKS_MAX


async def test_without_its_key_a_history_is_looked_for(million: asyncpg.Connection) -> None:
    """The control."""
    within = million.transaction()
    await within.start()
    try:
        await million.execute("ALTER TABLE fold_v1.timer_history DROP CONSTRAINT timer_history_pkey")
        whole, _, _ = await reading_of(million, query("find_history"), HISTORIES[0][0], "force_custom_plan")
    finally:
        await within.rollback()
    assert whole == ["timer_history"]
