"""The operator's commands, on real parts: they may run again at any time, also two at once, and say what is wrong."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from deploy.local.settings import ROOT
from services.command_api.store.database import query as api_query
from services.stint_cli import database
from services.stint_cli.brokers import Brokers, kafka_answers
from services.stint_cli.database import connected
from services.stint_cli.deployment.migrate import migrate, read_migrations
from services.stint_cli.deployment.partitions import record_partitions
from services.stint_cli.deployment.topics import check_topics, ensure_topics
from services.stint_cli.env_file import read_env
from services.stint_cli.policies import ensure_first_policy, publish_policy, read_policies
from services.stint_cli.setup.demo import ADMIN, CLIENT, Demo, make_demo, make_demo_policy
from services.stint_cli.tenants import create_client, create_tenant
from services.stint_cli.trouble import Trouble
from shared.events.policy import Policy, Preset
from shared.events.topics import topics
from shared.identity import read_token, token_sha256, verify_secret
from tests.support.stack.deployments import PARTITIONS, TOKEN_KEY, Deployment
from tests.support.stack.terminals import Terminal
from tests.support.stack.until import eventually

NOW = datetime.now(UTC)


@asynccontextmanager
async def locked(deployment: Deployment, table: str) -> AsyncIterator[None]:
    """Lock a table, so that nobody can read it."""
    async with connected(deployment.dsn) as conn, conn.transaction():
        await conn.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


async def empty_database(deployment: Deployment, name: str) -> str:
    """Make a database without any migration."""
    async with connected(deployment.stack.postgres.superuser_dsn) as conn:
        await conn.execute(f'CREATE DATABASE "{name}" OWNER stint')
    return f"{deployment.dsn.rpartition('/')[0]}/{name}"


async def test_two_migrations_at_once_apply_each_file_once(deployment: Deployment) -> None:
    dsn = await empty_database(deployment, "migrated_twice")

    async def run() -> list[str]:
        async with connected(dsn) as conn:
            return [migration.name for migration in await migrate(conn)]

    one, other = await asyncio.gather(run(), run())
    assert sorted(one + other) == [migration.name for migration in read_migrations()]
    assert await run() == []


async def test_a_migration_that_fails_leaves_nothing_of_itself(deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE good (x int);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE half (x int); SELECT 1/0;")
    async with connected(await empty_database(deployment, "migrated_badly")) as conn:
        with pytest.raises(Trouble, match=r"0002_bad\.sql failed and was rolled back: division by zero"):
            await migrate(conn, tmp_path)
        assert await conn.fetchval("SELECT to_regclass('good') IS NOT NULL AND to_regclass('half') IS NULL")
        (tmp_path / "0002_bad.sql").write_text("CREATE TABLE whole (x int);")
        assert [migration.version for migration in await migrate(conn, tmp_path)] == [2]


async def test_a_migration_waits_briefly_for_a_table_that_is_being_read(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dump reads for minutes. A migration that waits for it would keep every press waiting behind itself."""
    monkeypatch.setattr("services.stint_cli.deployment.migrate.LOCK_WITHIN_MS", 200)
    dsn = await empty_database(deployment, "migrated_while_dumped")
    (tmp_path / "0001_made.sql").write_text("CREATE TABLE made (x int);")
    async with connected(dsn) as dump, connected(dsn) as conn:
        assert len(await migrate(conn, tmp_path)) == 1
        (tmp_path / "0002_more.sql").write_text("ALTER TABLE made ADD COLUMN y int;")
        async with dump.transaction():
            await dump.execute("LOCK TABLE made IN ACCESS SHARE MODE")
            with pytest.raises(Trouble, match=r"^0002_more\.sql waited 0\.2 s for a table that another session holds"):
                await asyncio.wait_for(migrate(conn, tmp_path), 10)
        assert [migration.version for migration in await migrate(conn, tmp_path)] == [2]


async def test_a_migration_changed_after_it_was_applied_is_refused(deployment: Deployment, tmp_path: Path) -> None:
    for migration in read_migrations():
        (tmp_path / migration.name).write_text(migration.sql + ("\n" if migration.version == 1 else ""))
    async with connected(deployment.dsn) as conn:
        with pytest.raises(Trouble, match="is not the file that was applied"):
            await migrate(conn, tmp_path)


