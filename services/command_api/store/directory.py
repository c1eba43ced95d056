"""The directory: clients and people's tokens, as the operators' commands wrote them. Not from the log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.command_api.desk.rows import Person
from services.command_api.store.database import Database, query
from shared.events.models import Role

_FIND_CLIENT: Final = query("find_client")
_FIND_TOKEN: Final = query("find_token")


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A machine client. `secret_hash` is what is kept of its secret."""

    tenant: str
    role: Role
    secret_hash: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """Whom an opaque token stands for, and until when."""

    tenant: str
    person: Person
    expires_at: datetime


class Directory:
    """Finds clients and tokens. Raises ReadsAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def client(self, client_id: str) -> ClientRow | None:
        """Return a client by its id."""
        row = await self._database.row(_FIND_CLIENT, client_id)
        return None if row is None else ClientRow(row["tenant"], row["role"], row["secret_hash"])

    async def token(self, sha256: str) -> TokenRow | None:
        """Return what the opaque token with this SHA-256 stands for."""
        row = await self._database.row(_FIND_TOKEN, sha256)
        if row is None:
            return None
        return TokenRow(row["tenant"], Person(row["owner"], row["name"], tuple(row["aliases"])), row["expires_at"])
