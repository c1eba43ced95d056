"""Clients that the broker has let in: found once, remembered while Postgres is away."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.command_api.auth.clients import KnownClients
from services.command_api.desk.commands import Caller
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.store.directory import ClientRow

CRM = Caller("acme", "crm", "machine")


@dataclass
class DirectoryInHand:
    """Knows one client; `away` and `known` are moods."""

    known: bool = True
    away: bool = False
    takes_seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def client(self, client_id: str) -> ClientRow | None:
        self.asked.append(client_id)
        await asyncio.sleep(self.takes_seconds)
        if self.away:
            raise ReadsAwayError
        return ClientRow("acme", "machine", "hash") if self.known and client_id == "crm" else None


def clients(directory: Any, fresh_seconds: float = 60) -> KnownClients:  # noqa: ANN401 - a stand-in
    return KnownClients(directory, fresh_seconds=fresh_seconds)


async def test_commands_that_come_at_once_look_their_client_up_once() -> None:
    directory = DirectoryInHand()
    known = clients(directory)
    assert await asyncio.gather(*(known.client("crm") for _ in range(50))) == [CRM] * 50
    assert directory.asked == ["crm"]


async def test_a_client_that_was_found_is_known_while_postgres_is_away() -> None:
    directory = DirectoryInHand()
    known = clients(directory, fresh_seconds=0)
    assert await known.client("crm") == CRM
    directory.away = True
    assert await known.client("crm") == CRM
    with pytest.raises(ReadsAwayError):
        await known.client("another")


async def test_a_client_that_was_withdrawn_is_unknown_at_the_next_look() -> None:
    directory = DirectoryInHand()
    known = clients(directory, fresh_seconds=0)
    assert await known.client("crm") == CRM
    directory.known = False
    assert await known.client("crm") is None
    directory.away = True
    assert await known.client("crm") is None  # remembered for a moment as unknown


async def test_what_was_found_counts_from_before_the_look() -> None:
    """A client that is revoked while Postgres is slow to answer ends within the promised time too."""
    directory = DirectoryInHand(takes_seconds=0.05)
    known = clients(directory, fresh_seconds=0.05)
    assert await known.client("crm") == CRM
    directory.known = False
    assert await known.client("crm") is None
