"""Tokens: what Postgres knows of them. Which opaque ones are a person's, and which clients of signed ones were revoked.

A person may not read the feed, so a caller with such a token asks once. Strangers may ask often: few lookups run at a
time, and few wait.
"""

import asyncio
import ssl
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from shared.process.ending import ended_within
from shared.sql import POSTGRES_FAILED, Queries

query: Final = Queries(Path(__file__).parent)

_FIND_TOKEN_END: Final = query("find_token_end")
_IS_REVOKED: Final = query("is_revoked")
CONNECTIONS_MAX: Final = 2
_WAITING_MAX: Final = 50
_CLOSE_WITHIN_SECONDS: Final = 3.0


class TokensAwayError(Exception):
    """Postgres does not answer, or too many ask it."""


class TokenRows:
    """Lookups in Postgres. It starts without Postgres."""

    def __init__(self, dsn: str, tls: ssl.SSLContext | None, within_seconds: float) -> None:
        self._dsn = dsn
        self._tls = tls
        self._within_seconds = within_seconds
        self._pool: asyncpg.Pool | None = None
        self._asking = 0

    async def open(self) -> None:
        """Make the pool. The first lookup makes the first connection."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            ssl=self._tls,
            min_size=0,
            max_size=CONNECTIONS_MAX,
            timeout=self._within_seconds,
            command_timeout=self._within_seconds,
            server_settings={"application_name": "feed", "default_transaction_read_only": "on"},
        )

    async def close(self) -> None:
        """Close every connection, within a limit."""
        if self._pool is not None and not await ended_within(_CLOSE_WITHIN_SECONDS, self._pool.close(), "tokens"):
            self._pool.terminate()

    async def token_end(self, sha256: str) -> datetime | None:
        """Return until when the token with this SHA-256 works; None: it is no person's. Raises TokensAwayError."""
        end: datetime | None = await self._value(_FIND_TOKEN_END, sha256)
        return end

    async def is_revoked(self, client: str) -> bool:
        """Return whether a client was revoked. Raises TokensAwayError."""
        # A client without a row has a token that our key signed, and was not revoked.
        return bool(await self._value(_IS_REVOKED, client))

    async def _value(self, sql: str, argument: str) -> Any:  # noqa: ANN401 - asyncpg's own
        if self._pool is None or self._asking >= _WAITING_MAX:
            raise TokensAwayError
        self._asking += 1
        try:
            return await self._twice(self._pool, sql, argument)
        except POSTGRES_FAILED as error:
            raise TokensAwayError from error
        finally:
            self._asking -= 1

    async def _twice(self, pool: asyncpg.Pool, sql: str, argument: str) -> Any:  # noqa: ANN401 - asyncpg's own
        async with asyncio.timeout(self._within_seconds):
            # After Postgres came back, each older connection fails once.
            with suppress(ConnectionError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                return await pool.fetchval(sql, argument)
            return await pool.fetchval(sql, argument)
