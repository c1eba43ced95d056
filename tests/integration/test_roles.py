"""The role of each service may do what that service does, and nothing else. All other tests run services as them."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import copytree
from typing import Final

import asyncpg
import pytest

from services.projector.store.statement import statement_of
from services.stint_cli.database import connected
from services.stint_cli.deployment.migrate import FOLDER, migrate, missing_roles, read_migrations
from services.stint_cli.store import query
from services.stint_cli.trouble import Trouble
from services.stint_cli.watch import doctor
from tests.integration.every_query import files, writes_of_a_commit
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment

DATABASE_CHANGES: Final = (
    "CREATE TABLE public.mine (x int)",
    "CREATE TABLE fold_v1.mine (x int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE VIEW public.deadline AS SELECT * FROM fold_v1.deadline",
    "ALTER TABLE outcome ADD COLUMN mine int",
    "ALTER SCHEMA fold_v1 RENAME TO mine",
    "DROP TABLE threshold",
    "DROP INDEX fold_v1.timer_flagged",
    "TRUNCATE fold_v1.timer",
    "TRUNCATE threshold",
    "SET ROLE stint",
    "INSERT INTO schema_migration (version, name, sha256) VALUES (9999, '', '')",
    "UPDATE deployment SET partitions = 1",
)
# What nobody but an operator says: who there is, and who may press.
DIRECTORY_CHANGES: Final = (
    "INSERT INTO tenant VALUES ('mine')",
    "INSERT INTO client (id, tenant, secret_hash) SELECT 'mine', name, '' FROM tenant LIMIT 1",
    "UPDATE client SET role = 'admin'",
    "UPDATE client SET revoked_at = NULL",
    "DELETE FROM client",
    "INSERT INTO person (tenant, owner, name) SELECT name, 'mine', '' FROM tenant LIMIT 1",
    "UPDATE person SET name = 'mine'",
    "DELETE FROM person",
    "INSERT INTO person_token SELECT 'mine', tenant, owner, now() FROM person LIMIT 1",
    "UPDATE person_token SET expires_at = 'infinity'",
)
FOLD_CHANGES: Final = (
    "INSERT INTO fold_v1.deadline VALUES (3, 't', 'o', now())",
    "UPDATE fold_v1.day_total SET total_us = 0",
    "UPDATE timer SET total_us = 0",
    "DELETE FROM fold_v1.violation",
    "UPDATE checkpoint SET next_offset = 0",
    "INSERT INTO outcome (kpart, source_offset, log_time, body) VALUES (3, -1, now(), '')",
    "DELETE FROM outcome",
    "DELETE FROM timer_text",
    "INSERT INTO policy VALUES (-1, 't', NULL, '', now(), '{}')",
)
REFUSED: Final[Mapping[str, tuple[str, ...]]] = {
    "command_api": (
        *DATABASE_CHANGES,
        *DIRECTORY_CHANGES,
        *FOLD_CHANGES,
        "UPDATE outcome SET body = ''",
        "SELECT tenant FROM fold_v1.timer",
    ),
    "projector": (
        *DATABASE_CHANGES,
        *DIRECTORY_CHANGES,
        # A verdict is written once.
        "UPDATE outcome SET body = ''",
        "UPDATE policy SET document = '{}'",
        "DELETE FROM dead_letter",
        "SELECT secret_hash FROM client",
        "SELECT token_sha256 FROM person_token",
        "DELETE FROM threshold",
    ),
    "feed": (
        *DATABASE_CHANGES,
        *DIRECTORY_CHANGES,
        *FOLD_CHANGES,
        "SELECT secret_hash FROM client",
        "SELECT owner FROM person_token",
        "SELECT owner FROM timer",
        "SELECT body FROM outcome",
        "SELECT comment FROM timer_text",
        "DELETE FROM threshold",
    ),
}
# As the projector's. Of the others Postgres passes a schema over that they may not use.
PATH: Final = "SET search_path = fold_v1, public"
RIGHTS: Final = """
SELECT format('%s ON public.%I', a.privilege_type, c.relname)
  FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
 WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = $1::text::regrole
 UNION ALL
SELECT format('%s (%I) ON public.%I', a.privilege_type, t.attname, c.relname)
  FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid CROSS JOIN aclexplode(t.attacl) a
 WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = $1::text::regrole
