"""The connection of the operator's commands to Postgres."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from services.stint_cli.trouble import Trouble
from shared.settings import PostgresSettings

# A connection of our own, or one from a pool.
Session = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

_CONNECT_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 60.0
_CLOSE_SECONDS: Final = 5.0


def opened(settings: PostgresSettings, *, patient: bool = False) -> AbstractAsyncContextManager[asyncpg.Connection]:
    """Open one connection, as the settings say, for the length of a command.

    A statement that is not answered within a minute raises TimeoutError: Postgres stands still, or a table is locked.
    `patient` waits for ever, as for a migration.
    """
    dsn, answer_seconds = settings.postgres_dsn.get_secret_value(), None if patient else _ANSWER_SECONDS
    return connected(dsn, settings.postgres_tls, answer_seconds)


@asynccontextmanager
async def connected(
    dsn: str, tls: ssl.SSLContext | None = None, answer_seconds: float | None = None
) -> AsyncIterator[asyncpg.Connection]:
    """Open one connection for the length of a command. Raise Trouble when Postgres does not answer or refuses."""
    try:
        conn = await asyncpg.connect(dsn, ssl=tls, timeout=_CONNECT_SECONDS, command_timeout=answer_seconds)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        # The address has a password in it, so print only the error's text.
        why = str(error) or type(error).__name__
        raise Trouble(f"Postgres does not answer: {why}. (`make up` starts a local one.)") from error
    try:
        yield conn
    finally:
        with suppress(TimeoutError):
            await conn.close(timeout=_CLOSE_SECONDS)


async def clock_ahead(conn: Session) -> timedelta:
    """Return how far Postgres' clock is ahead of the one here."""
    asked_at = datetime.now(UTC)
    now: datetime = await conn.fetchval("SELECT clock_timestamp()")
    return now - asked_at
