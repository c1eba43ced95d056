"""Introspection: one source is asked about opaque tokens that our tables do not hold (RFC 7662).

Strangers can cause a question with each token that they invent. So only so many are asked at once, only so many wait
behind them, and after a failure no question is sent for a second.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote_plus

from shared.outside.claims import Outsider, outsider_of
from shared.outside.fetching import CONNECTIONS_MAX, SourceAwayError
from shared.outside.trusted import Introspection
from shared.process.backoff import Setbacks
from shared.process.clock import Now

# How long an answer is believed; how long when the source is away; how long an unknown token is not asked about again.
BELIEVED_SECONDS: Final = 300.0
BELIEVED_AWAY_SECONDS: Final = 3600.0
UNKNOWN_SECONDS: Final = 30.0

WAITING_MAX: Final = 100
AWAY_SECONDS: Final = 1.0
# Refresh tokens are active too, and tokens bound to a key are worth nothing without a proof that we do not ask for.
_BEARERS: Final = frozenset({"bearer", "access_token"})

Ask = Callable[[str], Awaitable[bytes]]


class Introspector:
    """Asks one source. `ask` sends a token there and returns the body; `clock` returns seconds, None: the loop's."""

    def __init__(self, trust: Introspection, ask: Ask, now: Now, clock: Callable[[], float] | None = None) -> None:
        self._trust = trust
        self._ask = ask
        self._now = now
        self._clock = clock or asyncio.get_running_loop().time
        self._turns = asyncio.Semaphore(CONNECTIONS_MAX)
        self._admitted = 0
        self._away_until = float("-inf")
        self._setbacks = Setbacks("introspection_failed")

    async def caller_of(self, token: str) -> Outsider | None:
        """Return the caller, None when the token is unknown or not to be believed. Raises SourceAwayError."""
        if self._admitted >= CONNECTIONS_MAX + WAITING_MAX:
            raise SourceAwayError("too many tokens wait for an answer")
        self._admitted += 1
        try:
            async with self._turns:
                answer = await self._answer(token)
        finally:
            self._admitted -= 1
        kind = answer.get("token_type")
        if answer["active"] is False or (kind is not None and str(kind).lower() not in _BEARERS):
            return None
        return outsider_of(answer, self._trust, vouched_by=self._trust.url, now=self._now())

    async def _answer(self, token: str) -> dict[str, Any]:
        if self._clock() < self._away_until:
            raise SourceAwayError("the source was away a moment ago")
        try:
            answer = _read(await self._ask(token))
        except SourceAwayError as error:
            self._away_until = self._clock() + AWAY_SECONDS
            self._setbacks.failed(error, url=self._trust.url)
            raise
        self._setbacks.recovered()
        return answer


def question(token: str) -> dict[str, str]:
    """Return the form that asks about a token."""
    return {"token": token, "token_type_hint": "access_token"}


def login(trust: Introspection) -> tuple[str, str]:
    """Return user and password for HTTP Basic, each encoded as RFC 6749, section 2.3.1, wants it."""
    return quote_plus(trust.client_id), quote_plus(trust.client_secret.get_secret_value())


def _read(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise SourceAwayError("the answer is not JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
        raise SourceAwayError("the answer does not say whether the token is active")
    return answer
