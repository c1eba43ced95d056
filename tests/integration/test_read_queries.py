"""The API's reads find their rows by one index, whatever Postgres knew of its tables when it made the plan.

A session of the API's keeps a plan for minutes, while tables grow, and makes it for no owner in particular.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

import services.command_api.store as rooms
from services.command_api.store.database import Database, query, session_of
from services.command_api.store.reports import TIMER_LEADS
from tests.integration.plans import READS, SESSION
from tests.integration.young import KNOWN, TABLES, filled, nodes_of, planned
from tests.support.stack.deployments import Deployment

pytestmark = pytest.mark.real

LISTS: Final = {
    "tenant": "timer_by_tenant",
    "owner": "timer_by_owner",
    "job": "timer_by_job",
    "account": "timer_by_account",
    "reference": "timer_by_reference",
    "running": "timer_running_by_start",
    "paused": "timer_paused_by_start",
    "open_of_owner": "timer_open_of_owner",
    "flag": "timer_flagged",
}
# What is read beside: one row by its key, or a table of one row.
BESIDE: Final = {"timer_text_pkey", "person_pkey", "checkpoint_pkey"}
ONE_ROW: Final = {"deployment"}
# These read no table that grows with the presses.
OF_NO_PRESS: Final = {"find_client", "find_person", "find_token", "find_next_offsets", "find_partitions"}


def test_every_read_is_here() -> None:
    said = {path.stem for path in Path(str(rooms.__file__)).parent.glob("find_*.sql")}
    assert said == READS.keys() | OF_NO_PRESS | {"find_timers"}
    assert LISTS.keys() == TIMER_LEADS.keys()


def reads() -> dict[str, tuple[str, set[str]]]:
    """Return each read and its indexes, a list of timers once for each way into it."""
    lists = query("find_timers")
    leads = {name: lists.replace("AND true", f"AND {lead}") for name, lead in TIMER_LEADS.items()}
    return {name: (query(name), indexes) for name, indexes in READS.items()} | {
        f"find_timers by {name}": (sql, {LISTS[name]}) for name, sql in leads.items()
    }


@pytest.fixture(scope="module")
async def session(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    """Give a session of the API's, but for one that may write, on a database that only the test analyzes."""
    settings = SESSION | {"search_path": "fold_v1,public"}
    conn = await asyncpg.connect(await deployment.fresh_database("young_reads"), server_settings=settings)
    for table in TABLES:
        await conn.execute(f'ALTER TABLE "{table}" SET (autovacuum_enabled = off)')
    yield conn
    await conn.close()


def read_by(plan: dict[str, Any]) -> set[str]:
    """Return the indexes that a plan reads by, and the tables that it reads in whole."""
    nodes = list(nodes_of(plan))
    by = {node["Index Name"] for node in nodes if "Index Name" in node}
    return (by | {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}) - BESIDE - ONE_ROW


@pytest.mark.parametrize("known", KNOWN)
async def test_a_read_has_its_own_index_whatever_is_known(session: asyncpg.Connection, known: str) -> None:
    await filled(session, known)
    found = {name: read_by(await planned(session, sql)) for name, (sql, _) in reads().items()}
    assert found == {name: indexes for name, (_, indexes) in reads().items()}


async def test_a_session_of_another_mind_reads_by_other_indexes(session: asyncpg.Connection) -> None:
    """The control: the settings of the session are needed."""
    await filled(session, "empty")
    await session.execute("SET enable_sort = on; SET enable_seqscan = on")
    try:
        found = {name: read_by(await planned(session, sql)) for name, (sql, _) in reads().items()}
    finally:
        await session.execute("RESET enable_sort; RESET enable_seqscan")
    assert found != {name: indexes for name, (_, indexes) in reads().items()}


async def test_the_apis_sessions_are_set_so(deployment: Deployment) -> None:
    database = Database(deployment.dsn, connections_max=1, within_seconds=10)
    await database.open()
    try:
        rows = await database.rows("SELECT name, setting FROM pg_settings WHERE source = 'client'")
    finally:
        await database.close()
    assert session_of(writes=False).items() <= {(row["name"], row["setting"]) for row in rows}
