"""Timers on real Postgres: each filter, pages without gap or double, an index for each set of filters; what is open."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from services.command_api.desk.questions import TimerFilter
from services.command_api.desk.rows import OpenTimer
from services.command_api.store.database import Database, query
from services.command_api.store.reads import PostgresReads
from services.command_api.store.reports import LOOKED_AT_MAX, TIMER_LEADS, PostgresReports, lead_of
from shared.events.ids import make_short, slot_of
from shared.events.outcome import State
from tests.integration.plans import SESSION, faults, plan_of
from tests.support.stack.deployments import PARTITIONS, Deployment

pytestmark = pytest.mark.real

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
EVENT: Final = UUID(int=1)
ALL: Final = 100


@pytest.fixture(scope="module")
async def dsn(deployment: Deployment) -> str:
    return await deployment.fresh_database("timer_lists")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """Give a database in which the last test left no row."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2, server_settings={"timezone": "UTC"}) as pool:
        await pool.execute("TRUNCATE fold_v1.timer, fold_v1.interval, timer_text")
        yield pool


@pytest.fixture
async def database(dsn: str, pool: asyncpg.Pool) -> AsyncIterator[Database]:
    assert pool.get_size()
    database = Database(dsn, connections_max=2, within_seconds=5)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def reports(database: Database) -> PostgresReports:
    return PostgresReports(database)


@pytest.fixture
async def reads(database: Database) -> PostgresReads:
    return PostgresReads(database)


def timer_id(n: int, owner: str = "dana") -> int:
    return make_short(0, slot_of("acme", owner), n)


async def keep(
    pool: asyncpg.Pool,
    n: int,
    at: datetime,
    owner: str = "dana",
    state: str = "STOPPED",
    **said: Any,  # noqa: ANN401
) -> None:
    """Keep timer number `n` of an owner."""
    row = {"slot": slot_of("acme", owner), "id": timer_id(n, owner), "tenant": "acme", "owner": owner, "state": state}
    row |= {"billable": True, "started_at": at, "total_us": n, "last_at": at, "flags": [], "started_by": EVENT}
    row |= {"source_offset": n} | said
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await pool.execute(f"INSERT INTO timer ({', '.join(row)}) VALUES ({places})", *row.values())


async def opened_at(pool: asyncpg.Pool, n: int, start: datetime, *, still: bool = False) -> None:
    """Keep two intervals of Dana's timer `n`: an empty one at NOON, and one from `start`, empty unless `still` open."""
    sql = (
        "INSERT INTO interval (slot, timer_id, seq, tenant, owner, start_at, end_at, zone)"
        " VALUES ($1, $2, $3, 'acme', 'dana', $4, $5, 'UTC')"
    )
    for seq, at, end in ((1, NOON, NOON), (2, start, None if still else start)):
        await pool.execute(sql, slot_of("acme", "dana"), timer_id(n), seq, at, end)


async def test_each_filter_narrows_the_list(pool: asyncpg.Pool, reports: PostgresReports) -> None:
    told = [
        TimerFilter("dana", State.STOPPED, "A", "J", "r", "late", NOON),
        TimerFilter("dana", State.RUNNING, "A", "K", "r", "R13", NOON + HOUR),
        TimerFilter("noa", State.PAUSED, "B", "J", "s", "late", NOON + 2 * HOUR),
        TimerFilter("noa", State.STOPPED, "B", "K", "s", "R13", NOON + 3 * HOUR),
    ]
    for n, each in enumerate(told):
        assert each.since is not None
        said = {"account_id": each.account_id, "job_id": each.job_id, "reference": each.reference}
        await keep(pool, n, each.since, str(each.owner), str(each.state), flags=["R01", each.flag], **said)
    await keep(pool, 9, NOON, tenant="other")
    tried = set()
    for mask in range(1 << 8):
        for like in told:
            kept = [value if mask >> bit & 1 else None for bit, value in enumerate(astuple(like))]
            asked = replace(TimerFilter(*kept), until=NOON + 3 * HOUR if mask >> 7 & 1 else None)
            tried.add(lead_of(asked))
            # A cursor names the last timer that was looked at, so an owner's list looks at nobody else's.
            assert (lead_of(asked) in {"owner", "open_of_owner"}) == (asked.owner is not None)
            expected = [n for n in (3, 2, 1, 0) if _fits(told[n], asked)]
            page = await reports.timers("acme", asked, None, ALL)
            assert ([row.total_us for row in page.rows], page.after) == (expected, None), asked
    assert tried == set(TIMER_LEADS)


