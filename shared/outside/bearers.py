"""Bearers: which caller a token stands for, and for how long that is believed. One way for every service.

    signed, names an issuer   that issuer alone is believed, never our own key              issuers
    signed, names none        our own key                                                   `OwnTokens.signed`
    opaque, in our tables     one of ours                                                   `OwnTokens.opaque`
    opaque, in none           the source for introspection is asked, if there is one        introspection

What was found is remembered, so with a part away the callers of the last minutes go on working: a remembered token is
good until it expires, or until it is no longer believed. It is remembered by its SHA-256: a provider's token may have
4,096 characters, and a hundred thousand of them would be more memory than a process has.
"""

import asyncio
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

from shared.bounded import make_room
from shared.identity import is_signed
from shared.outside.claims import Outsider
from shared.outside.fetching import SourceAwayError
from shared.outside.introspection import BELIEVED_AWAY_SECONDS, BELIEVED_SECONDS, UNKNOWN_SECONDS
from shared.outside.sources import Sources
from shared.process.clock import Now

# When an unknown token, or one that could not be looked up again, is looked up the next time.
RETRY_SECONDS: Final = 5.0
UNKNOWN_MAX: Final = 10_000

_C = TypeVar("_C")


@dataclass(slots=True)
class Bearer(Generic[_C]):
    """The caller that a token stands for. In the clock's seconds: `fresh_until` token or client is looked up again.

    `believed_until`: as long as that fails, because a part is away. `introspected`: by the source outside.
    """

    caller: _C
    expires_at: datetime
    fresh_until: float
    believed_until: float = math.inf
    introspected: bool = False


class OwnTokens(Protocol[_C]):
    """What a service knows of tokens that we made, and what a caller from outside is to it."""

    async def signed(self, token: str) -> Bearer[_C] | None:
        """Return whose token it is that names no issuer; None: our key did not sign it, or its client has ended."""

    async def opaque(self, token: str) -> Bearer[_C] | None:
        """Return whose token it is; None: our tables do not hold it."""

    def from_outside(self, outsider: Outsider) -> _C:
        """Return what a caller from outside is to this service."""


class Bearers(Generic[_C]):
    """Finds the caller of a token. `away` is what `own` raises without Postgres; `clock` None: the loop's seconds."""

    def __init__(
        self,
        own: OwnTokens[_C],
        outside: Sources,
        now: Now,
        *,
        tokens_max: int,
        fresh_seconds: float,
        away: type[Exception],
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._own = own
        self._outside = outside
        self._now = now
        self._tokens_max = tokens_max
        self._fresh_seconds = fresh_seconds
        self._away = (SourceAwayError, away)
        self._clock = clock or asyncio.get_running_loop().time
        # The keys of all three are `_mark`s.
        self._known: dict[bytes, Bearer[_C]] = {}
        # A dict of their own, so that many wrong tokens push no good one out. Values are the clock's seconds.
        self._unknown_until: dict[bytes, float] = {}
        self._looking: dict[bytes, asyncio.Task[Bearer[_C] | None]] = {}

    async def caller_of(self, token: str) -> _C | None:
        """Return the caller, None: unknown. Raises SourceAwayError or `away` when nothing is remembered either."""
        mark = _mark(token)
        known = self._known.get(mark)
        if known is None or known.fresh_until <= self._clock():
            try:
                known = await self._look(token, mark)
            except self._away:
                # Asked again, because a token that was withdrawn has been forgotten meanwhile.
                known = self._known.get(mark)
                if known is None or known.believed_until <= self._clock():
                    raise
                known.fresh_until = min(self._clock() + RETRY_SECONDS, known.believed_until)
        return None if known is None or known.expires_at <= self._now() else known.caller

    async def _look(self, token: str, mark: bytes) -> Bearer[_C] | None:
        if self._unknown_until.get(mark, 0.0) > self._clock():
            return None
        if is_signed(token):
            return self._remember(mark, await self._read(token))
        # Fifty requests with one new token are one lookup.
        looking = self._looking.get(mark)
        if looking is None:
            looking = self._looking[mark] = asyncio.create_task(self._find(token, mark))
            looking.add_done_callback(self._look_ended(mark))
        return await asyncio.shield(looking)

    def _look_ended(self, mark: bytes) -> Callable[["asyncio.Task[Bearer[_C] | None]"], None]:
        def ended(looked: "asyncio.Task[Bearer[_C] | None]") -> None:
            del self._looking[mark]
            if not looked.cancelled():
                looked.exception()  # each request that waits gets the error; without one, asyncio must not log it

        return ended

    async def _read(self, token: str) -> Bearer[_C] | None:
        named = self._outside.issuers.token_of(token)
        if named is None:
            return await self._own.signed(token)
        until = self._clock() + self._fresh_seconds
        return self._from_outside(await self._outside.issuers.caller_of(named), until, until)

    async def _find(self, token: str, mark: bytes) -> Bearer[_C] | None:
        known = self._known.get(mark)
        if known is None or not known.introspected:
            found = await self._own.opaque(token)
            if found is not None:
                return self._remember(mark, found)
            # A token of ours that was withdrawn ends here, and not when the source answers.
            self._known.pop(mark, None)
        return await self._introspect(token, mark)

    async def _introspect(self, token: str, mark: bytes) -> Bearer[_C] | None:
        source = self._outside.introspector
        if source is None:
            return self._remember(mark, None)
        now = self._clock()
        found = self._from_outside(await source.caller_of(token), now + BELIEVED_SECONDS, now + BELIEVED_AWAY_SECONDS)
        if found is not None:
            found.introspected = True
        return self._remember(mark, found, UNKNOWN_SECONDS)

    def _from_outside(self, found: Outsider | None, fresh_until: float, believed_until: float) -> Bearer[_C] | None:
        if found is None:
            return None
        return Bearer(self._own.from_outside(found), found.expires_at, fresh_until, believed_until)

    def _remember(
        self, mark: bytes, known: Bearer[_C] | None, unknown_seconds: float | None = None
    ) -> Bearer[_C] | None:
        self._known.pop(mark, None)
        self._unknown_until.pop(mark, None)
        if known is None:
            make_room(self._unknown_until, UNKNOWN_MAX)
            seconds = RETRY_SECONDS if unknown_seconds is None else unknown_seconds
            self._unknown_until[mark] = self._clock() + seconds
        else:
            make_room(self._known, self._tokens_max)
            self._known[mark] = known
        return known


def _mark(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
