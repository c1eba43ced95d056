"""The API's frequent queries use an index, also in a generic plan that knows no values."""

import re
from itertools import pairwise

import pytest

from services.command_api.store.database import query
from tests.support.stack.deployments import Deployment

# A tenant of a thousand owners, three open timers each, on twelve partitions. The transaction is rolled back.
CROWD = """
INSERT INTO timer
  (slot, id, tenant, owner, billable, state, started_at, total_us, last_at, flags, started_by, source_offset)
SELECT n % 1000, n, 'crowd', 'owner-' || n % 1000, true, 'RUNNING', now(), 0, now(), '{}', gen_random_uuid(), n
  FROM generate_series(1, 3000) AS n;
INSERT INTO "interval" (slot, timer_id, seq, tenant, owner, start_at, zone)
SELECT n % 1000, n, 1, 'crowd', 'owner-' || n % 1000, now(), 'UTC' FROM generate_series(1, 3000) AS n;
INSERT INTO outcome (kpart, source_offset, event_id, tenant, log_time, body)
SELECT n % 12, 1000000 + n, gen_random_uuid(), 'crowd', now(), '{}' FROM generate_series(1, 3000) AS n;
INSERT INTO owner_fact (slot, tenant, owner, kind, about, body, known_at)
SELECT n % 1000, 'crowd', 'owner-' || n % 1000, 'estimate', 'job-' || n, '{}', now() FROM generate_series(1, 3000) AS n;
ANALYZE fold_v1.owner_fact; ANALYZE fold_v1.timer; ANALYZE fold_v1.interval; ANALYZE outcome;
"""


async def plan_of(deployment: Deployment, sql: str) -> list[str]:
    """Return the generic plan of a query, line by line."""
    values = ", ".join(["NULL"] * len(set(re.findall(r"\$[0-9]", sql))))
    async with deployment.pool.acquire() as conn:
        crowded = conn.transaction()
        await crowded.start()
        try:
            await conn.execute(CROWD)
            await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            await conn.execute(f"PREPARE look AS {sql}")
            plan = [row[0].strip() for row in await conn.fetch(f"EXPLAIN EXECUTE look({values})")]
            await conn.execute("DEALLOCATE look")
        finally:
            await crowded.rollback()
    return plan


def conditions_on(plan: list[str], index: str) -> list[str]:
    """Return the index conditions of a plan."""
    return [after for line, after in pairwise(plan) if f"using {index}" in line or f"on {index}" in line]


@pytest.mark.parametrize(
    ("name", "index", "condition"),
    [
        ("find_outcome", "outcome_of_event", "((event_id = $2) AND (kpart = $3))"),
        ("find_outcome_anywhere", "outcome_of_event", "(event_id = $2)"),
        ("find_open_timers", "timer_open_by_tenant", "(tenant = $1)"),
        ("find_open_timers_of_owner", "timer_open_of_owner", "((slot = $4) AND (tenant = $1) AND (owner = $5))"),
        ("find_owner", "owner_fact_pkey", "((slot = $1) AND (tenant = $2) AND (owner = $3))"),
        ("find_timer", "timer_pkey", "((slot = $1) AND (id = $2))"),
        ("find_running_timer", "timer_open_of_owner", "AND (owner = $3) AND (state = 'RUNNING'::text))"),
    ],
)
async def test_a_read_begins_at_an_index(deployment: Deployment, name: str, index: str, condition: str) -> None:
    plan = await plan_of(deployment, query(name))
    assert [said for said in conditions_on(plan, index) if condition in said], "\n".join(plan)


async def test_an_optional_condition_uses_no_index(deployment: Deployment) -> None:
    """The control: one query with an optional condition, instead of two queries."""
    sql = query("find_outcome").replace("kpart = $3", "($3::integer IS NULL OR kpart = $3)")
    plan = await plan_of(deployment, sql)
    assert not [said for said in conditions_on(plan, "outcome_of_event") if "kpart" in said], "\n".join(plan)
