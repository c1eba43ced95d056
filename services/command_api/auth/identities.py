"""Identities: the caller that a token stands for.

Signed tokens are trusted by their signature, unless their client was revoked. Opaque tokens are looked up and
remembered, so with Postgres away the callers of the last minutes go on working: a remembered token is good until it
expires.

    signed, names an issuer   that issuer alone is believed, never our own key       shared/outside
    signed, names none        our own key                                            shared/identity
    opaque, in our tables     a person of ours                                       store/directory
    opaque, in none           the source for introspection is asked, if there is one shared/outside
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.command_api.auth.client_secrets import ClientSecrets
from services.command_api.auth.revocations import Revocations
from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Away, Busy, IssuedToken, Now, Unknown
from services.command_api.desk.rows import Person, ReadsAwayError
from services.command_api.store.directory import Directory
from shared.bounded import make_room
from shared.identity import (
    TOKEN_LIFE,
    TokenClaims,
    is_signed,
    read_token,
    sign_token,
    token_in,
    token_sha256,
)
from shared.outside.claims import Outsider
from shared.outside.fetching import SourceAwayError
from shared.outside.introspection import BELIEVED_AWAY_SECONDS, BELIEVED_SECONDS, UNKNOWN_SECONDS
from shared.outside.sources import Sources

# When an unknown token, or one that could not be looked up again, is looked up the next time.
RETRY_SECONDS: Final = 5.0
UNKNOWN_MAX: Final = 10_000


@dataclass(slots=True)
class _Bearer:
    """The caller that a token stands for. In loop time: `fresh_until` token or client is looked up again.

    `believed_until`: as long as that fails, because a part is away. `introspected`: the source outside told us.
    """

    caller: Caller
    expires_at: datetime
    fresh_until: float
    believed_until: float = math.inf
    introspected: bool = False


class TokenIdentities:
    """`desk.Identities`, over the directory, one signing key, and the sources outside."""

    def __init__(
        self,
        directory: Directory,
        key: bytes,
        now: Now,
        *,
        tokens_max: int,
        fresh_seconds: float,
        outside: Sources | None = None,
    ) -> None:
        self._directory = directory
        self._outside = outside or Sources((), None, now)
        self._key = key
        self._now = now
        self._tokens_max = tokens_max
        self._fresh_seconds = fresh_seconds
        self._loop = asyncio.get_running_loop()
        self._known: dict[str, _Bearer] = {}
        # A dict of their own, so that many wrong tokens push no good one out. Values are loop time.
        self._unknown_until: dict[str, float] = {}
        self._people: dict[tuple[str, str], Person] = {}
        self._looking: dict[str, asyncio.Task[_Bearer | None]] = {}
        self._secrets = ClientSecrets(directory)
        self._revocations = Revocations(
            directory, clients_max=tokens_max, fresh_seconds=fresh_seconds, retry_seconds=RETRY_SECONDS
        )

    async def caller_of(self, authorization: str | None) -> Caller | Unknown | Away:
        """Return the caller of an Authorization header's token. Both schemes may carry both kinds of token."""
        token = token_in(authorization)
        if token is None:
            return Unknown()
        known = self._known.get(token)
        if known is None or known.fresh_until <= self._loop.time():
            try:
                known = await self._look(token)
            except (ReadsAwayError, SourceAwayError):
                # Asked again, because a token that was withdrawn has been forgotten meanwhile.
                known = self._known.get(token)
                if known is None or known.believed_until <= self._loop.time():
                    return Away()
                known.fresh_until = min(self._loop.time() + RETRY_SECONDS, known.believed_until)
        if known is None or known.expires_at <= self._now():
            return Unknown()
        return known.caller

    def person_of(self, caller: Caller) -> Person | None:
        """Return the person behind a caller, as found with the token."""
        return None if caller.person is None else self._people.get((caller.tenant, caller.person))

    async def issue_token(self, client_id: str, secret: str) -> IssuedToken | Busy | None:
        """Return a new token for a client, None when id and secret do not fit. Raises ReadsAwayError."""
        client = await self._secrets.client(client_id, secret)
        if client is None or isinstance(client, Busy):
            return client
        now = self._now()
        token = sign_token(TokenClaims(client.tenant, client_id, client.role, now, now + TOKEN_LIFE), self._key)
        return IssuedToken(token, int(TOKEN_LIFE.total_seconds()))

    async def _look(self, token: str) -> _Bearer | None:
        if self._unknown_until.get(token, 0.0) > self._loop.time():
            return None
        if is_signed(token):
            return self._remember(token, await self._read(token))
        # Fifty requests with one new token are one lookup.
        looking = self._looking.get(token)
        if looking is None:
            looking = self._looking[token] = self._loop.create_task(self._find(token))
            looking.add_done_callback(self._look_ended(token))
        return await asyncio.shield(looking)

    def _look_ended(self, token: str) -> Callable[["asyncio.Task[_Bearer | None]"], None]:
        def ended(looked: "asyncio.Task[_Bearer | None]") -> None:
            del self._looking[token]
            if not looked.cancelled():
                looked.exception()  # each request that waits gets the error; without one, asyncio must not log it

        return ended

    async def _read(self, token: str) -> _Bearer | None:
        named = self._outside.issuers.token_of(token)
        if named is not None:
            until = self._loop.time() + self._fresh_seconds
            return self._vouched(await self._outside.issuers.caller_of(named), until, until)
        claims = read_token(token, self._key, self._now())
        if claims is None:
            return None
        standing = await self._revocations.of(claims.client)
        if standing.revoked:
            return None
        return _Bearer(Caller(claims.tenant, claims.client, claims.role), claims.expires_at, standing.ask_again_at)

    async def _find(self, token: str) -> _Bearer | None:
        known = self._known.get(token)
        if known is not None and known.introspected:
            return await self._introspect(token)
        row = await self._directory.token(token_sha256(token))
        if row is None:
            # A token of ours that was withdrawn ends here, and not when the source answers.
            self._known.pop(token, None)
            return await self._introspect(token)
        owner = row.person.owner
        self._people.pop((row.tenant, owner), None)
        make_room(self._people, self._tokens_max)
        self._people[row.tenant, owner] = row.person
        # A person is a client of their own, so keys of two people, or of a person and a machine, never meet.
        caller = Caller(row.tenant, f"person:{owner}", "person", owner)
        return self._remember(token, _Bearer(caller, row.expires_at, self._loop.time() + self._fresh_seconds))

    async def _introspect(self, token: str) -> _Bearer | None:
        source = self._outside.introspector
        if source is None:
            return self._remember(token, None)
        now = self._loop.time()
        found = self._vouched(await source.caller_of(token), now + BELIEVED_SECONDS, now + BELIEVED_AWAY_SECONDS)
        if found is not None:
            found.introspected = True
        return self._remember(token, found, UNKNOWN_SECONDS)

    def _vouched(self, found: Outsider | None, fresh_until: float, believed_until: float) -> _Bearer | None:
        if found is None:
            return None
        if found.person is not None and (found.tenant, found.person) not in self._people:
            # Without the aliases that our own tables may have of that person.
            make_room(self._people, self._tokens_max)
            self._people[found.tenant, found.person] = Person(found.person, found.person, ())
        caller = Caller(found.tenant, found.client, found.role, found.person)
        return _Bearer(caller, found.expires_at, fresh_until, believed_until)

    def _remember(self, token: str, known: _Bearer | None, unknown_seconds: float | None = None) -> _Bearer | None:
        self._known.pop(token, None)
        self._unknown_until.pop(token, None)
        if known is None:
            make_room(self._unknown_until, UNKNOWN_MAX)
            seconds = RETRY_SECONDS if unknown_seconds is None else unknown_seconds
            self._unknown_until[token] = self._loop.time() + seconds
        else:
            make_room(self._known, self._tokens_max)
            self._known[token] = known
        return known
