"""All our connections to a Postgres that demands TLS use TLS, and verify its certificate."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from deploy.local.stack import Stack
from services.command_api.store.database import Database
from services.projector.settings import Settings as ProjectorSettings
from services.projector.store.postgres import open_pool
from services.stint_cli.database import connected
from services.stint_cli.trouble import Trouble
from shared.settings import PostgresSettings
from tests.integration.guarded_postgres import INSTALL, PAPERS, GuardedPostgres, available, guarded_postgres
from tests.support.stack.certificates import Authority

# Newer servers know `transaction_timeout`, which the projector sets.
PROJECTORS_MAJOR_MIN = 17
MINE = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"

pytestmark = pytest.mark.skipif(available() is None, reason=INSTALL)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedPostgres]:
    with guarded_postgres(tmp_path_factory.mktemp("guarded-postgres")) as guarded:
        yield guarded


async def is_over_tls(dsn: str, **said: Any) -> bool:  # noqa: ANN401 - the settings of a test
    """Connect to Postgres as the command line does, and say whether the connection is over TLS."""
    settings = PostgresSettings(postgres_dsn=SecretStr(dsn), **said)
    async with connected(settings.postgres_dsn.get_secret_value(), settings.postgres_tls) as conn:
        return bool(await conn.fetchval(MINE))


async def test_everybody_speaks_tls_with_a_ca_file(guarded: GuardedPostgres) -> None:
    settings = PostgresSettings(postgres_dsn=SecretStr(guarded.dsn()), postgres_ca_file=guarded.ca)
    assert await is_over_tls(guarded.dsn(), postgres_ca_file=guarded.ca)

    database = Database(guarded.dsn(), connections_max=1, within_seconds=5, tls=settings.postgres_tls)
    await database.open()
    assert (await database.rows(MINE))[0]["ssl"]
    await database.close()

    if guarded.major >= PROJECTORS_MAJOR_MIN:
        postgres = settings.model_dump(include={"postgres_dsn", "postgres_ca_file"})
        pool = await open_pool(ProjectorSettings(kafka_bootstrap_servers="nobody:9092", **postgres))
        assert await pool.fetchval(MINE)
        await pool.close()


async def test_a_dsn_alone_may_demand_tls(guarded: GuardedPostgres) -> None:
    assert await is_over_tls(guarded.dsn(f"?sslmode=verify-full&sslrootcert={guarded.ca}"))


async def test_a_ca_file_demands_tls_whatever_the_dsn_says(guarded: GuardedPostgres) -> None:
    assert await is_over_tls(guarded.dsn("?sslmode=disable"), postgres_ca_file=guarded.ca)


async def test_a_certificate_opens_where_no_password_does(guarded: GuardedPostgres) -> None:
    async with connected(guarded.dsn(f"?sslmode=verify-full&sslrootcert={guarded.ca}")) as conn:
        await conn.execute(f"DROP ROLE IF EXISTS {PAPERS}")
        await conn.execute(f"CREATE ROLE {PAPERS} LOGIN")
    papers = {
        "postgres_ca_file": guarded.ca,
        "postgres_certificate_file": guarded.papers.certificate,
        "postgres_key_file": guarded.papers.key,
    }
    assert await is_over_tls(guarded.dsn(user=PAPERS, password=""), **papers)
    with pytest.raises(Trouble, match="certificate"):
        await is_over_tls(guarded.dsn(user=PAPERS, password=""), postgres_ca_file=guarded.ca)


async def test_a_server_of_another_authority_is_not_believed(guarded: GuardedPostgres, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="CERTIFICATE_VERIFY_FAILED"):
        await is_over_tls(guarded.dsn(), postgres_ca_file=Authority(tmp_path, "somebody else").ca)


async def test_a_server_under_another_name_is_not_believed(guarded: GuardedPostgres) -> None:
    with pytest.raises(Trouble, match=r"CERTIFICATE_VERIFY_FAILED.*localhost"):
        await is_over_tls(guarded.dsn(host="localhost"), postgres_ca_file=guarded.ca)


async def test_a_wrong_password_is_refused_by_name(guarded: GuardedPostgres) -> None:
    with pytest.raises(Trouble, match="password authentication failed") as caught:
        await is_over_tls(guarded.dsn(password="guess"), postgres_ca_file=guarded.ca)
    assert "guess" not in str(caught.value)


async def test_a_client_without_tls_is_refused(guarded: GuardedPostgres) -> None:
    with pytest.raises(Trouble, match="no encryption"):
        await is_over_tls(guarded.dsn("?sslmode=disable"))


async def test_a_client_that_demands_tls_refuses_a_server_without_it(guarded: GuardedPostgres, stack: Stack) -> None:
    with pytest.raises(Trouble, match="rejected SSL upgrade"):
        await is_over_tls(stack.postgres.dsn, postgres_ca_file=guarded.ca)
