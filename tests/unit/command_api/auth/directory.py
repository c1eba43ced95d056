"""A directory in hand: the tokens, clients and people that a test puts into it, and the key of signed tokens.

Where it differs: there is no pool and no time-out. While it is away, every question raises at once.
"""

import asyncio
from dataclasses import dataclass, field

from services.command_api.desk.rows import Person, ReadsAwayError
from services.command_api.store.directory import ClientRow, TokenRow

KEY = b"k" * 32


@dataclass
class FakeDirectory:
    tokens: dict[str, TokenRow] = field(default_factory=dict)
    clients: dict[str, ClientRow] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    people: dict[tuple[str, str], Person] = field(default_factory=dict)
    away: bool = False
    takes_seconds: float = 0.0
    looks: int = 0

    async def token(self, sha256: str) -> TokenRow | None:
        await asyncio.sleep(self.takes_seconds)
        self.looks += 1
        if self.away:
            raise ReadsAwayError
        return self.tokens.get(sha256)

    async def person(self, tenant: str, owner: str) -> Person | None:
        await asyncio.sleep(0)
        self.looks += 1
        if self.away:
            raise ReadsAwayError
        return self.people.get((tenant, owner))

    async def client(self, client_id: str) -> ClientRow | None:
        if self.away:
            raise ReadsAwayError
        return self.clients.get(client_id)

    async def is_revoked(self, client_id: str) -> bool:
        if self.away:
            raise ReadsAwayError
        return client_id in self.revoked
