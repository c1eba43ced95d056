"""Commands that are cut off, on real parts: the line says which part failed, and that the work may have been done."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest

from deploy.local.settings import ROOT
from services.stint_cli import database
from services.stint_cli.brokers import kafka_answers
from services.stint_cli.database import connected
from services.stint_cli.trouble import Trouble
from tests.support.stack.deployments import Deployment
from tests.support.stack.terminals import Terminal
from tests.support.stack.until import eventually


@asynccontextmanager
async def locked(deployment: Deployment, table: str) -> AsyncIterator[None]:
    """Lock a table, so that nobody can read it."""
    async with connected(deployment.dsn) as conn, conn.transaction():
        await conn.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


async def test_a_command_that_postgres_does_not_answer_ends_and_says_so(
    deployment: Deployment, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with locked(deployment, "tenant"):
        with monkeypatch.context() as patched:
            patched.setattr(database, "_ANSWER_SECONDS", 0.5)
            status, out, err = await terminal.run("tenants", "list")
        # The control: with its usual patience it waits for the lock.
        waits = asyncio.create_task(terminal.run("tenants", "list"))
        assert not (await asyncio.wait({waits}, timeout=2))[0]
    assert (await waits)[0] == 0
    assert (status, out) == (1, "")
    assert err.startswith("stint: Postgres did not answer in time. What was asked for may have been done: look,")


async def waiting_for_a_lock(deployment: Deployment, statement: str) -> int:
    """Return the process of Postgres in which this statement waits for a lock, once it does."""
    sql = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position($1 IN query) > 0"
    found: list[int] = []

    async def waits() -> bool:
        found[:] = [row["pid"] for row in await deployment.pool.fetch(sql, statement)]
        return len(found) == 1

    await eventually(waits, f"{statement} waits", 60)
    return found[0]


async def test_a_command_whose_connection_is_cut_says_that_its_work_may_be_done(
    deployment: Deployment, terminal: Terminal
) -> None:
    tenant = await deployment.tenant()
    async with locked(deployment, "person"):
        command = asyncio.create_task(terminal.run("persons", "add", tenant.name, "dana"))
        pid = await waiting_for_a_lock(deployment, "INSERT INTO person")
        await deployment.pool.fetchval("SELECT pg_terminate_backend($1)", pid)
        status, out, err = await command
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("stint: The connection to Postgres was lost (")
    assert err.endswith("). What was asked for may have been done: look, or run it again.\n")


async def test_an_interrupted_command_ends_with_130_and_says_that_its_work_may_be_done(
    deployment: Deployment, terminal: Terminal
) -> None:
    """As a shell starts it, because a signal reaches the main thread of a process alone."""
    tenant = await deployment.tenant()
    argv = ("-m", "services.stint_cli", "persons", "add", tenant.name, "dana")
    async with locked(deployment, "person"):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *argv),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Tests that run in the background of a shell would pass on that they ignore the signal.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        try:
            await waiting_for_a_lock(deployment, "INSERT INTO person")
            process.send_signal(signal.SIGINT)
            out, err = await asyncio.wait_for(process.communicate(), 60)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
    said = "stint: interrupted. What was asked for may have been done: look, or run it again.\n"
    assert (process.returncode, out.decode(), err.decode()) == (130, "", said)
    assert await terminal.json("persons", "list", tenant.name) == []


@pytest.mark.parametrize("table", ["schema_migration", pytest.param("dead_letter", id="after Kafka was asked")])
async def test_the_doctor_says_that_postgres_does_not_answer(
    deployment: Deployment, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(database, "_ANSWER_SECONDS", 0.5)
    async with locked(deployment, table):
        status, out, _ = await terminal.run("doctor", "--json")
    unwell = [one for one in json.loads(out)["checks"] if not one["ok"] and one["check"] in {"postgres", "kafka"}]
    assert [one["found"] for one in unwell] == ["Postgres takes connections, and does not answer a query in time"]
    assert status == 1


async def test_what_kafka_does_not_answer_in_time_is_told_of_kafka() -> None:
    with pytest.raises(Trouble, match="Kafka did not answer within 0 s"):
        async with kafka_answers(0.01):
            await asyncio.Event().wait()
