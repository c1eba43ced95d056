"""Own tokens: those that we made. `OwnTokens` of `shared/outside/bearers`.

Signed tokens are trusted by their signature, unless their client was revoked. Opaque ones are looked up.
"""

import asyncio
from collections.abc import Callable

from services.command_api.auth.people import KnownPeople
from services.command_api.auth.revocations import Revocations
from services.command_api.desk.commands import Caller
from services.command_api.store.directory import Directory
from shared.identity import read_token, token_sha256
from shared.outside.bearers import RETRY_SECONDS, Bearer
from shared.outside.claims import Outsider
from shared.process.clock import Now


class DirectoryTokens:
    """Tokens over the directory and one signing key. `clock` returns seconds; None: the loop's."""

    def __init__(
        self,
        directory: Directory,
        key: bytes,
        now: Now,
        *,
        tokens_max: int,
        fresh_seconds: float,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._directory = directory
        self._key = key
        self._now = now
        self._fresh_seconds = fresh_seconds
        self._clock = clock or asyncio.get_running_loop().time
        self.people = KnownPeople(
            directory,
            self._clock,
            people_max=tokens_max,
            fresh_seconds=fresh_seconds,
            retry_seconds=RETRY_SECONDS,
        )
        self._revocations = Revocations(
            directory, clients_max=tokens_max, fresh_seconds=fresh_seconds, retry_seconds=RETRY_SECONDS
        )

    async def signed(self, token: str) -> Bearer[Caller] | None:
        """Return whose token it is. None: our key did not sign it, or the token's client was revoked."""
        claims = read_token(token, self._key, self._now())
        if claims is None:
            return None
        standing = await self._revocations.of(claims.client)
        if standing.revoked:
            return None
        return Bearer(Caller(claims.tenant, claims.client, claims.role), claims.expires_at, standing.ask_again_at)

    async def opaque(self, token: str) -> Bearer[Caller] | None:
        """Return the person whose token it is, None when our tables do not hold it. Raises ReadsAwayError."""
        # Counted from before the lookup, as for a client: what is revoked meanwhile ends within the promised time too.
        fresh_until = self._clock() + self._fresh_seconds
        row = await self._directory.token(token_sha256(token))
        if row is None:
            return None
        owner = row.person.owner
        self.people.remember(row.tenant, row.person, fresh_until)
        # A person is a client of their own, so keys of two people, or of a person and a machine, never meet.
        caller = Caller(row.tenant, f"person:{owner}", "person", owner)
        return Bearer(caller, row.expires_at, fresh_until)

    def from_outside(self, outsider: Outsider) -> Caller:
        """Return the caller for whom an identity provider vouches."""
        return Caller(outsider.tenant, outsider.client, outsider.role, outsider.person)
