"""Reports on real Postgres: pages without gap or double, days of one moment, and an index for each set of filters."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import pytest

from services.command_api.desk.attended import Attended
from services.command_api.desk.commands import Position
from services.command_api.desk.questions import ViolationFilter
from services.command_api.desk.rows import DayRow, DaysRow, ReadsAwayError, ViolationRow
from services.command_api.store.database import Database, query
from services.command_api.store.reports import PostgresReports
from shared.events.ids import make_short, slot_of
from shared.events.rules import Rule
from tests.integration.plans import BLOCKS_MAX, SESSION, faults, plan_of
from tests.support.stack.deployments import PARTITIONS, Deployment

pytestmark = pytest.mark.real

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
SLOT: Final = slot_of("acme", "dana")
KPART: Final = SLOT % PARTITIONS
EVENT: Final = UUID(int=1)


@pytest.fixture(scope="module")
async def dsn(deployment: Deployment) -> str:
    return await deployment.fresh_database("reports")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """Give a database in which the last test left no row."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2, server_settings={"timezone": "UTC"}) as pool:
        tables = ("violation", "day_total", "work_total", "interval", "owner_fact", "checkpoint")
        await pool.execute("TRUNCATE " + ", ".join(f"fold_v1.{table}" for table in tables))
        yield pool


@pytest.fixture
async def reports(dsn: str, pool: asyncpg.Pool) -> AsyncIterator[PostgresReports]:
    assert pool.get_size()
    database = Database(dsn, connections_max=2, within_seconds=5)
    await database.open()
    yield PostgresReports(database)
    await database.close()


def found(n: int, owner: str = "dana", rule: Rule = Rule.OVERLAP, at: datetime = NOON) -> ViolationRow:
    """Return the finding of an owner's timer number `n`."""
    timer = make_short(0, slot_of("acme", owner), n)
    return ViolationRow(timer, owner, rule, at, at + timedelta(minutes=n), n * 60_000_000, n % 2 == 0, EVENT, n or None)


async def keep(pool: asyncpg.Pool, *rows: ViolationRow, tenant: str = "acme") -> None:
    columns = "slot, timer_id, rule, from_at, to_at, amount_us, refused, tenant, owner, event_id, policy_revision"
    values = [
        (
            *(slot_of(tenant, row.owner), row.timer_id, row.rule, row.from_at, row.to_at, row.amount_us, row.refused),
            *(tenant, row.owner, row.event_id, row.policy_revision),
        )
        for row in rows
    ]
    places = ", ".join(f"${n}" for n in range(1, 12))
    await pool.executemany(f"INSERT INTO violation ({columns}) VALUES ({places})", values)


async def test_each_filter_narrows_the_list(pool: asyncpg.Pool, reports: PostgresReports) -> None:
    rows = [
        found(0, "dana"),
        found(1, "dana", Rule.LATE_PRESS, NOON + DAY),
        found(2, "noa", Rule.OVERLAP, NOON + 2 * DAY),
        found(3, "noa", Rule.LATE_PRESS, NOON + 3 * DAY),
    ]
    await keep(pool, *reversed(rows))
    await keep(pool, found(4), tenant="other")
    for owner in (None, "dana", "noa", "nobody"):
        for rule in (None, Rule.OVERLAP, Rule.LATE_PRESS, Rule.DAY_OFF):
            for since in (None, NOON, NOON + DAY):
                for until in (None, NOON + 2 * DAY, NOON + 2 * DAY + timedelta(microseconds=1)):
                    expected = [
                        row
                        for row in rows
                        if owner in {None, row.owner}
                        and rule in {None, row.rule}
                        and (since is None or row.from_at >= since)
                        and (until is None or row.from_at < until)
                    ]
                    asked = ViolationFilter(owner, rule, since, until)
                    assert await reports.violations("acme", asked, None, 10) == expected, asked


