"""Rebuild: the read models filled anew beside the live ones, compared, and switched while people press."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import httpx2 as httpx
import pytest
from pydantic import SecretStr

from deploy.local.settings import ROOT
from services.projector.rebuild import command
from services.projector.rebuild.command import RebuildSettings
from services.projector.rebuild.messages import RebuildError
from services.projector.rebuild.schema import UNFINISHED
from services.stint_cli.store import query as lock_of
from tests.integration.taken_back import an_end_taken_back
from tests.support.proof.tables import FOLD, dump
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.patient import Patient
from tests.support.stack.terminals import Terminal
from tests.support.stack.traffic import traffic
from tests.support.stack.waits import drained

# A void tick of another test's timer may move a checkpoint at any time.
ROWS = tuple(table for table in FOLD if table != "checkpoint")
STAGES = ("fill", "index", "compare", "switch")
# What a table is but its rows, and which of them the views read.
LAYOUT = """
SELECT string_agg(line, E'\n' ORDER BY line) FROM (
    SELECT 'index ' || pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indrelid
     WHERE relnamespace = 'fold_v1'::regnamespace
     UNION ALL
    SELECT 'key ' || conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint
     WHERE connamespace = 'fold_v1'::regnamespace
     UNION ALL
    SELECT 'column ' || format('%s %s %s %s', attrelid::regclass, attnum, attname, atttypid::regtype)
           || attnotnull || coalesce(pg_get_expr(adbin, adrelid), '')
      FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE relnamespace = 'fold_v1'::regnamespace AND relkind = 'r' AND attnum > 0
     UNION ALL
    SELECT 'options ' || relname || reloptions::text || relacl::text FROM pg_class
     WHERE relnamespace = 'fold_v1'::regnamespace AND relkind = 'r' AND (reloptions IS NOT NULL OR relacl IS NOT NULL)
     UNION ALL
    SELECT 'view ' || viewname || definition FROM pg_views WHERE schemaname = 'public'
) AS all_of_it (line)
"""
# Those that are made when the tables are full. The others stand with the keys.
INDEXES = """
SELECT coalesce(array_agg(indexrelid::bigint), '{}') FROM pg_index JOIN pg_class c ON c.oid = indrelid
 WHERE relnamespace = 'fold_v2'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
# It holds its checkpoint from its first statement on.
COMMIT = "UPDATE checkpoint SET next_offset = next_offset WHERE kpart = 3"
MADE = "SELECT 'fold_v1.timer'::regclass::oid"
SCHEMAS = "SELECT array_agg(nspname::text ORDER BY nspname) FROM pg_namespace WHERE nspname LIKE 'fold%'"


async def test_people_press_on_while_the_read_models_are_rebuilt_and_switched(
    client: Callable[..., httpx.AsyncClient],
    crew: Crew,
    deployment: Deployment,
    tenant: Tenant,
    terminal: Terminal,
) -> None:
    """No press is lost or counts twice, and the projectors need not be told."""
    await crew.be(apis=1, projectors=1)
    patient = Patient(client(), tenant.token)
    await deployment.pool.execute("CREATE VIEW public.report AS SELECT count(*) FROM fold_v1.timer")
    await deployment.pool.execute("GRANT SELECT ON fold_v1.timer TO PUBLIC")
    layout, made = await deployment.pool.fetchval(LAYOUT), await deployment.pool.fetchval(MADE)
    async with traffic([patient], tenant, workers=4) as load:
        told = await terminal.json("rebuild", "--keep-old")
        assert told["outcomes"] > 0
        assert told == {
            "switched": True,
            "schema": "fold_v1",
            "kept": "fold_v1_old",
            "outcomes": told["outcomes"],
            "differences": [],
        }
        await load.goes_on(5)
    await load.is_whole(deployment, patient)
    assert await deployment.pool.fetchval(LAYOUT) == layout
    assert await deployment.pool.fetchval(MADE) != made
    # The old tables are as they were, and nothing was written into them after the switch.
    assert await deployment.pool.fetchval("SELECT 'fold_v1_old.timer'::regclass::oid") == made
    newer = "SELECT count(*) FROM timer WHERE NOT EXISTS (SELECT FROM fold_v1_old.timer o WHERE o.id = timer.id)"
    assert await deployment.pool.fetchval(newer) > 0

    status, out, err = await terminal.run("rebuild")
    assert (status, out) == (1, "")
    assert "DROP SCHEMA fold_v1_old CASCADE" in err
    await deployment.pool.execute("DROP SCHEMA fold_v1_old CASCADE; DROP VIEW public.report")