"""

COUNTS: Final = "SELECT has_function_privilege(oid, 'EXECUTE') FROM pg_proc WHERE proname = 'count_requests'"


@asynccontextmanager
async def logged_in(
    deployment: Deployment, service: str, owners: str | None = None
) -> AsyncIterator[asyncpg.Connection]:
    """Log in as a service does, and set the session as that service would not: it may write, if Postgres lets it."""
    async with connected(deployment.dsn_of(service, owners or deployment.dsn)) as conn:
        await conn.execute(PATH)
        yield conn


async def may(conn: asyncpg.Connection, statement: str) -> bool:
    """Say whether Postgres lets this session do it. Nothing stays of it."""
    transaction = conn.transaction()
    await transaction.start()
    try:
        await conn.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return False
    except asyncpg.IntegrityConstraintViolationError:
        return True  # it was allowed to try
    finally:
        await transaction.rollback()
    return True


def statements_of(service: str) -> Iterator[str]:
    """Return what a service says to Postgres in its own name. What a rebuild says, the owner does."""
    for path in files(service).values():
        if path.parent.name != "rebuild":
            yield path.read_text(encoding="utf-8")
    if service == "projector":
        yield statement_of((*writes_of_a_commit(),))
    if service == "command_api":
        # What the function does that counts requests: with the rights of who calls it.
        function = (FOLDER / "0006_threshold.sql").read_text(encoding="utf-8")
        assert all(f"{verb} threshold" in function for verb in ("FROM", "INSERT INTO", "UPDATE", "DELETE FROM"))
        yield "SELECT FROM threshold FOR UPDATE"
        yield "DELETE FROM threshold"
        yield "UPDATE threshold SET stale_at = now()"
        yield "INSERT INTO threshold SELECT * FROM threshold"


def asked(statement: str) -> str:
    """Return a statement that checks the rights that another one needs, and does nothing."""
    return f"EXPLAIN (GENERIC_PLAN) {statement}"


@pytest.mark.parametrize("service", REFUSED)
async def test_a_service_may_not_do_what_is_not_its_work(deployment: Deployment, service: str) -> None:
    """The control: the owner may do each of these, so nothing but the role is in the way."""
    async with logged_in(deployment, service) as conn, connected(deployment.dsn) as owner:
        assert [one for one in REFUSED[service] if await may(conn, one)] == []
        await owner.execute(PATH)
        assert [one for one in REFUSED[service] if not await may(owner, one)] == []


@pytest.mark.parametrize("service", REFUSED)
async def test_a_service_may_run_each_of_its_queries(deployment: Deployment, service: str) -> None:
    async with logged_in(deployment, service) as conn:
        assert [one for one in statements_of(service) if not await may(conn, asked(one))] == []


@pytest.mark.parametrize("service", REFUSED)
async def test_no_right_of_a_service_could_be_left_out(deployment: Deployment, service: str) -> None:
    """Each right is taken away in turn, and then a query is refused. Also the control of the test above."""
    role, needless = f"stint_{service}", []
    async with connected(deployment.stack.postgres.superuser_dsn) as conn:
        await conn.execute(PATH)
        rights = [row[0] for row in await conn.fetch(RIGHTS, role)]
        assert rights
        for right in rights:
            transaction = conn.transaction()
            await transaction.start()
            await conn.execute(f"REVOKE {right} FROM {role}; SET LOCAL ROLE {role}")
            if all([await may(conn, asked(one)) for one in statements_of(service)]):
                needless.append(right)
            await transaction.rollback()
    assert needless == []


async def test_each_process_logs_in_as_the_role_of_its_service(api: Api, deployment: Deployment, owner: str) -> None:
    timer = (await api.start(owner)).json()["id"]
    assert (await api.timer(timer)).status_code == 200
    async with connected(deployment.stack.postgres.superuser_dsn) as conn:
        rows = await conn.fetch("SELECT DISTINCT application_name, usename FROM pg_stat_activity")
    expected = {("command_api", "stint_command_api"), ("stint-projector", "stint_projector")}
    assert {(name, role) for name, role in rows if name in {"command_api", "stint-projector"}} == expected


async def test_a_table_of_a_later_migration_comes_with_its_rights(deployment: Deployment, tmp_path: Path) -> None:
    """Whatever was given by hand is taken back; the tables of others are left alone."""
    dsn = await deployment.fresh_database("migrated_with_roles")
    folder = Path(copytree(FOLDER, tmp_path / "migrations"))
    (folder / f"{len(read_migrations()) + 1:04}_later.sql").write_text(
        "CREATE TABLE fold_v1.later (x int); DROP VIEW timer; CREATE VIEW timer AS SELECT * FROM fold_v1.timer;"
    )
    superuser = f"{deployment.stack.postgres.superuser_dsn.rpartition('/')[0]}/migrated_with_roles"
    async with connected(superuser) as conn:
        await conn.execute("CREATE TABLE public.of_others (x int)")
    async with connected(dsn) as conn:
        await conn.execute("GRANT ALL ON client TO stint_projector")
        assert len(await migrate(conn, folder)) == 1
    async with logged_in(deployment, "projector", dsn) as conn:
        assert await may(conn, "INSERT INTO fold_v1.later VALUES (1)")
        assert not await may(conn, "SELECT FROM client")
    async with logged_in(deployment, "command_api", dsn) as conn:
        assert await may(conn, "SELECT id FROM timer")
        assert not await may(conn, "SELECT FROM fold_v1.later")


async def test_a_database_that_is_closed_to_everybody_is_open_to_the_services(deployment: Deployment) -> None:
    """As a company that hardens its servers closes them. Temporary tables are for helpers that catch up."""
    dsn = await deployment.fresh_database("hardened")
    async with connected(dsn) as conn:
        await conn.execute("REVOKE ALL ON DATABASE hardened FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC")
        await conn.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
        assert await migrate(conn) == []
    for service, query_, helps in (
        ("command_api", "SELECT id FROM timer", False),
        ("projector", "SELECT next_offset FROM checkpoint", True),
        ("feed", "SELECT revoked_at FROM client", False),
    ):
        async with logged_in(deployment, service, dsn) as conn:
            assert await may(conn, query_)
            assert await may(conn, "CREATE TEMP TABLE mine (x int)") == helps
            assert await conn.fetchval(COUNTS) == (service == "command_api")


async def test_a_login_that_lost_its_password_has_it_again_at_the_next_start(deployment: Deployment) -> None:
    async with connected(deployment.stack.postgres.superuser_dsn) as conn:
        await conn.execute("ALTER ROLE stint_feed NOLOGIN PASSWORD 'of an older folder'")
    try:
        with pytest.raises(Trouble):
            async with logged_in(deployment, "feed"):
                pass
    finally:
        deployment.stack.postgres.make_roles()
    async with logged_in(deployment, "feed") as conn:
        assert await may(conn, "SELECT revoked_at FROM client")


async def test_one_role_for_everything_stays_as_it_was(deployment: Deployment) -> None:
    """Whatever its name: it owns the tables, so nothing is taken from it."""
    async with connected(deployment.stack.postgres.superuser_dsn) as conn:
        await conn.execute("CREATE DATABASE one_role OWNER stint_projector")
    dsn = f"{deployment.dsn.rpartition('/')[0]}/one_role"
    async with connected(deployment.dsn_of("projector", dsn)) as conn:
        assert await migrate(conn)
        assert await migrate(conn) == []
        assert await may(conn, "UPDATE client SET revoked_at = now()")
        assert await may(conn, "CREATE TABLE fold_v1.mine (x int)")
    async with connected(deployment.stack.postgres.superuser_dsn) as conn:
        await conn.execute("DROP DATABASE one_role")


async def test_the_doctor_finds_roles_that_came_after_the_tables(deployment: Deployment) -> None:
    """They have no right at all until `stint migrate` runs again."""
    dsn = await deployment.fresh_database("roles_came_later")
    async with connected(dsn) as conn:
        assert (await doctor._roles(conn)).advice is None
        for service in REFUSED:
            for place in ("public", "fold_v1"):
                await conn.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {place} FROM stint_{service}")
        found = await doctor._roles(conn)
        assert found.found == "stint_command_api, stint_feed, stint_projector may read nothing here"
        assert found.advice == "Run `stint migrate`."
        assert await migrate(conn) == []
        assert (await doctor._roles(conn)).advice is None


async def test_a_server_without_the_roles_is_given_none(deployment: Deployment) -> None:
    async with connected(deployment.stack.postgres.superuser_dsn) as conn:
        assert {row[0].rpartition(" ")[2] for row in await conn.fetch(query("rights"))} == {
            f"stint_{service}" for service in REFUSED
        }
        transaction = conn.transaction()
        await transaction.start()
        for service in REFUSED:
            await conn.execute(f"ALTER ROLE stint_{service} RENAME TO other_{service}")
        assert await conn.fetch(query("rights")) == []
        assert await migrate(conn) == []
        assert await conn.fetch(query("roles_without_rights")) == []
        assert await missing_roles(conn) == sorted(f"stint_{service}" for service in REFUSED)
        await transaction.rollback()
        assert await missing_roles(conn) == []
