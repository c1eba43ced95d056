"""How the operator's commands open Postgres."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from services.stint_cli.trouble import Trouble

# One connection, or one that a pool has lent.
Session = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

_CONNECT_SECONDS: Final = 10.0


@asynccontextmanager
async def connected(dsn: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[asyncpg.Connection]:
    """Give one connection for the length of a command. Raise Trouble when there is no Postgres to talk to."""
    try:
        conn = await asyncpg.connect(dsn, ssl=tls, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        # The address holds a password, so the error's own words must do.
        raise Trouble(f"Postgres does not answer: {str(error) or type(error).__name__}.") from error
    try:
        yield conn
    finally:
        await conn.close()
