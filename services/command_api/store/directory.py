"""The directory: clients, people and their tokens, as the operators' commands wrote them. Not from the log."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from services.command_api.desk.rows import Person, ReadsAwayError
from services.command_api.store.database import Database, query
from shared.identity import TokenRole

_FIND_CLIENT: Final = query("find_client")
_IS_REVOKED: Final = query("is_revoked")
_FIND_TOKEN: Final = query("find_token")
_FIND_PERSON: Final = query("find_person")

# Lookups may use a third of the pool, because callers without a valid token cause them too, and reads need the rest.
_SHARE: Final = 3
# The most lookups that may wait. One takes about a millisecond.
LOOKUPS_WAITING_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A machine client. `secret_hash` is the scrypt hash of its secret, `old_secret_hash` of one that still works."""

    tenant: str
    role: TokenRole
    secret_hash: str
    old_secret_hash: str | None = None

    @property
    def secret_hashes(self) -> tuple[str, ...]:
        """The hashes of every secret that works."""
        return (self.secret_hash,) if self.old_secret_hash is None else (self.secret_hash, self.old_secret_hash)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """The person that an opaque token stands for, and until when."""

    tenant: str
    person: Person
    expires_at: datetime


class Directory:
    """Finds clients, tokens and persons. Raises ReadsAwayError, also while too many lookups wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(max(1, database.connections_max // _SHARE))
        self._waiting = 0

    async def client(self, client_id: str) -> ClientRow | None:
        """Return a client by its id; None: there is no such client, or it was revoked."""
        row = await self._row(_FIND_CLIENT, client_id)
        return None if row is None else ClientRow(**row)

    async def is_revoked(self, client_id: str) -> bool:
        """Return whether a client was revoked. A client that is not in our tables was not."""
        row = await self._row(_IS_REVOKED, client_id)
        return row is not None and row["revoked"]

    async def token(self, sha256: str) -> TokenRow | None:
        """Return what the opaque token with this SHA-256 stands for."""
        row = await self._row(_FIND_TOKEN, sha256)
        if row is None:
            return None
        return TokenRow(row["tenant"], _person(row), row["expires_at"])

    async def person(self, tenant: str, owner: str) -> Person | None:
        """Return the person that an owner is; None: no person of this tenant."""
        row = await self._row(_FIND_PERSON, tenant, owner)
        return None if row is None else _person(row)

    async def _row(self, sql: str, *arguments: str) -> asyncpg.Record | None:
        if self._waiting >= LOOKUPS_WAITING_MAX:
            raise ReadsAwayError
        self._waiting += 1
        try:
            # With Postgres frozen, each lookup takes its whole time, and the last of a queue would wait for all.
            async with asyncio.timeout(self._database.within_seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise ReadsAwayError from None
        finally:
            self._waiting -= 1
        try:
            return await self._database.row(sql, *arguments)
        finally:
            self._turns.release()


def _person(row: asyncpg.Record) -> Person:
    return Person(row["owner"], row["name"], tuple(row["aliases"]))
