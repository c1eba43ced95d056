"""Identities: the caller that a token stands for, and new tokens for clients.

Whether our own key, our tables or an identity provider judges a token is decided for all services alike, in
`shared/outside/bearers`.
"""

from collections.abc import Callable

from services.command_api.auth.client_secrets import ClientSecrets
from services.command_api.auth.own_tokens import DirectoryTokens
from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Away, Busy, IssuedToken, Unknown
from services.command_api.desk.rows import Person, ReadsAwayError
from services.command_api.store.directory import Directory
from shared.identity import TOKEN_LIFE, TokenClaims, sign_token, token_in
from shared.outside.bearers import Bearers
from shared.outside.fetching import SourceAwayError
from shared.outside.sources import Sources
from shared.process.clock import Now


class TokenIdentities:
    """`desk.Identities`, over the directory, one signing key, and the sources outside. `clock` None: the loop's."""

    def __init__(
        self,
        directory: Directory,
        key: bytes,
        now: Now,
        *,
        tokens_max: int,
        fresh_seconds: float,
        outside: Sources | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._key = key
        self._now = now
        self._secrets = ClientSecrets(directory)
        self._own = DirectoryTokens(
            directory, key, now, tokens_max=tokens_max, fresh_seconds=fresh_seconds, clock=clock
        )
        self._bearers = Bearers(
            self._own,
            outside or Sources((), None, now),
            now,
            tokens_max=tokens_max,
            fresh_seconds=fresh_seconds,
            away=ReadsAwayError,
            clock=clock,
        )

    async def caller_of(self, authorization: str | None) -> Caller | Unknown | Away:
        """Return the caller of an Authorization header's token. Both schemes may carry both kinds of token."""
        token = token_in(authorization)
        if token is None:
            return Unknown()
        try:
            return await self._bearers.caller_of(token) or Unknown()
        except (ReadsAwayError, SourceAwayError):
            return Away()

    async def person_of(self, caller: Caller) -> Person | None:
        """Return the person behind a caller, as `desk.Identities` says."""
        return None if caller.person is None else await self._own.people.of(caller.tenant, caller.person)

    async def issue_token(self, client_id: str, secret: str) -> IssuedToken | Busy | None:
        """Return a new token for a client, None when id and secret do not fit. Raises ReadsAwayError."""
        client = await self._secrets.client(client_id, secret)
        if client is None or isinstance(client, Busy):
            return client
        now = self._now()
        token = sign_token(TokenClaims(client.tenant, client_id, client.role, now, now + TOKEN_LIFE), self._key)
        return IssuedToken(token, int(TOKEN_LIFE.total_seconds()))
