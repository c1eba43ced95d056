"""What the fold reads for a batch, with a million timers and an owner of ten thousand: rows of the owners concerned.

The tables are filled by SQL, on real Postgres, without their secondary indexes; those are made afterwards from their
own definitions.
"""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import asyncpg
import pytest

from services.projector.store.queries import query
from tests.support.stack.deployments import Deployment

pytestmark = pytest.mark.real

TIMERS: Final = 1_000_000
OWNERS: Final = 100_000  # ten timers each, one of which runs
BUSY_TIMERS: Final = 10_000
NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
TABLES: Final = ("timer", "interval", "day_total", "job_total", "violation", "owner_fact", "outcome")
# Owner n has slot n % 4096. "busy" has a slot of its own and timers of years: three run, the others are paused.
FILL: Final = f"""
CREATE TEMP TABLE whose AS
SELECT n % {OWNERS} % 4096 AS slot, n::bigint AS id, 'o' || n % {OWNERS} AS owner, 'owner' AS kind, n / {OWNERS} AS nth
  FROM generate_series(0, {TIMERS - 1}) n
 UNION ALL
SELECT 77, {TIMERS} + n, 'busy', 'busy', n FROM generate_series(0, {BUSY_TIMERS - 1}) n;
CREATE TEMP TABLE worked AS
SELECT w.*, nth = 0 OR kind = 'busy' AND nth < 3 AS runs,
       timestamptz '2026-03-02 09:00Z' - nth * interval '5 hours' AS at
  FROM whose w ORDER BY slot, id;
INSERT INTO fold_v1.timer
       (slot, id, tenant, owner, billable, state,
        started_at, total_us, last_at, flags, started_by, source_offset)
SELECT slot, id, 'acme', owner, true, CASE WHEN runs THEN 'RUNNING' WHEN kind = 'busy' THEN 'PAUSED' ELSE 'STOPPED' END,
       at, 0, at, '{{}}', '00000000-0000-0000-0000-000000000001', id
  FROM worked;
INSERT INTO fold_v1.interval (slot, timer_id, seq, tenant, owner, start_at, end_at, zone)
SELECT slot, id, 1, 'acme', owner, at, CASE WHEN runs THEN NULL ELSE at + interval '1 hour' END, 'UTC' FROM worked;
INSERT INTO fold_v1.day_total (slot, tenant, owner, day, total_us, billable_us)
SELECT slot, 'acme', owner, (timestamptz '2026-03-02 09:00Z' - nth * interval '1 day')::date, 1, 1
  FROM worked WHERE nth < 2 OR kind = 'busy' AND nth < 3650;
INSERT INTO fold_v1.job_total (slot, tenant, owner, job_id, total_us)
SELECT slot, 'acme', owner, 'j' || nth, 1 FROM worked WHERE nth < 10;
INSERT INTO fold_v1.violation (slot, timer_id, rule, from_at, refused, tenant, owner, event_id)
SELECT slot, id, 'R11', at, false, 'acme', owner, '00000000-0000-0000-0000-000000000001' FROM worked WHERE nth < 1;
INSERT INTO fold_v1.owner_fact (slot, tenant, owner, kind, about, body)
SELECT slot, 'acme', owner, 'leave', (date '2026-03-02' - nth::integer)::text, '{{"granted": true}}'
  FROM worked WHERE nth < 1 OR kind = 'busy' AND nth < 3650;
INSERT INTO outcome (kpart, source_offset, event_id, tenant, log_time, body)
SELECT slot % 12, id, ('00000000-0000-0000-0000-' || lpad(id::text, 12, '0'))::uuid, 'acme', at, '{{}}'
  FROM worked WHERE nth < 1;
"""
BATCH: Final = [(n % 4096, "acme", f"o{n}") for n in range(5, 105)]
BUSY: Final = [(77, "acme", "busy")]


