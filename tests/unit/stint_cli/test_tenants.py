"""Tenants, clients and people: a name that would make every press fail is refused at creation."""

from typing import Any

import pytest

from services.stint_cli.tenants import create_client, create_person, create_tenant
from services.stint_cli.trouble import Trouble


class Written:
    """Stands in for a connection, and keeps the rows to be written."""

    def __init__(self) -> None:
        self.rows: list[tuple[object, ...]] = []

    async def execute(self, _sql: str, *values: object) -> None:
        self.rows.append(values)

    async def fetchval(self, _sql: str, *values: object) -> object:
        self.rows.append(values)
        return values[0]


@pytest.fixture
def conn() -> Any:  # noqa: ANN401 - a stand-in for a connection
    return Written()


@pytest.mark.parametrize("name", ["", "a/b", "a\nb", "a\x00", "\x1f", "x" * 65])
async def test_a_tenant_whose_name_no_event_could_carry_is_not_made(conn: Any, name: str) -> None:  # noqa: ANN401
    with pytest.raises(Trouble, match="A tenant's name is"):
        await create_tenant(conn, name)
    assert conn.rows == []


@pytest.mark.parametrize("name", ["acme", "Größe & Söhne", "דמו", "x" * 64])
async def test_any_other_name_will_do(conn: Any, name: str) -> None:  # noqa: ANN401
    await create_tenant(conn, name)
    assert conn.rows == [(name,)]


@pytest.mark.parametrize("client", ["", "desk:1", "person:dana", ":", "a b", "a\n", "שלום", "x" * 129])
async def test_a_client_with_an_unusable_id_is_not_made(conn: Any, client: str) -> None:  # noqa: ANN401
    """Such a client could not log in, or would pass for a person."""
    with pytest.raises(Trouble, match="A client id is"):
        await create_client(conn, "acme", client)
    assert conn.rows == []


@pytest.mark.parametrize("client", ["desk", "demo-client", "person", "a.b@c/d", "x" * 128])
async def test_any_other_client_will_do(conn: Any, client: str) -> None:  # noqa: ANN401
    assert await create_client(conn, "acme", client)
    assert conn.rows[0][:2] == (client, "acme")


@pytest.mark.parametrize("owner", ["", "x" * 129])
async def test_a_person_with_an_unusable_owner_id_is_not_made(conn: Any, owner: str) -> None:  # noqa: ANN401
    with pytest.raises(Trouble, match="An owner is"):
        await create_person(conn, "acme", owner, "Dana Levi")
    assert conn.rows == []
