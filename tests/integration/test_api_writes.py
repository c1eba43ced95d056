"""The API's sessions only read. One statement writes, in a transaction that says so."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.command_api.store.database import Database, query
from services.command_api.store.people import PersonRows
from tests.support.stack.deployments import Deployment, Tenant


@pytest.fixture
async def database(deployment: Deployment) -> AsyncIterator[Database]:
    database = Database(deployment.dsn, connections_max=1, within_seconds=10)
    await database.open()
    yield database
    await database.close()


async def test_aliases_are_those_that_were_set_last(database: Database, deployment: Deployment, tenant: Tenant) -> None:
    person, other = await deployment.person(tenant), await deployment.person(tenant)
    people = PersonRows(database)
    assert await people.set_aliases(tenant.name, person.owner, ["one", "two"])
    assert await people.set_aliases(tenant.name, person.owner, ["three"])
    found = await deployment.pool.fetch("SELECT owner, aliases FROM person WHERE tenant = $1", tenant.name)
    aliases = {row["owner"]: row["aliases"] for row in found}
    assert (aliases[person.owner], aliases[other.owner]) == (["three"], list(other.aliases))


async def test_nobody_is_made_a_person_by_aliases(database: Database, deployment: Deployment, tenant: Tenant) -> None:
    person = await deployment.person(tenant)
    people = PersonRows(database)
    assert not await people.set_aliases(tenant.name, "nobody", ["one"])
    assert not await people.set_aliases("no-tenant", person.owner, ["one"])


async def test_a_read_cannot_write_also_after_a_statement_that_did(database: Database, tenant: Tenant) -> None:
    """The control: the same statement, run as a read, on the same connection."""
    await PersonRows(database).set_aliases(tenant.name, "nobody", [])
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await database.rows(query("set_aliases"), tenant.name, "nobody", [])