async def test_topics_that_are_there_are_left_as_they_are(deployment: Deployment) -> None:
    async with connected(deployment.dsn) as conn, Brokers(deployment.kafka) as brokers:
        assert await ensure_topics(brokers, conn, PARTITIONS) == []
        found = await brokers.find([topic.name for topic in topics(PARTITIONS)])
    assert {name: topic.partitions for name, topic in found.items()} == {
        topic.name: topic.partitions for topic in topics(PARTITIONS)
    }
    assert found["timer.events.v1"].config["message.timestamp.type"] == "LogAppendTime"
    assert found["timer.events.v1"].config["unclean.leader.election.enable"] == "false"


async def test_another_number_of_partitions_is_refused_by_kafka_and_by_postgres(deployment: Deployment) -> None:
    async with connected(deployment.dsn) as conn, Brokers(deployment.kafka) as brokers:
        with pytest.raises(Trouble, match=r"timer\.events\.v1 has 12 partitions, not 24"):
            await check_topics(brokers, 24, None)
        with pytest.raises(Trouble, match="has 12 partitions for life, not 24"):
            await record_partitions(conn, 24)
        assert await conn.fetchval("SELECT count(*) FROM checkpoint") == PARTITIONS


async def test_topics_on_fewer_brokers_than_wanted_are_refused(deployment: Deployment) -> None:
    async with Brokers(deployment.kafka) as brokers:
        assert await check_topics(brokers, PARTITIONS, None) == []  # as many replicas as this cluster allows
        with pytest.raises(Trouble, match=r"timer\.events\.v1 has 1 replicas, not 3; .*min\.insync\.replicas=1, not 2"):
            await check_topics(brokers, PARTITIONS, 3)


async def test_topics_before_tables_are_told_what_to_do_first(deployment: Deployment) -> None:
    async with connected(await empty_database(deployment, "never_migrated")) as conn:
        with pytest.raises(Trouble, match="run `migrate` first"):
            await record_partitions(conn, PARTITIONS)


async def test_one_of_two_first_policies_comes_into_force(deployment: Deployment) -> None:
    policy = Policy(preset=Preset.NATIVE, zone="Asia/Tokyo")
    revisions = [
        await publish_policy(deployment.producer, "two-firsts", policy, replaces=None, set_by="tests", set_at=NOW)
        for _ in range(2)
    ]
    book = await read_policies(deployment.kafka)
    assert book.latest_revision("two-firsts") == revisions[0]
    assert not await ensure_first_policy(deployment.kafka, "two-firsts", policy, set_by="tests", set_at=NOW)
    assert (await read_policies(deployment.kafka)).position == book.position


async def test_a_client_id_of_another_tenant_is_not_taken_over(deployment: Deployment) -> None:
    async with connected(deployment.dsn) as conn:
        for tenant in ("first-come", "second-come"):
            await create_tenant(conn, tenant)
        await create_client(conn, "first-come", "popular")
        with pytest.raises(Trouble, match="belongs to another tenant"):
            await create_client(conn, "second-come", "popular")


async def make(deployment: Deployment, env_file: Path, now: datetime) -> dict[str, str]:
    """Run `demo` and return what it wrote."""
    demo = Demo(env_file, TOKEN_KEY, "http://127.0.0.1:8080", deployment.kafka, deployment.dsn, now)
    async with connected(deployment.dsn) as conn:
        await make_demo(conn, demo)
    await make_demo_policy(demo)
    return read_env(env_file)


async def good_credentials(conn: asyncpg.Connection, said: dict[str, str], now: datetime) -> list[bool]:
    """Say which of the three credentials are good for three weeks from `now`."""
    later = now + timedelta(days=21)
    hashed = await conn.fetchval("SELECT secret_hash FROM client WHERE id = $1", said["STINT_CLIENT_ID"])
    token = token_sha256(said["STINT_ZOHO_TOKEN"])
    expires_at = await conn.fetchval("SELECT expires_at FROM person_token WHERE token_sha256 = $1", token)
    return [
        verify_secret(said["STINT_CLIENT_SECRET"], hashed),
        read_token(said["STINT_TOKEN"], TOKEN_KEY.encode(), later) is not None,
        expires_at > later,
    ]


