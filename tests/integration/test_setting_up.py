"""Setting up a deployment, on real parts: each command may run again at any time, also two at once."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.stint_cli.brokers import Brokers
from services.stint_cli.database import connected
from services.stint_cli.deployment.migrate import migrate, read_migrations
from services.stint_cli.deployment.partitions import record_partitions
from services.stint_cli.deployment.topics import check_topics, ensure_topics
from services.stint_cli.policies import ensure_first_policy, publish_policy, read_policies
from services.stint_cli.tenants import create_client, create_tenant
from services.stint_cli.trouble import Trouble
from shared.events.policy import Policy, Preset
from shared.events.topics import topics
from tests.support.stack.deployments import PARTITIONS, Deployment

NOW = datetime.now(UTC)


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