async def test_a_rebuild_that_is_killed_anywhere_goes_on_where_it_was(
    api: Api, deployment: Deployment, owner: str, terminal: Terminal
) -> None:
    await api.press("stop", (await api.start(owner, job_id="j-1")).json()["id"])
    await an_end_taken_back(api, deployment, owner)
    await drained(deployment)
    before, made = await dump(deployment.dsn, ROWS), await deployment.pool.fetchval(MADE)
    filled, indexes = 0, set[int]()
    for stage in STAGES:
        async with rebuilding(deployment, *([] if stage == "fill" else ["--resume"])) as (process, lines):
            line: Mapping[str, Any] = {}
            async for line in lines:
                # It went on, and did not begin anew.
                assert line["stage"] != "fill" or line["done"] >= filled
                # Something is filled, and the first index stands when the second is begun.
                if line["stage"] == stage and (stage not in {"fill", "index"} or line["done"] > 0):
                    break
            process.kill()
            await process.wait()
        if stage == "fill":
            filled = line["done"]
            assert filled > 0
        elif stage != "switch":
            assert await deployment.pool.fetchval(MADE) == made
            # Whole indexes stay, and are not made anew.
            stand = set(await deployment.pool.fetchval(INDEXES))
            assert stand
            assert stand >= indexes
            indexes = stand
    told = await terminal.json("rebuild", "--resume")
    # The last kill may have come when all was committed.
    assert told["switched"] or told["nothing_to_resume"]
    assert await deployment.pool.fetchval(MADE) != made
    assert await deployment.pool.fetchval(SCHEMAS) == ["fold_v1"]
    await drained(deployment)
    assert await dump(deployment.dsn, ROWS) == before
    told = await terminal.json("rebuild", "--resume")
    assert (told["switched"], told["nothing_to_resume"]) == (False, True)