async def test_the_demo_tenant_keeps_its_credentials_until_they_are_about_to_expire(
    deployment: Deployment, tmp_path: Path
) -> None:
    file = tmp_path / "demo.env"
    first = await make(deployment, file, NOW)
    async with connected(deployment.dsn) as conn:
        assert await good_credentials(conn, first, NOW) == [True, True, True]
        assert await make(deployment, file, NOW + timedelta(days=20)) == first

        later = NOW + timedelta(days=25)
        renewed = await make(deployment, file, later)
        changed = {name for name, value in renewed.items() if first[name] != value}
        kinds = ("", "ADMIN_", "READER_", "OTHER_", "ZOHO_")
        assert changed == {f"STINT_{kind}TOKEN" for kind in kinds}
        assert await good_credentials(conn, renewed, later) == [True, True, True]


async def test_lost_credentials_of_the_demo_tenant_are_made_anew(deployment: Deployment, tmp_path: Path) -> None:
    """First the file is lost, then the database."""
    file = tmp_path / "demo.env"
    first = await make(deployment, file, NOW)
    async with connected(deployment.dsn) as conn:
        file.unlink()
        second = await make(deployment, file, NOW)
        assert second["STINT_CLIENT_SECRET"] != first["STINT_CLIENT_SECRET"]
        assert await good_credentials(conn, second, NOW) == [True, True, True]

        await conn.execute("DELETE FROM person_token; DELETE FROM client WHERE tenant = 'demo'")
        third = await make(deployment, file, NOW)
        assert third["STINT_TOKEN"] == second["STINT_TOKEN"]  # signed, so no database has it
        assert await good_credentials(conn, third, NOW) == [True, True, True]


async def test_the_demo_has_a_token_of_each_role_whose_client_can_be_revoked(
    deployment: Deployment, tmp_path: Path
) -> None:
    said = await make(deployment, tmp_path / "demo.env", NOW)
    claims = [
        read_token(said[f"STINT_{name}TOKEN"], TOKEN_KEY.encode(), NOW) for name in ("", "ADMIN_", "READER_", "OTHER_")
    ]
    assert [(one.tenant, one.role) for one in claims if one is not None] == [
        ("demo", "machine"),
        ("demo", "admin"),
        ("demo", "reader"),
        ("other", "machine"),
    ]
    async with connected(deployment.dsn) as conn:
        rows = await conn.fetch("SELECT id, role FROM client WHERE tenant IN ('demo', 'other')")
    assert {(row["id"], row["role"]) for row in rows} == {(one.client, one.role) for one in claims if one is not None}


async def test_a_client_of_the_demo_that_was_revoked_stays_so_and_has_no_credentials(
    deployment: Deployment, terminal: Terminal
) -> None:
    """Its tokens are signed: if it worked again, a token that has leaked would be good again."""
    file = terminal.folder / "demo.env"
    first = await make(deployment, file, NOW)
    revoked = [CLIENT, ADMIN]
    try:
        for client in revoked:
            await terminal.json("clients", "revoke", client)
        told = await terminal.json("demo", "--env-file", str(file))
        assert told == {"env_file": str(file), "revoked": revoked}
        emptied = {"STINT_CLIENT_SECRET": "", "STINT_TOKEN": "", "STINT_ADMIN_TOKEN": ""}
        assert read_env(file) == first | emptied | {"STINT_URL": "http://127.0.0.1:1"}
        _, out, _ = await terminal.run("prepare", "--partitions", str(PARTITIONS), "--env-file", str(file))
        assert f"Those of {', '.join(revoked)} are left empty" in out
        async with connected(deployment.dsn) as conn:
            for client in revoked:
                assert await conn.fetchval(api_query("is_revoked"), client)
                with pytest.raises(Trouble, match="or was revoked: choose another"):
                    await create_client(conn, "demo", client)
    finally:
        await deployment.pool.execute("UPDATE client SET revoked_at = NULL WHERE id = ANY($1)", revoked)


async def test_each_demo_tenant_has_one_policy_however_often_it_is_made(deployment: Deployment, tmp_path: Path) -> None:
    for _ in range(2):
        await make(deployment, tmp_path / "demo.env", NOW)
    book = await read_policies(deployment.kafka)
    policy = book.latest("demo")
    assert policy is not None
    assert (policy.zone, policy.preset) == ("Asia/Jerusalem", Preset.NATIVE)
    other = book.latest("other")
    assert other is not None
    assert (other.zone, other.preset, other.unfit) == ("Europe/Berlin", Preset.ZOHO, ())


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
