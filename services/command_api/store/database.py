"""The way to Postgres: a pool that is made without it, outlives it, and never makes anybody wait long for it."""

import asyncio
import ssl
from pathlib import Path
from typing import Any, Final

import asyncpg

from services.command_api.desk.rows import ReadsAwayError
from shared.sql import Queries

query: Final = Queries(Path(__file__).parent)

# Connection exceptions, resources short, operator's intervention (a shutdown, a start not finished).
_AWAY_CLASSES: Final = ("08", "53", "57")
# Once it was away, who comes in the next moment is told at once instead of waiting for the same answer.
_AWAY_FOR_SECONDS: Final = 0.25


class Database:
    """Runs one query at a time on a connection of the pool. Raises ReadsAwayError within `within_seconds` or so."""

    def __init__(
        self, dsn: str, *, connections_max: int, within_seconds: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._dsn = dsn
        self._tls = tls
        self.connections_max = connections_max
        self.within_seconds = within_seconds
        self._pool: asyncpg.Pool | None = None
        self._away_until = 0.0

    async def open(self) -> None:
        """Make the pool. No connection is made until somebody asks for one."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            ssl=self._tls,
            min_size=0,
            max_size=self.connections_max,
            timeout=self.within_seconds,
            command_timeout=self.within_seconds,
            server_settings={"application_name": "command_api", "default_transaction_read_only": "on"},
        )

    async def close(self) -> None:
        """Close every connection. Waits for queries that run: put a deadline on it."""
        if self._pool is not None:
            await self._pool.close()

    def terminate(self) -> None:
        """Drop every connection at once."""
        if self._pool is not None:
            self._pool.terminate()

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Return all rows of a query."""
        loop = asyncio.get_running_loop()
        if self._pool is None or loop.time() < self._away_until:
            raise ReadsAwayError
        try:
            return await self._twice(sql, arguments)
        except TimeoutError as error:
            raise ReadsAwayError from error  # one query was slow, or Postgres is frozen: the others may find out
        except (OSError, asyncpg.InterfaceError) as error:
            if isinstance(error, ValueError):
                raise  # asyncpg could not encode an argument: a bug of ours, and no news of Postgres
            self._away_until = loop.time() + _AWAY_FOR_SECONDS
            raise ReadsAwayError from error
        except asyncpg.PostgresError as error:
            if not _says_away(error):
                raise
            self._away_until = loop.time() + _AWAY_FOR_SECONDS
            raise ReadsAwayError from error

    async def row(self, sql: str, *arguments: object) -> asyncpg.Record | None:
        """Return the first row of a query, or None."""
        rows = await self.rows(sql, *arguments)
        return rows[0] if rows else None

    async def _twice(self, sql: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        # After Postgres came back, each connection of the time before fails once; every query here only reads.
        try:
            return await self._once(sql, arguments)
        except (ConnectionError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
            return await self._once(sql, arguments)

    async def _once(self, sql: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        if self._pool is None:
            raise ReadsAwayError
        async with self._pool.acquire(timeout=self.within_seconds) as connection:
            rows: list[Any] = await connection.fetch(sql, *arguments)
            return rows


def _says_away(error: asyncpg.PostgresError) -> bool:
    return (getattr(error, "sqlstate", None) or "")[:2] in _AWAY_CLASSES
