"""Callers: the tenant that a token may read, and until when. Every role but `person` reads all of its tenant.

Which key or source judges a token, and for how long it is believed, is the same as for the command API:
`shared/outside/bearers`. An open stream asks again before each piece, at least every 15 seconds.
"""

from collections.abc import Callable
from typing import Final

from services.feed.callers.own_tokens import FeedCaller, FeedTokens, Tokens
from services.feed.callers.tokens import TokensAwayError
from shared.events.rules import Rule
from shared.identity import token_in
from shared.outside.bearers import Bearers
from shared.outside.fetching import SourceAwayError
from shared.outside.sources import Sources
from shared.process.clock import Now

# How long a token, or the client of one, is believed before it is looked at again.
FRESH_SECONDS: Final = 25.0

_TOKENS_MAX: Final = 10_000


class Callers:
    """Finds the caller of a token. `clock` returns seconds; None: the loop's."""

    def __init__(
        self,
        key: bytes,
        tokens: Tokens,
        now: Now,
        *,
        fresh_seconds: float,
        outside: Sources | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._bearers: Bearers[FeedCaller | Rule] = Bearers(
            FeedTokens(key, tokens, now, fresh_seconds, clock),
            outside or Sources((), None, now),
            now,
            tokens_max=_TOKENS_MAX,
            fresh_seconds=fresh_seconds,
            away=TokensAwayError,
            clock=clock,
        )

    async def caller_of(self, authorization: str | None) -> FeedCaller | Rule:
        """Return the caller of an Authorization header's token, or the rule that it breaks. Raises TokensAwayError."""
        token = token_in(authorization)
        if token is None:
            return Rule.TOKEN_UNKNOWN
        try:
            return await self._bearers.caller_of(token) or Rule.TOKEN_UNKNOWN
        except SourceAwayError as error:
            raise TokensAwayError from error

    async def has_ended(self, authorization: str | None, caller: FeedCaller) -> bool:
        """Return whether a token no longer stands for its caller, or can no longer be looked up."""
        try:
            now = await self.caller_of(authorization)
        except TokensAwayError:
            return True  # the stream's reader comes back, and is answered 503
        return isinstance(now, Rule) or (now.tenant, now.client) != (caller.tenant, caller.client)
