"""A database with a million timers, filled by SQL, and what a read of it touches.

The tables are filled without their secondary indexes; those are made afterwards from their own definitions.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import asyncpg

from tests.integration.plans import literal
from tests.support.stack.deployments import Deployment

TIMERS: Final = 1_000_000
OWNERS: Final = 100_000  # ten timers each, one of which runs
BUSY_TIMERS: Final = 10_000
# One timer of "busy" has a history of ten thousand lines.
PRESSED_OFTEN: Final = TIMERS + 9
PRESSES: Final = 10_000
# Thirty days of one job, on which owners of every slot have worked.
JOB_DAYS: Final = 30
NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
TABLES: Final = (
    "timer",
    "interval",
    "day_total",
    "job_total",
    "violation",
    "owner_fact",
    "outcome",
    "timer_history",
    "timer_text",
    "work_total",
)
# Owner n has slot n % 4096. "busy" has a slot of its own and timers of years: three run, the others are paused. One of
# ten timers is late, and one has another flag: the first of "o5". One of "busy" has a job that is rare, and ten of its
# intervals are long.
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
       (slot, id, tenant, owner, job_id, billable, state,
        started_at, total_us, last_at, flags, started_by, source_offset)
SELECT slot, id, 'acme', owner, CASE WHEN kind = 'busy' THEN CASE nth WHEN 9999 THEN 'rare' ELSE 'often' END END, true,
       CASE WHEN runs THEN 'RUNNING' WHEN kind = 'busy' THEN 'PAUSED' ELSE 'STOPPED' END, at, 0, at,
       (CASE WHEN owner = 'o5' AND nth = 9 THEN '{{R13}}' WHEN id % 10 = 7 THEN '{{late}}' ELSE '{{}}' END)::text[],
       '00000000-0000-0000-0000-000000000001', id
  FROM worked;
INSERT INTO timer_text (slot, timer_id, event_id, tenant, owner, comment)
SELECT slot, id, '00000000-0000-0000-0000-000000000001', 'acme', owner, 'roof'
  FROM worked WHERE nth < 1 OR kind = 'busy';
INSERT INTO fold_v1.interval (slot, timer_id, seq, tenant, owner, start_at, end_at, zone)
SELECT slot, id, 1, 'acme', owner, at,
       CASE WHEN NOT runs THEN at + CASE WHEN nth % 1000 = 999 THEN interval '10 days' ELSE interval '1 hour' END END,
       'UTC'
  FROM worked;
INSERT INTO fold_v1.day_total (slot, tenant, owner, day, total_us, billable_us)
SELECT slot, 'acme', owner, (timestamptz '2026-03-02 09:00Z' - nth * interval '1 day')::date, 1, 1
  FROM worked WHERE nth < 2 OR kind = 'busy' AND nth < 3650;
INSERT INTO fold_v1.work_total (slot, tenant, kind, about, day, total_us, billable_us, changed_after_lock)
SELECT slot, 'acme', 'job', 'roof', date '2026-03-02' - ago, 1, 1, false
  FROM generate_series(0, 4095) slot, generate_series(0, {JOB_DAYS} - 1) ago;
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
INSERT INTO fold_v1.timer_history (slot, timer_id, source_offset, by, at, told)
SELECT slot, id, id, 'press', at, '{{}}' FROM worked WHERE nth < 1
 UNION ALL
SELECT 77, {PRESSED_OFTEN}, n, 'press', timestamptz '2026-03-02 09:00Z', '{{}}' FROM generate_series(1, {PRESSES}) n;
"""


async def filled(deployment: Deployment) -> asyncpg.Connection:
    """Return a connection to a fresh database that is filled and analyzed."""
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
    return conn


Reading = tuple[list[str], int, int]


async def reading_of(conn: asyncpg.Connection, sql: str, values: Sequence[object], mode: str) -> Reading:
    """Run a read. Return what it scans in whole, how many rows it touched, and how many blocks."""
    [reading] = await readings_of(conn, sql, values, mode, 1)
    return reading


async def readings_of(
    conn: asyncpg.Connection, sql: str, values: Sequence[object], mode: str, times: int
) -> list[Reading]:
    """Run a read several times, as one statement of a session, and return the same of each time."""
    await conn.execute(f"SET plan_cache_mode = {mode}")
    await conn.execute(f"PREPARE touched AS {sql}")
    said = ", ".join(literal(value) for value in values)
    try:
        asked = [
            json.loads(await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE touched({said})"))
            for _ in range(times)
        ]
    finally:
        await conn.execute("DEALLOCATE touched")
    return [_reading_in(plan) for [plan] in asked]


def _reading_in(explained: dict[str, Any]) -> Reading:
    top = explained["Plan"]
    whole, rows, waiting = [], 0, [top]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if node.get("Relation Name") in TABLES or "Bitmap" in node["Node Type"]:
            dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            rows += round((node["Actual Rows"] + dropped) * node["Actual Loops"])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in TABLES:
            whole.append(node["Relation Name"])
    return whole, rows, top["Shared Hit Blocks"] + top["Shared Read Blocks"]


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
