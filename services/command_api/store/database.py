"""The way to Postgres: a pool that starts without Postgres, survives its restarts, and answers within a limit."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import asyncpg

from services.command_api.desk.rows import ReadsAwayError
from shared.sql import Queries

query: Final = Queries(Path(__file__).parent)

_Once = Callable[[str, tuple[object, ...]], Awaitable[list[asyncpg.Record]]]

# SQLSTATE classes: connection exception, insufficient resources, operator intervention (shutdown, still starting).
_AWAY_CLASSES: Final = ("08", "53", "57")
# After Postgres was away, requests of the next moment are refused at once, instead of waiting for the same answer.
_AWAY_FOR_SECONDS: Final = 0.25

# How every session plans. The queries are worded for it: each look has one index, in whose order a page is read.
_PLANS: Final = {
    # Of one statement Postgres plans the first five runs for their values. For an owner of ten thousand timers it then
    # reads all of them and sorts, where the plan for any owner reads a page.
    "plan_cache_mode": "force_generic_plan",
    # A plan for any values does not know how small a page is, so without these it would rather read all and sort, too.
    "enable_seqscan": "off",
    "enable_sort": "off",
    "enable_incremental_sort": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "max_parallel_workers_per_gather": "0",
    # To compile a plan costs more than any of these reads, and what is off above makes plans look dear.
    "jit": "off",
}
_READS: Final = {"default_transaction_read_only": "on"}
# A row that was locked must be seen as it is now, and what is written here is not worth a wait for the disk.
_WRITES: Final = {"default_transaction_isolation": "read committed", "synchronous_commit": "off"}


def session_of(*, writes: bool) -> dict[str, str]:
    """Return what a session of the API's is set to."""
    return {"application_name": "command_api"} | _PLANS | (_WRITES if writes else _READS)


class Database:
    """Runs queries on connections of a pool. Raises ReadsAwayError within about `within_seconds`.

    `writes`: queries may write; after a crash of Postgres, what they wrote in the last second may be gone.
    """

    def __init__(
        self,
        dsn: str,
        *,
        connections_max: int,
        within_seconds: float,
        tls: ssl.SSLContext | None = None,
        writes: bool = False,
    ) -> None:
        self._dsn = dsn
        self._tls = tls
        self._writes = writes
        self.connections_max = connections_max
        self.within_seconds = within_seconds
        self._pool: asyncpg.Pool | None = None
        self._away_until = 0.0

    async def open(self) -> None:
        """Make the pool. The first query makes the first connection."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            ssl=self._tls,
            min_size=0,
            max_size=self.connections_max,
            timeout=self.within_seconds,
            command_timeout=self.within_seconds,
            reset=_keep,
            server_settings=session_of(writes=self._writes),
        )

    async def close(self) -> None:
        """Close every connection. Waits for running queries, so call it with a deadline."""
        if self._pool is not None:
            await self._pool.close()

    def terminate(self) -> None:
        """Drop every connection at once."""
        if self._pool is not None:
            self._pool.terminate()

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Return all rows of a query. Raises ReadsAwayError; other errors of Postgres are bugs of ours."""
        return await self._or_away(self._read, sql, arguments)

    async def written(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a statement that writes where sessions only read. It may run twice. Returns and raises as `rows` does."""
        return await self._or_away(self._write, sql, arguments)

    async def _or_away(self, once: _Once, sql: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        loop = asyncio.get_running_loop()
        if self._pool is None or loop.time() < self._away_until:
            raise ReadsAwayError
        try:
            return await self._twice(once, sql, arguments)
        except TimeoutError as error:
            raise ReadsAwayError from error  # perhaps only this query was slow, so others still try
        except (OSError, asyncpg.InterfaceError) as error:
            if isinstance(error, ValueError):
                raise  # asyncpg could not encode an argument: a bug of ours
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

    async def _twice(self, once: _Once, sql: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        # After Postgres came back, each older connection fails once. A retry is safe when queries only read, and for
        # `written`, whose statements give the same row the same value.
        try:
            return await once(sql, arguments)
        except (ConnectionError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
            if self._writes:
                raise
            return await once(sql, arguments)

    async def _read(self, sql: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        if self._pool is None:
            raise ReadsAwayError
        async with self._pool.acquire(timeout=self.within_seconds) as connection:
            rows: list[Any] = await connection.fetch(sql, *arguments)
            return rows

    async def _write(self, sql: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        if self._pool is None:
            raise ReadsAwayError
        async with self._pool.acquire(timeout=self.within_seconds) as connection, connection.transaction():
            # Sessions are read-only, so that no query of ours writes by mistake. This transaction alone is not.
            await connection.execute("SET TRANSACTION READ WRITE")
            rows: list[Any] = await connection.fetch(sql, *arguments)
            return rows


async def _keep(_: asyncpg.Connection) -> None:
    """Leave a connection as its query left it: no query changes its session, and a reset is a second round trip."""


def _says_away(error: asyncpg.PostgresError) -> bool:
    return (getattr(error, "sqlstate", None) or "")[:2] in _AWAY_CLASSES