def _fits(timer: TimerFilter, asked: TimerFilter) -> bool:
    assert timer.since is not None
    same = ("owner", "state", "account_id", "job_id", "reference", "flag")
    return (
        all(getattr(asked, name) in {None, getattr(timer, name)} for name in same)
        and (asked.since is None or asked.since <= timer.since)
        and (asked.until is None or timer.since < asked.until)
    )


@pytest.mark.parametrize(
    "asked", [TimerFilter(), TimerFilter("dana", job_id="J", until=NOON + HOUR, since=NOON - HOUR)]
)
async def test_pages_have_no_gap_and_no_double_while_timers_come_in(
    pool: asyncpg.Pool, reports: PostgresReports, asked: TimerFilter
) -> None:
    """Many timers start at one moment. New ones come before and behind each page, and one of the page changes."""
    for n in range(20, 41):
        await keep(pool, n, NOON + timedelta(seconds=n // 5), job_id="J")
    after, seen, pages = None, [], 0
    while True:
        page = await reports.timers("acme", asked, after, 4)
        seen += [row.total_us for row in page.rows]
        if page.after is None:
            break
        assert (len(page.rows), page.after) == (4, page.rows[-1].key)
        after, pages = page.after, pages + 1
        await keep(pool, pages, NOON - timedelta(minutes=pages), job_id="J")
        await keep(pool, 100 + pages, NOON + timedelta(minutes=pages), job_id="J")
        await pool.execute("UPDATE timer SET last_at = now(), state = 'PAUSED' WHERE id = $1", after.timer_id)
    assert len(seen) == len(set(seen))
    assert [n for n in seen if 20 <= n <= 40] == list(range(40, 19, -1))


@pytest.mark.parametrize("limit", [1, 4, 100])
async def test_what_is_rare_is_found_page_by_page_without_gap_and_without_double(
    dsn: str, pool: asyncpg.Pool, limit: int
) -> None:
    """Of forty timers at eight moments three are flagged R13, and all are late. A page looks at five of them."""
    for n in range(20, 60):
        await keep(pool, n, NOON + timedelta(seconds=n // 5), flags=["R13", "late"] if n in {21, 40, 58} else ["late"])
    database = Database(dsn, connections_max=2, within_seconds=5)
    await database.open()
    reports = PostgresReports(database, looked_at_max=5)
    after, sizes, seen = None, [], []
    try:
        while True:
            page = await reports.timers("acme", TimerFilter(flag="R13"), after, limit)
            sizes.append(len(page.rows))
            seen += [row.total_us for row in page.rows]
            if page.after is None:
                break
            after = page.after
            # What comes in meanwhile, before the place that is reached and behind it.
            await keep(pool, 100 + len(sizes), NOON + timedelta(hours=len(sizes)), flags=["R13"])
            await keep(pool, 10 - len(sizes), NOON - timedelta(hours=len(sizes)), flags=["late"])
    finally:
        await database.close()
    assert seen == [58, 40, 21]
    # Each page but the last has come as far as it looks: five timers, or the one that filled it.
    assert len(sizes) > 8
    assert 0 in sizes


async def test_a_listed_timer_is_told_in_full(pool: asyncpg.Pool, reports: PostgresReports) -> None:
    await keep(pool, 7, NOON, reference="crm/7", flags=["late"], account_id="A", project_id="P")
    text = "INSERT INTO timer_text VALUES ($1, $2, $3, 'acme', 'dana', 'quiet', 'desk')"
    await pool.execute(text, slot_of("acme", "dana"), timer_id(7), EVENT)
    (row,) = (await reports.timers("acme", TimerFilter(), None, ALL)).rows
    assert (row.id, row.state, row.flags, row.comment, row.work_item) == (
        timer_id(7),
        State.STOPPED,
        ("late",),
        "quiet",
        "desk",
    )
    assert (row.reference, row.intervals, row.position) == ("crm/7", (), f"{slot_of('acme', 'dana') % PARTITIONS}:7")


async def test_current_are_the_running_and_the_paused_opened_last_first(
    pool: asyncpg.Pool, reports: PostgresReports
) -> None:
    opened = {1: ("PAUSED", 5), 2: ("RUNNING", 9), 3: ("STOPPED", 11), 4: ("PAUSED", 9), 5: ("RUNNING", 2)}
    for n, (state, hours) in opened.items():
        await keep(pool, n, NOON, state=state)
        await opened_at(pool, n, NOON + hours * HOUR)
    await keep(pool, 6, NOON, owner="noa", state="RUNNING")
    assert [row.total_us for row in await reports.current("acme", "dana", ALL)] == [4, 2, 1, 5]
    assert [row.total_us for row in await reports.current("acme", "dana", 2)] == [4, 2]
    assert await reports.current("other", "dana", ALL) == []


async def test_open_timers_are_the_running_and_the_paused_by_id(pool: asyncpg.Pool, reads: PostgresReads) -> None:
    """Two owners and another tenant share a slot. By id is neither the order of starts nor that of the table."""
    slot = slot_of("acme", "dana")
    states = {4: "PAUSED", 8: "RUNNING", 1: "RUNNING", 6: "PAUSED", 3: "STOPPED", 7: "RUNNING", 2: "PAUSED"}
    for n, state in states.items():
        owner = "noa" if n in {2, 7} else "dana"
        await keep(pool, n, NOON - n * HOUR, owner, state, slot=slot, id=timer_id(n), account_id=f"A-{n}")
    await keep(pool, 5, NOON, state="RUNNING", tenant="other")
    await pool.execute("INSERT INTO timer_text VALUES ($1, $2, $3, 'acme', 'dana', 'quiet')", slot, timer_id(4), EVENT)
    comments = {4: "quiet"}
    by_id = [OpenTimer(timer_id(n), f"A-{n}", NOON - n * HOUR, comments.get(n)) for n in (1, 2, 4, 6, 7, 8)]
    danas = [by_id[n] for n in (0, 2, 3, 5)]
    for limit, offset in ((ALL, 0), (2, 0), (2, 2), (1, 3), (2, 6)):
        # One timer more than `limit` says that there is another page.
        page = slice(offset, offset + limit + 1)
        assert await reads.open_timers("acme", limit, offset) == by_id[page]
        assert await reads.open_timers("acme", limit, offset, "dana") == danas[page]


async def test_of_several_running_timers_the_one_opened_last_is_told_then_the_higher_id(
    pool: asyncpg.Pool, reads: PostgresReads
) -> None:
    """Each that is told is paused, so that the next one is told. What was paused before opened last of all."""
    opened = {2: ("RUNNING", 9), 3: ("RUNNING", 9), 1: ("RUNNING", 5), 5: ("RUNNING", 2), 4: ("PAUSED", 12)}
    for n, (state, hours) in opened.items():
        await keep(pool, n, NOON, state=state)
        await opened_at(pool, n, NOON + hours * HOUR, still=state == "RUNNING")
    await keep(pool, 6, NOON, state="RUNNING", tenant="other")
    await opened_at(pool, 6, NOON + 20 * HOUR, still=True)
    told = []
    while timer := await reads.running_timer("acme", "dana"):
        told.append((timer.id, timer.opened_at))
        await pool.execute("UPDATE timer SET state = 'PAUSED' WHERE id = $1", timer.id)
    assert told == [(timer_id(n), NOON + opened[n][1] * HOUR) for n in (3, 2, 1, 5)]


# 120,000 timers of four tenants, a hundred owners each, over a year. One in fifty is open, one in twenty is flagged.
CROWD: Final = """
INSERT INTO timer
  (slot, id, tenant, owner, account_id, job_id, reference, billable, state, started_at, total_us, last_at, flags,
   started_by, source_offset)
SELECT n % 400, n, 'crowd-' || n % 400 / 100, 'owner-' || n % 400, 'A-' || n % 400 % 40, 'J-' || n % 400 % 50,
       'crm/' || n, true, CASE WHEN n % 53 = 0 THEN 'RUNNING' WHEN n % 57 = 0 THEN 'PAUSED' ELSE 'STOPPED' END,
       timestamptz '2025-01-01Z' + n * interval '5 minutes', 0, now(),
       CASE WHEN n % 23 = 0 THEN ARRAY['R13'] ELSE '{}' END, gen_random_uuid(), n
  FROM generate_series(1, 120000) AS n;
ANALYZE fold_v1.timer;
"""
MIDDLE: Final = datetime(2025, 10, 1, tzinfo=UTC)
ASKED: Final = TimerFilter(since=MIDDLE - timedelta(days=250), until=MIDDLE)
OWNED: Final = replace(ASKED, owner="owner-101")
# What callers ask for, and the index of each.
PLANS: Final = [
    (ASKED, "timer_by_tenant"),
    (OWNED, "timer_by_owner"),
    (replace(ASKED, job_id="J-1"), "timer_by_job"),
    (replace(ASKED, account_id="A-21"), "timer_by_account"),
    (replace(ASKED, reference="crm/10101"), "timer_by_reference"),
    (replace(ASKED, state=State.RUNNING), "timer_running_by_start"),
    (replace(ASKED, state=State.PAUSED), "timer_paused_by_start"),
    (replace(OWNED, state=State.RUNNING), "timer_open_of_owner"),
    (replace(ASKED, flag="R13"), "timer_flagged"),
]
IDS: Final = [index for _, index in PLANS]


@pytest.fixture(scope="module")
async def crowd(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection to a database with a crowd in it."""
    conn = await asyncpg.connect(await deployment.fresh_database("timer_lists_crowd"), server_settings=SESSION)
    await conn.execute(CROWD)
    yield conn
    await conn.close()


def values_of(asked: TimerFilter) -> Sequence[object]:
    slot = None if asked.owner is None else 101
    has = (slot, asked.owner, asked.state, asked.account_id, asked.job_id, asked.reference, asked.flag)
    return ("crowd-1", 101, asked.until, -1, asked.since, *has, LOOKED_AT_MAX)


def sql_of(asked: TimerFilter) -> str:
    return query("find_timers").replace("AND true", f"AND {TIMER_LEADS[lead_of(asked)]}")


@pytest.mark.parametrize(("asked", "index"), PLANS, ids=IDS)
async def test_a_list_reads_one_page_of_one_index(crowd: asyncpg.Connection, asked: TimerFilter, index: str) -> None:
    nodes = await plan_of(crowd, sql_of(asked), values_of(asked))
    assert [node["Actual Rows"] > 0 for node in nodes] == [True]
    assert faults(nodes, index) == []


@pytest.mark.parametrize(("asked", "index"), PLANS, ids=IDS)
async def test_without_its_index_a_list_reads_more(crowd: asyncpg.Connection, asked: TimerFilter, index: str) -> None:
    """The control: each index is needed."""
    dropped = crowd.transaction()
    await dropped.start()
    try:
        await crowd.execute(f"DROP INDEX fold_v1.{index}")
        assert faults(await plan_of(crowd, sql_of(asked), values_of(asked)), index)
    finally:
        await dropped.rollback()
