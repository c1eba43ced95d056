"""Young tables: few rows or many, and a Postgres that has looked at them or not; and the plan that it then makes."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import asyncpg

# Rows $1 to $2 of each table in which a batch looks for a row, of an owner each; $3 is the state of its timer.
FILL: Final = """
CREATE TEMP TABLE filled AS
SELECT n AS id, n % 4096 AS slot, n % 12 AS kpart, 'acme' AS tenant, 'o' || n AS owner, 'j' || n AS job_id,
       timestamptz '2026-03-01 09:00Z' AS at, date '2026-03-01' AS day, gen_random_uuid() AS event_id
  FROM generate_series($1, $2) AS n;
INSERT INTO timer
  (slot, id, tenant, owner, billable, state, started_at, total_us, last_at, flags, started_by, source_offset)
SELECT slot, id, tenant, owner, true, $3, at, 0, at, '{}', event_id, id FROM filled;
INSERT INTO "interval" (slot, timer_id, seq, tenant, owner, start_at, end_at, zone)
SELECT slot, id, 1, tenant, owner, at, CASE WHEN $3 = 'STOPPED' THEN at END, 'UTC' FROM filled;
INSERT INTO day_total (slot, tenant, owner, day, total_us, billable_us)
SELECT slot, tenant, owner, day, 1, 1 FROM filled;
INSERT INTO job_total (slot, tenant, owner, job_id, total_us) SELECT slot, tenant, owner, job_id, 1 FROM filled;
INSERT INTO work_total (slot, tenant, kind, about, day, total_us, billable_us, changed_after_lock)
SELECT slot, tenant, 'job', job_id, day, 1, 1, false FROM filled;
INSERT INTO violation (slot, timer_id, rule, from_at, refused, tenant, owner, event_id)
SELECT slot, id, 'R11', at, false, tenant, owner, event_id FROM filled;
INSERT INTO owner_fact (slot, tenant, owner, kind, about, body)
SELECT slot, tenant, owner, 'leave', day::text, '{}' FROM filled;
INSERT INTO deadline (kpart, tenant, owner, due_at) SELECT kpart, tenant, owner, at FROM filled;
INSERT INTO outcome (kpart, source_offset, event_id, tenant, log_time, body)
SELECT kpart, id, event_id, tenant, at, '{}' FROM filled;
DROP TABLE filled;
"""


TABLES: Final = (
    "timer",
    "interval",
    "day_total",
    "job_total",
    "work_total",
    "violation",
    "owner_fact",
    "deadline",
    "outcome",
)


# How many rows there are, in which state their timers are, and whether Postgres has looked.
KNOWN: Final = {
    "new": (0, "STOPPED", False),
    "many, never looked at": (20_000, "STOPPED", False),
    "empty": (0, "STOPPED", True),
    "one": (1, "STOPPED", True),
    "some": (300, "STOPPED", True),
    "many, of which none runs": (20_000, "STOPPED", True),
    "many, which all run": (20_000, "RUNNING", True),
}


async def fill(conn: asyncpg.Connection, ids: range, state: str) -> None:
    said = FILL.replace("$1", str(ids.start)).replace("$2", str(ids.stop - 1)).replace("$3", f"'{state}'")
    await conn.execute(said)


async def filled(conn: asyncpg.Connection, known: str) -> None:
    """Have the tables as they are in this case, and have Postgres know of them what it would."""
    rows, state, looked_at = KNOWN[known]
    for table in TABLES:
        await conn.execute(f'TRUNCATE "{table}"')
    await fill(conn, range(1, rows + 1), state)
    if looked_at:
        await conn.execute("ANALYZE")


async def planned(conn: asyncpg.Connection, sql: str) -> dict[str, Any]:
    """Prepare a statement as `asked`, and return the plan that the session keeps."""
    if await conn.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name = 'asked'"):
        await conn.execute("DEALLOCATE asked")
    await conn.execute(f"PREPARE asked AS {sql}")
    values = ", ".join(["NULL"] * max(int(number) for number in re.findall(r"\$(\d+)", sql)))
    [told] = json.loads(await conn.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked({values})"))
    plan: dict[str, Any] = told["Plan"]
    return plan


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)
