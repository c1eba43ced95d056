"""No index is kept for nothing: each one costs every press that writes it, and some query must read by it."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import asyncpg
import pytest

from deploy.local.settings import ROOT
from services.command_api.store.reports import TIMER_LEADS
from tests.support.stack.deployments import Deployment

pytestmark = pytest.mark.real

# Rows for the planner to choose by: owners of a tenant with a day of work behind them, and what is open and flagged.
FILL: Final = """
INSERT INTO timer
  (slot, id, tenant, owner, account_id, job_id, reference, billable, state, started_at, total_us, last_at, flags,
   started_by, source_offset)
SELECT n % 400, n, 'crowd-' || n % 4, 'owner-' || n % 400, 'A-' || n % 40, 'J-' || n % 50, 'crm/' || n, true,
       CASE WHEN n % 53 = 0 THEN 'RUNNING' ELSE 'STOPPED' END, timestamptz '2025-01-01Z' + n * interval '5 minutes', 0,
       now(), CASE WHEN n % 23 = 0 THEN ARRAY['R13'] ELSE '{}' END, gen_random_uuid(), n
  FROM generate_series(1, 5000) AS n;
INSERT INTO "interval" (slot, timer_id, seq, tenant, owner, start_at, end_at, zone)
SELECT slot, id, 1, tenant, owner, started_at,
       CASE WHEN state = 'STOPPED' THEN started_at + interval '1 minute' END, 'UTC'
  FROM timer;
INSERT INTO violation (slot, timer_id, rule, from_at, refused, tenant, owner, event_id)
SELECT slot, id, 'R' || 9 + id % 9, started_at, false, tenant, owner, started_by FROM timer;
INSERT INTO deadline (kpart, tenant, owner, due_at) SELECT slot % 12, tenant, 'o' || id, started_at FROM timer;
INSERT INTO outcome (kpart, source_offset, event_id, tenant, log_time, body)
SELECT slot % 12, id, started_by, tenant, started_at, '{}' FROM timer;
ANALYZE;
"""
# A statement that has a plan begins a line with one of these.
_PLANNED: Final = re.compile(r"^(SELECT|WITH|INSERT|UPDATE|DELETE|MERGE)\b", re.MULTILINE)
_PARAMETER: Final = re.compile(r"\$\d+")
INDEXES: Final = """
SELECT indexname FROM pg_indexes WHERE schemaname = 'fold_v1' OR tablename = 'outcome' AND schemaname = 'public'
"""


def queries() -> Iterator[str]:
    """Return every query of every service: a list of timers once for each way into it."""
    for path in sorted((ROOT / "services").rglob("*.sql")):
        sql = path.read_text(encoding="utf-8")
        if path.stem == "find_timers":
            yield from (sql.replace("AND true", f"AND {lead}") for lead in TIMER_LEADS.values())
        else:
            yield sql


@pytest.fixture
async def filled(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection to a database with rows to plan by."""
    settings = {"search_path": "fold_v1,public", "enable_seqscan": "off", "plan_cache_mode": "force_generic_plan"}
    conn = await asyncpg.connect(await deployment.fresh_database("index_uses"), server_settings=settings)
    await conn.execute(FILL)
    yield conn
    await conn.close()


async def unused(conn: asyncpg.Connection) -> set[str]:
    """Return the indexes that no query's plan reads by, and that tell no writer which row is meant."""
    read: set[str] = set()
    for sql in queries():
        if _PLANNED.search(sql):
            await conn.execute(f"PREPARE look AS {sql}")
            values = ", ".join(["NULL"] * len(set(_PARAMETER.findall(sql))))
            look = f"EXECUTE look({values})" if values else "EXECUTE look"
            read |= set(_indexes_in(json.loads(await conn.fetchval(f"EXPLAIN (FORMAT JSON) {look}"))))
            await conn.execute("DEALLOCATE look")
    return {row["indexname"] for row in await conn.fetch(INDEXES)} - read


def _indexes_in(plan: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(plan, list):
        for one in plan:
            yield from _indexes_in(one)
    elif isinstance(plan, dict):
        if "Index Name" in plan:
            yield plan["Index Name"]
        yield from plan.get("Conflict Arbiter Indexes", ())
        for value in plan.values():
            yield from _indexes_in(value)


async def test_each_index_is_read_by_some_query(filled: asyncpg.Connection) -> None:
    assert await unused(filled) == set()
    # The control: an index that nothing reads by is noticed.
    await filled.execute("CREATE INDEX timer_by_zone ON fold_v1.timer (tenant, work_date)")
    assert "timer_by_zone" in await unused(filled)