@pytest.fixture(scope="module")
async def million(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection to a database with a million timers."""
    dsn = await deployment.fresh_database("a_million")
    conn = await asyncpg.connect(dsn, server_settings={"timezone": "UTC", "search_path": "fold_v1,public"})
    await conn.execute("SET synchronous_commit = off; SET work_mem = '256MB'; SET maintenance_work_mem = '256MB'")
    secondary = await conn.fetch(
        "SELECT indexdef, format('%I.%I', schemaname, indexname) AS name FROM pg_indexes"
        " WHERE tablename = ANY ($1) AND indexname NOT LIKE '%_pkey'",
        list(TABLES),
    )
    for index in secondary:
        await conn.execute(f"DROP INDEX {index['name']}")
    await conn.execute(FILL)
    for index in secondary:
        await conn.execute(index["indexdef"])
    await conn.execute("ANALYZE")
    assert await conn.fetchval("SELECT count(*) FROM fold_v1.timer") == TIMERS + BUSY_TIMERS
    yield conn
    await conn.close()


def asked(owners: Sequence[tuple[int, str, str]], since: datetime) -> list[Any]:
    """Return what the fold asks for these owners: the sheet of each, a timer by its id, a press known before."""
    slots, tenants, names = (list(column) for column in zip(*owners, strict=True))
    some = [TIMERS + 9 if name == "busy" else int(name[1:]) for name in names]
    back = [since] * len(owners)
    events = [f"00000000-0000-0000-0000-{number:012}" for number in some]
    overlaps = [slots, tenants, names, some, [NOW - timedelta(days=900)] * len(owners)]
    days_since = date(2026, 2, 27)
    lasting = ["R09", "R10", "R11", "R16", "R17"]
    return [
        *([slot % 12 for slot in slots], events, slots, some, back, slots, tenants, names, back),
        *(*overlaps, days_since, lasting, slots, tenants, names, ["j1"] * len(owners)),
    ]


async def reading_of(conn: asyncpg.Connection, values: list[Any], mode: str) -> tuple[list[str], int, int]:
    """Run the read. Return what it scans in whole, how many rows it touched, and how many blocks."""
    await conn.execute(f"SET plan_cache_mode = {mode}")
    await conn.execute(f"PREPARE touched AS {query('read_touched')}")
    try:
        said = ", ".join(_literal(value) for value in values)
        plan = json.loads(await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE touched({said})"))
    finally:
        await conn.execute("DEALLOCATE touched")
    whole, rows, waiting = [], 0, [plan[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if node.get("Relation Name") in TABLES or "Bitmap" in node["Node Type"]:
            dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            rows += round((node["Actual Rows"] + dropped) * node["Actual Loops"])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in TABLES:
            whole.append(node["Relation Name"])
    return whole, rows, plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]


def _literal(value: Any) -> str:  # noqa: ANN401 - a parameter of the query
    if isinstance(value, list):
        return "'{" + ",".join(str(one) for one in value) + "}'"
    return f"'{value}'"


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    ("owners", "since"),
    [
        pytest.param(BATCH, NOW - timedelta(days=30), id="a hundred owners"),
        pytest.param(BUSY, NOW - timedelta(hours=12), id="an owner of ten thousand timers"),
    ],
)
async def test_a_batch_reads_rows_of_its_owners_alone(
    million: asyncpg.Connection, owners: list[tuple[int, str, str]], since: datetime, mode: str
) -> None:
    whole, rows, blocks = await reading_of(million, asked(owners, since), mode)
    assert whole == []
    # Ten intervals, two days, one leave, two timers, a finding and a verdict, some of them twice.
    assert rows <= 60 * len(owners)
    assert blocks <= 200 * len(owners)


@pytest.mark.parametrize("index", ["timer_running_by_owner", "interval_by_end", "outcome_by_event"])
async def test_without_an_index_a_batch_reads_what_is_not_its_own(million: asyncpg.Connection, index: str) -> None:
    """The control."""
    schema = "public" if index.startswith("outcome") else "fold_v1"
    within = million.transaction()
    await within.start()
    try:
        await million.execute(f"DROP INDEX {schema}.{index}")
        values = asked(BUSY, NOW - timedelta(hours=12))
        whole, rows, blocks = await reading_of(million, values, "force_custom_plan")
    finally:
        await within.rollback()
    assert whole or rows > 60 or blocks > 200