@pytest.mark.parametrize(
    "asked",
    [
        ViolationFilter(),
        ViolationFilter(owner="dana"),
        ViolationFilter(rule=Rule.OVERLAP),
        ViolationFilter(owner="dana", rule=Rule.OVERLAP, since=NOON - DAY, until=NOON + DAY),
    ],
)
async def test_pages_have_no_gap_and_no_double_while_rows_come_in(
    pool: asyncpg.Pool, reports: PostgresReports, asked: ViolationFilter
) -> None:
    """Many findings begin at one moment. New ones come before and behind each page, and one of the page ends."""
    rows = [found(n, at=NOON + timedelta(seconds=n // 5)) for n in range(10, 31)]
    if asked.rule is None:
        rows += [found(n, rule=Rule.LATE_PRESS) for n in range(10, 31)]
    await keep(pool, *rows)
    after, seen, pages = None, [], 0
    while True:
        page = await reports.violations("acme", asked, after, 4)
        seen += [row.key for row in page[:4]]
        if len(page) <= 4:
            break
        after, pages = page[3].key, pages + 1
        early, late = NOON - timedelta(minutes=pages), NOON + timedelta(hours=pages)
        await keep(pool, found(pages, at=early), found(pages, at=late))
        await pool.execute("UPDATE violation SET to_at = now() WHERE timer_id = $1", after.timer_id)
    there_all_along = {row.key for row in rows}
    assert len(seen) == len(set(seen))
    assert [key for key in seen if key in there_all_along] == sorted(
        there_all_along, key=lambda key: (key.from_at, key.timer_id, key.rule)
    )


async def folded(pool: asyncpg.Pool, next_offset: int) -> None:
    await pool.execute("INSERT INTO checkpoint (kpart, next_offset) VALUES ($1, $2)", KPART, next_offset)


async def worked(pool: asyncpg.Pool, on: date, total_us: int, billable_us: int, owner: str = "dana") -> None:
    await pool.execute(
        "INSERT INTO day_total (slot, tenant, owner, day, total_us, billable_us) VALUES ($1, 'acme', $2, $3, $4, $5)",
        *(slot_of("acme", owner), owner, on, total_us, billable_us),
    )


async def test_days_are_those_asked_for_in_order(pool: asyncpg.Pool, reports: PostgresReports) -> None:
    await folded(pool, 43)
    for on in (5, 1, 4, 2):
        await worked(pool, date(2026, 3, on), on * 1_000_001, on)
    await worked(pool, date(2026, 3, 2), 7, 7, owner="noa")
    await pool.execute("UPDATE fold_v1.day_total SET changed_after_lock = true WHERE day = '2026-03-04'")
    assert await reports.days("acme", "dana", date(2026, 3, 2), date(2026, 3, 4)) == DaysRow(
        zone=None,
        position=Position(KPART, 42),
        days=(DayRow(date(2026, 3, 2), 2_000_002, 2, False), DayRow(date(2026, 3, 4), 4_000_004, 4, True)),  # noqa: FBT003
    )


async def test_days_say_from_when_to_when_of_their_closed_intervals(
    pool: asyncpg.Pool, reports: PostgresReports
) -> None:
    """One began the day before and one ended the day after in UTC; a running one and another owner's say nothing."""
    await folded(pool, 1)
    for on in (1, 2):
        await worked(pool, date(2026, 3, on), 1, 1)
    midnight = datetime(2026, 3, 1, 22, tzinfo=UTC)
    for n, (owner, start, end) in enumerate(
        [
            ("dana", midnight - HOUR, midnight + HOUR),
            ("dana", midnight + 20 * HOUR, midnight + 24 * HOUR),
            ("dana", midnight + 5 * HOUR, None),
            ("dana", midnight - 90 * DAY, midnight - 89 * DAY),
            ("noa", midnight + 2 * HOUR, midnight + 3 * HOUR),
        ]
    ):
        await pool.execute(
            "INSERT INTO interval (slot, timer_id, seq, tenant, owner, start_at, end_at, zone)"
            " VALUES ($1, $2, 1, 'acme', $3, $4, $5, 'Asia/Jerusalem')",
            *(slot_of("acme", owner), n, owner, start, end),
        )
    said = await reports.days("acme", "dana", date(2026, 3, 1), date(2026, 3, 2))
    assert [day.attended for day in said.days] == [
        Attended(midnight - HOUR, midnight, 0),
        Attended(midnight, midnight + 24 * HOUR, 19 * 3600 * 1_000_000),
    ]


@pytest.mark.parametrize(
    "lasts", [3 * DAY, 4 * DAY + 6 * HOUR, 4 * DAY + 6 * HOUR + timedelta(microseconds=1), 900 * DAY]
)
async def test_a_day_knows_an_interval_that_ended_long_after(
    pool: asyncpg.Pool, reports: PostgresReports, lasts: timedelta
) -> None:
    """One was forgotten for years, and some ended as long after as what is found by its end, or a moment later."""
    await folded(pool, 1)
    await worked(pool, date(2026, 3, 2), 1, 1)
    begun = datetime(2026, 3, 2, 18, tzinfo=UTC)
    for n, (start, end) in enumerate([(begun, begun + lasts), (begun + 3 * DAY, begun + 99 * DAY)]):
        await pool.execute(
            "INSERT INTO interval (slot, timer_id, seq, tenant, owner, start_at, end_at, zone)"
            " VALUES ($1, $2, 1, 'acme', 'dana', $3, $4, 'UTC')",
            *(SLOT, n, start, end),
        )
    (day,) = (await reports.days("acme", "dana", date(2026, 3, 2), date(2026, 3, 2))).days
    assert day.attended == Attended(begun, datetime(2026, 3, 3, tzinfo=UTC), 0)


async def test_work_days_are_summed_over_all_slots(pool: asyncpg.Pool, reports: PostgresReports) -> None:
    rows = [
        (1, "acme", "job", "J", date(2026, 3, 2), 5, 3, False),
        (2, "acme", "job", "J", date(2026, 3, 2), 7, 0, True),
        (1, "acme", "job", "J", date(2026, 3, 1), 1, 1, False),
        (1, "acme", "job", "J", date(2026, 3, 3), 100, 0, False),
        (1, "acme", "job", "K", date(2026, 3, 2), 100, 0, False),
        (1, "acme", "account", "J", date(2026, 3, 2), 9, 0, False),
        (1, "other", "job", "J", date(2026, 3, 2), 100, 0, False),
    ]
    await pool.executemany("INSERT INTO work_total VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", rows)
    first, last = date(2026, 3, 1), date(2026, 3, 2)
    assert await reports.work_days("acme", "job", "J", first, last) == DaysRow(
        None,
        None,
        (DayRow(first, 1, 1, False), DayRow(last, 12, 3, True)),  # noqa: FBT003
    )
    assert (await reports.work_days("acme", "account", "J", last, last)).days == (DayRow(last, 9, 0, False),)  # noqa: FBT003


async def test_days_have_the_zone_of_the_owners_profile(pool: asyncpg.Pool, reports: PostgresReports) -> None:
    await folded(pool, 1)
    insert = "INSERT INTO owner_fact (slot, tenant, owner, kind, about, body) VALUES ($1, 'acme', 'dana', $2, $3, $4)"
    await pool.execute(insert, SLOT, "leave", "2026-03-02", json.dumps({"zone": "Asia/Tokyo"}))
    assert (await reports.days("acme", "dana", date(2026, 3, 1), date(2026, 3, 2))).zone is None
    await pool.execute(insert, SLOT, "profile", "", json.dumps({"zone": "Africa/Cairo"}))
    assert (await reports.days("acme", "dana", date(2026, 3, 1), date(2026, 3, 2))).zone == "Africa/Cairo"


async def test_before_anything_was_folded_there_is_no_position(pool: asyncpg.Pool, reports: PostgresReports) -> None:
    with pytest.raises(ReadsAwayError):  # the topics job has not run
        await reports.days("acme", "dana", date(2026, 3, 1), date(2026, 3, 2))
    await folded(pool, 0)
    assert await reports.days("acme", "dana", date(2026, 3, 1), date(2026, 3, 2)) == DaysRow(None, None, ())


async def test_days_and_their_position_are_of_one_moment(pool: asyncpg.Pool, reports: PostgresReports) -> None:
    """Each commit moves the checkpoint by one and adds a microsecond, so the two always say the same number."""
    await folded(pool, 1)
    await worked(pool, date(2026, 3, 1), 0, 0)

    async def fold() -> None:
        for _ in range(300):
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute("UPDATE checkpoint SET next_offset = next_offset + 1")
                await conn.execute("UPDATE fold_v1.day_total SET total_us = total_us + 1")

    folding = asyncio.create_task(fold())
    while not folding.done():
        said = await reports.days("acme", "dana", date(2026, 3, 1), date(2026, 3, 1))
        assert said.position == Position(KPART, said.days[0].total_us)
    await folding


# 300,000 findings of four tenants, a hundred owners each, over three years; and 300,000 days.
CROWD: Final = """
INSERT INTO violation
  (slot, timer_id, rule, from_at, to_at, amount_us, refused, tenant, owner, event_id, policy_revision)
SELECT n % 400, n, (ARRAY['R09', 'R10', 'R13', 'R18'])[1 + n / 400 % 4],
       timestamptz '2024-01-01Z' + n * interval '5 minutes', NULL, NULL, false,
       'crowd-' || n % 400 / 100, 'owner-' || n % 400, gen_random_uuid(), 1
  FROM generate_series(1, 300000) AS n;
INSERT INTO day_total (slot, tenant, owner, day, total_us, billable_us)
SELECT n % 400, 'crowd-' || n % 400 / 100, 'owner-' || n % 400, date '2024-01-01' + n / 400, n, n
  FROM generate_series(0, 299999) AS n;
INSERT INTO work_total
SELECT n % 400, 'crowd-' || n % 400 / 100, 'job', 'J-' || n % 400, date '2024-01-01' + n / 400, n, n, false
  FROM generate_series(0, 299999) AS n;
ANALYZE fold_v1.violation; ANALYZE fold_v1.day_total; ANALYZE fold_v1.work_total;
"""
MIDDLE: Final = datetime(2025, 6, 1, tzinfo=UTC)
PAGE: Final = ("crowd-1", 101, MIDDLE + 200 * DAY, MIDDLE, 1000)
WHOSE: Final = (101, "owner-101")
PLANS: Final = [
    ("find_violations", "violation_by_tenant", (*PAGE, "R13")),
    ("find_violations_by_rule", "violation_by_rule", (*PAGE, "R13")),
    ("find_violations_of_owner", "violation_by_owner", (*PAGE, "R13", *WHOSE)),
    ("find_violations_of_owner_by_rule", "violation_by_owner", (*PAGE, "R10", *WHOSE)),
]


@pytest.fixture(scope="module")
async def crowd(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection to a database with a crowd in it."""
    conn = await asyncpg.connect(await deployment.fresh_database("reports_crowd"), server_settings=SESSION)
    await conn.execute(CROWD)
    yield conn
    await conn.close()


@pytest.mark.parametrize(("name", "index", "values"), PLANS, ids=[name for name, _, _ in PLANS])
async def test_a_report_reads_one_page_of_one_index(
    crowd: asyncpg.Connection, name: str, index: str, values: Sequence[object]
) -> None:
    nodes = await plan_of(crowd, query(name), values)
    assert [node["Actual Rows"] > 0 for node in nodes] == [True]
    assert faults(nodes, index) == []


async def test_a_year_of_a_job_reads_its_own_rows_alone(crowd: asyncpg.Connection) -> None:
    asked = ("crowd-1", "job", "J-101", date(2025, 1, 1), date(2025, 12, 31))
    plan = await plan_of(crowd, query("find_work_days"), asked)
    nodes = [node for node in plan if "Relation Name" in node]
    assert [(node["Actual Rows"], node.get("Rows Removed by Filter", 0)) for node in nodes] == [(365, 0)]
    assert nodes[0]["Node Type"] in {"Index Scan", "Bitmap Heap Scan"}
    assert nodes[0]["Shared Hit Blocks"] + nodes[0]["Shared Read Blocks"] <= BLOCKS_MAX


async def test_an_optional_filter_reads_what_it_drops(crowd: asyncpg.Connection) -> None:
    """The control: one query for all filters, instead of four."""
    sql = query("find_violations").replace("from_at <", "($7::text IS NULL OR owner = $7) AND from_at <")
    nodes = await plan_of(crowd, sql, (*PAGE, "R13", "owner-101"))
    assert [fault for fault in faults(nodes, "violation_by_tenant") if "rows dropped" in fault]


@pytest.mark.parametrize(("name", "index", "values"), PLANS, ids=[name for name, _, _ in PLANS])
async def test_without_its_index_a_list_sorts_or_drops_rows(
    crowd: asyncpg.Connection, name: str, index: str, values: Sequence[object]
) -> None:
    """The control: each index of the migration is needed."""
    dropped = crowd.transaction()
    await dropped.start()
    try:
        await crowd.execute(f"DROP INDEX fold_v1.{index}")
        assert faults(await plan_of(crowd, query(name), values), index)
    finally:
        await dropped.rollback()
