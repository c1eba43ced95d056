"""Callers: the tenant that a token may read, and until when. Every role but `person` reads all of its tenant.

A revoked client's tokens end within a minute, its open streams too: what was found of a client is believed for 25
seconds, and a stream asks again before each piece. While Postgres is away, what was found last is believed, and so is a
client that was never looked up, as by the command API.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from services.feed.callers.tokens import TokensAwayError
from shared.events.rules import Rule
from shared.identity import is_signed, read_token, token_in, token_sha256

FRESH_SECONDS: Final = 25.0

_RETRY_SECONDS: Final = 5.0
_CLIENTS_MAX: Final = 10_000


class Tokens(Protocol):
    """What is known of tokens elsewhere. Each raises TokensAwayError."""

    async def token_end(self, sha256: str) -> datetime | None:
        """Return until when an opaque token works; None: it is unknown."""

    async def is_revoked(self, client: str) -> bool:
        """Return whether a client was revoked."""


@dataclass(frozen=True, slots=True)
class FeedCaller:
    """One who may read a tenant's feed, until its token expires."""

    tenant: str
    client: str
    until: datetime


class _Looked(NamedTuple):
    revoked: bool
    until: float  # loop time


class Callers:
    """Tells callers from strangers."""

    def __init__(
        self, key: bytes, tokens: Tokens, now: Callable[[], datetime], fresh_seconds: float = FRESH_SECONDS
    ) -> None:
        self._key = key
        self._tokens = tokens
        self._now = now
        self._fresh_seconds = fresh_seconds
        self._looked: dict[str, _Looked] = {}

    async def caller_of(self, authorization: str | None) -> FeedCaller | Rule:
        """Return the caller of an Authorization header's token, or the rule that it breaks. Raises TokensAwayError."""
        token = token_in(authorization)
        if token is None:
            return Rule.TOKEN_UNKNOWN
        if not is_signed(token):
            # Opaque tokens are persons' tokens.
            end = await self._tokens.token_end(token_sha256(token))
            return Rule.TOKEN_UNKNOWN if end is None or end <= self._now() else Rule.NOT_THE_OWNER
        claims = read_token(token, self._key, self._now())
        if claims is None or await self.is_revoked(claims.client):
            return Rule.TOKEN_UNKNOWN
        if claims.role == "person":
            return Rule.NOT_THE_OWNER
        return FeedCaller(claims.tenant, claims.client, claims.expires_at)

    async def is_revoked(self, client: str) -> bool:
        """Return whether a client was revoked, as far as was found within `fresh_seconds`. Never raises."""
        loop = asyncio.get_running_loop()
        looked, began = self._looked.get(client), loop.time()
        if looked is not None and looked.until > began:
            return looked.revoked
        try:
            looked = _Looked(await self._tokens.is_revoked(client), began + self._fresh_seconds)
        except TokensAwayError:
            before = self._looked.get(client)  # another request may have found it meanwhile
            looked = _Looked(before is not None and before.revoked, loop.time() + _RETRY_SECONDS)
        self._looked.pop(client, None)
        while len(self._looked) >= _CLIENTS_MAX:
            del self._looked[next(iter(self._looked))]
        self._looked[client] = looked
        return looked.revoked
