"""What a batch reads and writes is found by key, whatever Postgres knew of its tables when it made the plan.

A session plans a statement once, and keeps the plan while the tables grow. When they are empty, or no timer runs, to
read an index from end to end is the cheapest, and it is the dearest an hour later.
"""

import json
import re
from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import pytest
from pydantic import SecretStr

from services.projector.helpers.bulk import BESIDE_THE_FOLD, READ_MODELS
from services.projector.settings import Settings
from services.projector.store.postgres import session_of
from services.projector.store.queries import query
from services.projector.store.statement import statement_of
from tests.integration.million import NOW, asked
from tests.integration.plans import literal
from tests.integration.young import KNOWN, TABLES, fill, filled, nodes_of, planned
from tests.support.stack.deployments import Deployment

pytestmark = pytest.mark.real

# By which index a row may be looked for, and what of its key must be known.
KEYS: Final = {
    "timer_pkey": ("slot", "id"),
    "timer_open_of_owner": ("slot", "tenant", "state"),
    "interval_pkey": ("timer_id", "slot"),
    "interval_by_end": ("slot", "tenant", "owner", "end_at"),
    "day_total_pkey": ("slot", "tenant", "owner", "day"),
    "job_total_pkey": ("slot", "tenant", "owner", "job_id"),
    "work_total_pkey": ("tenant", "kind", "about", "day", "slot"),
    "violation_pkey": ("slot", "timer_id", "rule"),
    "owner_fact_pkey": ("slot", "tenant", "owner", "kind"),
    "deadline_pkey": ("kpart", "tenant", "owner"),
    "deadline_of_moment": ("kpart", "due_at <="),
    "outcome_of_event": ("event_id", "kpart"),
    "outcome_pkey": ("kpart", "source_offset"),
}
STATEMENTS: Final = {
    "commit": statement_of((*sorted(BESIDE_THE_FOLD), *READ_MODELS)),
    "read_touched": query("read_touched"),
    "find_running_owners": query("find_running_owners"),
    "find_due": query("find_due"),
    "prune_outcomes": query("prune_outcomes"),
}
NONE_RUNS: Final = "many, of which none runs"
RUNNING: Final = range(100_001, 110_001)


@pytest.fixture(scope="module")
async def session(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """Give a session of the projector's, on a database that only the test analyzes."""
    dsn = await deployment.fresh_database("young_tables")
    settings = Settings(postgres_dsn=SecretStr(dsn), kafka_bootstrap_servers=deployment.stack.kafka.address)
    conn = await asyncpg.connect(dsn, server_settings=session_of(settings))
    for table in TABLES:
        await conn.execute(f'ALTER TABLE "{table}" SET (autovacuum_enabled = off)')
    yield conn
    await conn.close()


def not_by_key(plan: dict[str, Any]) -> list[str]:
    """Return the reads of a plan that may meet rows of others: by another index, or by a part of its key."""
    found = []
    for node in nodes_of(plan):
        index, said = node.get("Index Name"), node.get("Index Cond", "")
        of_key = index in KEYS and all(column in said for column in KEYS[index])
        is_read = "Index Name" in node or node["Node Type"] == "Seq Scan"
        if is_read and node.get("Relation Name") != "checkpoint" and not of_key:
            found.append(f"{node.get('Relation Name')} by {index}: {said}")
    return found


@pytest.fixture(scope="module", params=KNOWN)
async def knowing(session: asyncpg.Connection, request: pytest.FixtureRequest) -> asyncpg.Connection:
    """Give the session on tables of each case, filled once for all statements."""
    await filled(session, request.param)
    return session


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_row_is_looked_for_by_its_key_whatever_is_known(knowing: asyncpg.Connection, name: str) -> None:
    plan = await planned(knowing, STATEMENTS[name])
    assert any(node.get("Index Name") in KEYS for node in nodes_of(plan))
    assert not_by_key(plan) == []


@pytest.mark.parametrize("name", ["commit", "read_touched", "prune_outcomes"])
async def test_a_key_that_is_no_row_is_not_looked_for_by(session: asyncpg.Connection, name: str) -> None:
    """The control: the same with equal columns, which Postgres may join in any way it likes."""
    row = r"(\([\w., ]+\))"
    sql = re.sub(rf"{row}\s+BETWEEN {row} AND \2", r"\1 = \2", STATEMENTS[name])
    await filled(session, "empty")
    assert not_by_key(await planned(session, sql))


async def touched(conn: asyncpg.Connection) -> int:
    """Return how many rows are read for 24 owners of those who run."""
    owners = [(n % 4096, "acme", f"o{n}") for n in RUNNING[5:29]]
    said = ", ".join(literal(value) for value in asked(owners, NOW))
    [told] = json.loads(await conn.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({said})"))
    return sum(
        round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes_of(told["Plan"])
        if "Relation Name" in node
    )


async def test_a_plan_from_before_anybody_ran_reads_rows_of_its_owners_alone(session: asyncpg.Connection) -> None:
    """A night without a timer, and a morning on which ten thousand begin. Postgres looks at the table days later."""
    await filled(session, NONE_RUNS)
    await planned(session, STATEMENTS["read_touched"])
    await fill(session, RUNNING, "RUNNING")
    assert 24 <= await touched(session) <= 24 * 20


async def test_a_session_that_sorts_reads_rows_of_everybody_who_runs(session: asyncpg.Connection) -> None:
    """The control of the session's settings."""
    await filled(session, NONE_RUNS)
    await session.execute("SET enable_sort = on")
    try:
        await planned(session, STATEMENTS["read_touched"])
    finally:
        await session.execute("RESET enable_sort")
    await fill(session, RUNNING, "RUNNING")
    assert await touched(session) > len(RUNNING)