async def test_one_rebuild_runs_at_a_time(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one waits a moment for the session of one that was killed, and gives up while the other lives."""
    settings = RebuildSettings(
        kafka_bootstrap_servers=deployment.stack.kafka.address, postgres_dsn=SecretStr(deployment.dsn)
    )
    monkeypatch.setattr(command, "_LOCK_WITHIN_SECONDS", 0.3)
    async with command._locked(settings) as lock:
        with pytest.raises(RebuildError, match="Another rebuild is running"):
            async with command._locked(settings):
                pytest.fail("two rebuilds have the lock")
        monkeypatch.setattr(command, "_LOCK_WITHIN_SECONDS", 30)
        asyncio.get_running_loop().call_later(0.1, lock.terminate)
        async with command._locked(settings):
            assert lock.is_closed()


@pytest.mark.usefixtures("terminal")
async def test_an_interrupted_rebuild_says_how_to_go_on(api: Api, deployment: Deployment, owner: str) -> None:
    assert (await api.start(owner)).status_code == 201
    async with deployment.pool.acquire() as reader, reader.transaction():
        # A reader that takes its time keeps the switch waiting, so that the signal does not come too late.
        await reader.execute("LOCK TABLE fold_v1.timer IN ACCESS SHARE MODE")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.stint_cli", "rebuild"),
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
            # Tests that run in the background of a shell would pass on that they ignore the signal.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        assert process.stderr is not None
        assert (await process.stderr.readline()).startswith(b"Filling, outcomes: ")
        process.send_signal(signal.SIGINT)
        said = (await process.stderr.read()).decode().splitlines()
    assert said[-1] == "stint: Interrupted. What is filled stays: `stint rebuild --resume` goes on there."
    assert await process.wait() == 1
    assert await deployment.pool.fetchval(SCHEMAS) == ["fold_v1", "fold_v2"]
    await deployment.pool.execute("DROP SCHEMA fold_v2 CASCADE")


async def test_a_wrong_row_is_found_and_the_rebuilt_one_is_right(
    api: Api, deployment: Deployment, owner: str, terminal: Terminal
) -> None:
    """What no outcome says is taken over: deadlines that a look moved, and how far the clock has come."""
    timer = (await api.start(owner)).json()
    await api.press("stop", timer["id"])
    await drained(deployment)
    moved = (
        "INSERT INTO fold_v1.deadline SELECT 3, tenant, $1, '2099-01-01' FROM unnest('{a,b,c}'::text[]) AS u (tenant)"
    )
    await deployment.pool.execute(moved, owner)
    # The clock moves the marks of its own partitions at any time.
    await deployment.pool.execute("INSERT INTO fold_v1.policy_looked VALUES (999, 7)")
    before, made = await dump(deployment.dsn, ROWS), await deployment.pool.fetchval(MADE)
    await deployment.pool.execute("UPDATE fold_v1.day_total SET total_us = total_us + 1 WHERE owner = $1", owner)
    gone = "DELETE FROM fold_v1.timer_history WHERE timer_id = $1 AND by = 'press'"
    await deployment.pool.execute(gone, int(timer["timelog_id"]))

    told = await terminal.json("rebuild", status=1)
    assert (told["switched"], told["schema"]) == (False, "fold_v2")
    [day, history] = told["differences"]
    assert (day["table"], day["count"], history["table"], history["count"]) == ("day_total", 1, "timer_history", 2)
    [row] = day["rows"]
    assert row["live"] == row["rebuilt"] | {"total_us": row["rebuilt"]["total_us"] + 1}
    assert [one["live"] for one in history["rows"]] == [None, None]
    assert await deployment.pool.fetchval(MADE) == made

    # Of two deadlines the earlier one counts.
    told_by_outcomes = f"VALUES (3, 'a', '{owner}', '2098-01-01'), (3, 'b', '{owner}', '2100-01-01')"
    await deployment.pool.execute(f"INSERT INTO fold_v2.deadline {told_by_outcomes}")
    status, out, _ = await terminal.run("rebuild", "--resume", "--despite-differences")
    assert status == 0
    assert "day_total: 1 rows differ." in out
    assert await dump(deployment.dsn, ROWS) == before
    gone = "DELETE FROM fold_v1.deadline WHERE owner = $1 RETURNING tenant, extract(year FROM due_at)::integer"
    assert [tuple(row) for row in await deployment.pool.fetch(gone, owner)] == [("a", 2098), ("b", 2099), ("c", 2099)]
    gone = "DELETE FROM fold_v1.policy_looked WHERE (kpart, revision) = (999, 7)"
    assert await deployment.pool.execute(gone) == "DELETE 1"


@pytest.mark.parametrize("under_way", [COMMIT, lock_of("lock_migrations")], ids=["a commit", "a migration"])
async def test_the_switch_waits_for_what_is_under_way(
    api: Api, deployment: Deployment, owner: str, under_way: str
) -> None:
    """Half of a commit must not come into the new tables, nor what a migration does into the old ones.

    With --keep-old, because to drop the old tables would wait for a commit too.
    """
    assert (await api.start(owner)).status_code == 201
    await drained(deployment)
    made = await deployment.pool.fetchval(MADE)
    # An unfinished rebuild of before is begun anew without --resume.
    await deployment.pool.execute(f"CREATE SCHEMA fold_v2; COMMENT ON SCHEMA fold_v2 IS '{UNFINISHED}'")
    conn = await asyncpg.connect(deployment.dsn, server_settings={"search_path": "fold_v1,public"})
    async with rebuilding(deployment, "--keep-old") as (process, lines):
        async with conn.transaction():
            await conn.execute(under_way)
            async for line in lines:
                if line["stage"] == "switch":
                    break
            # Longer than one try of the switch.
            await asyncio.sleep(0.8)
            assert await conn.fetchval("SELECT 'timer'::regclass::oid") == made
            assert process.returncode is None
        assert await process.wait() == 0
    # The same session finds the new tables under the old name.
    assert await conn.fetchval("SELECT 'timer'::regclass::oid") != made
    await conn.close()
    await deployment.pool.execute("DROP SCHEMA fold_v1_old CASCADE")


async def test_rights_that_were_given_while_tables_were_filled_hold_after_the_switch(
    api: Api, deployment: Deployment, owner: str
) -> None:
    """An operator makes the roles of the services, and runs `stint migrate`, while a rebuild goes on for hours."""
    assert (await api.start(owner)).status_code == 201
    async with rebuilding(deployment) as (process, lines), deployment.pool.acquire() as conn:
        async with conn.transaction():
            # A reader that takes its time keeps the switch waiting.
            await conn.execute("LOCK TABLE fold_v1.timer IN ACCESS SHARE MODE")
            async for line in lines:
                if line["stage"] == "switch":
                    break
            await deployment.pool.execute("GRANT SELECT ON fold_v1.timer TO stint_feed")
        assert await process.wait() == 0
    assert await deployment.pool.fetchval("SELECT has_table_privilege('stint_feed', 'fold_v1.timer', 'SELECT')")
    await deployment.pool.execute("REVOKE SELECT ON fold_v1.timer FROM stint_feed")


async def test_a_schema_that_no_rebuild_made_is_left_alone(deployment: Deployment, terminal: Terminal) -> None:
    """Its name is any that a schema may have."""
    await deployment.pool.execute("CREATE SCHEMA shadow")
    status, out, err = await terminal.run("rebuild", "--schema", "shadow")
    assert (status, out, err) == (
        1,
        "",
        "stint: shadow is there, and no rebuild made it. Give another name with --schema.\n",
    )
    await deployment.pool.execute("DROP SCHEMA shadow")


@asynccontextmanager
async def rebuilding(
    deployment: Deployment, *asked: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, AsyncIterator[Mapping[str, Any]]]]:
    """Start the program behind `stint rebuild`, and give it with its lines of progress."""
    settings = {
        "PROJECTOR_KAFKA_BOOTSTRAP_SERVERS": deployment.stack.kafka.address,
        "PROJECTOR_POSTGRES_DSN": deployment.dsn,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projector", "rebuild", *asked),
        cwd=ROOT,
        env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE,
    )

    async def lines() -> AsyncIterator[Mapping[str, Any]]:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            said = json.loads(line)
            assert "failed" not in said, said
            if "stage" in said:
                yield said

    try:
        yield process, lines()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
