"""Own tokens: those that Stint made. `OwnTokens` of `shared/outside/bearers`.

Signed ones are trusted by their signature, unless their client was revoked. A revoked client's tokens end within a
minute: what was found of a client is believed for 25 seconds. While Postgres is away, what was found last is believed,
and so is a client that was never looked up, as by the command API.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from services.feed.callers.tokens import TokensAwayError
from shared.bounded import make_room
from shared.events.rules import Rule
from shared.identity import read_token, token_sha256
from shared.outside.bearers import RETRY_SECONDS, Bearer
from shared.outside.claims import Outsider
from shared.process.clock import Now

_CLIENTS_MAX: Final = 10_000


class Tokens(Protocol):
    """What is known of tokens elsewhere. Each raises TokensAwayError."""

    async def token_end(self, sha256: str) -> datetime | None:
        """Return until when an opaque token works; None: it is unknown."""

    async def is_revoked(self, client: str) -> bool:
        """Return whether a client was revoked."""


@dataclass(frozen=True, slots=True)
class FeedCaller:
    """A client that may read its tenant's feed, until its token expires."""

    tenant: str
    client: str
    until: datetime


class _Looked(NamedTuple):
    revoked: bool
    until: float  # the clock's seconds


class FeedTokens:
    """Our own tokens. A person's gives NOT_THE_OWNER, because a person may not read the feed."""

    def __init__(
        self, key: bytes, tokens: Tokens, now: Now, fresh_seconds: float, clock: Callable[[], float] | None = None
    ) -> None:
        self._key = key
        self._tokens = tokens
        self._now = now
        self._fresh_seconds = fresh_seconds
        self._clock = clock or asyncio.get_running_loop().time
        self._looked: dict[str, _Looked] = {}

    async def signed(self, token: str) -> Bearer[FeedCaller | Rule] | None:
        """Return whose token it is. None: our key did not sign it, or the token's client was revoked."""
        claims = read_token(token, self._key, self._now())
        if claims is None:
            return None
        looked = await self._look(claims.client)
        if looked.revoked:
            return None
        caller = _reader(claims.role, FeedCaller(claims.tenant, claims.client, claims.expires_at))
        return Bearer(caller, claims.expires_at, looked.until)

    async def opaque(self, token: str) -> Bearer[FeedCaller | Rule] | None:
        """Return that a token of our tables is a person's, None: they do not hold it. Raises TokensAwayError."""
        fresh_until = self._clock() + self._fresh_seconds
        end = await self._tokens.token_end(token_sha256(token))
        return None if end is None else Bearer(Rule.NOT_THE_OWNER, end, fresh_until)

    def from_outside(self, outsider: Outsider) -> FeedCaller | Rule:
        """Return the caller for whom an identity provider vouches."""
        return _reader(outsider.role, FeedCaller(outsider.tenant, outsider.client, outsider.expires_at))

    async def _look(self, client: str) -> _Looked:
        """Return whether a client was revoked, as far as was found within `fresh_seconds`. Never raises."""
        looked, began = self._looked.get(client), self._clock()
        if looked is not None and looked.until > began:
            return looked
        try:
            looked = _Looked(await self._tokens.is_revoked(client), began + self._fresh_seconds)
        except TokensAwayError:
            before = self._looked.get(client)  # another request may have found it meanwhile
            looked = _Looked(before is not None and before.revoked, self._clock() + RETRY_SECONDS)
        self._looked.pop(client, None)
        make_room(self._looked, _CLIENTS_MAX)
        self._looked[client] = looked
        return looked


def _reader(role: str, caller: FeedCaller) -> FeedCaller | Rule:
    return Rule.NOT_THE_OWNER if role == "person" else caller
