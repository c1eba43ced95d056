"""Postgres: the store of the projector. One read and one write per batch, and each is one statement.

A write begins with the compare-and-set of the checkpoints. That gives exactly-once effect, and it fences a projector
that was thought dead. Nothing else is written before it succeeds.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from services.projector.domain.sheet.evolve import LASTING
from services.projector.ports import (
    Advance,
    BusyError,
    Checkpoint,
    FencedError,
    Found,
    KnownError,
    ReadRefusedError,
    ToPublish,
    Wanted,
    WriteRefusedError,
)
from services.projector.settings import Settings
from services.projector.store.queries import query
from services.projector.store.rows import Columns, columns, rows_of
from services.projector.store.sheets import found_in
from services.projector.store.statement import statement_of
from shared.events.outcome import key_of_body
from shared.packing.bodies import body_of

# The schema of the read models that are live. A rebuild gives its tables this name (ADR 27).
LIVE: Final = "fold_v1"

_PRUNED_AT_ONCE: Final = 1_000
_LASTING: Final = sorted(rule.value for rule in LASTING)
# No caller waits for progress, and the next statement repeats all of this one.
_PROGRESS_WITHIN_SECONDS: Final = 3.0
# How long a closing pool may have to wait for its connection. Releasing it ten times a second costs nothing.
_KEPT_SECONDS: Final = 0.1

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


async def open_pool(settings: Settings) -> asyncpg.Pool:
    """Open the projector's pool. Raises OSError or PostgresError while Postgres is away."""
    return await asyncpg.create_pool(
        settings.postgres_dsn.get_secret_value(),
        ssl=settings.postgres_tls,
        min_size=1,
        max_size=settings.postgres_connections_max,
        command_timeout=settings.postgres_within_seconds,
        timeout=settings.postgres_within_seconds,
        server_settings=session_of(settings),
        # We never change a session, and a reset would cost a round trip for each read and each commit.
        reset=as_it_is,
    )


def session_of(settings: Settings) -> dict[str, str]:
    """Return the settings of a projector's session."""
    return {
        "application_name": "stint-projector",
        "search_path": f"{LIVE},public",
        "timezone": "UTC",
        # A projector that is frozen in a transaction holds checkpoints. These limits free them after seconds.
        "transaction_timeout": str(settings.transaction_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_timeout_ms),
        "lock_timeout": str(settings.lock_timeout_ms),
        # Batches are small and tables large, so a plan that reads a whole table or index is never right here: each row
        # is found by its key. While tables are young Postgres would choose such plans, and keep them as the tables
        # grow.
        "enable_seqscan": "off",
        "enable_mergejoin": "off",
        "enable_hashjoin": "off",
        "enable_sort": "off",
        "enable_incremental_sort": "off",
        "jit": "off",
        # A plan for the values of one batch costs more than the batch, and is no better for the next one.
        "plan_cache_mode": "force_generic_plan",
    }


async def as_it_is(_: Connection) -> None:
    """Give a connection back to the pool without a reset."""


class KeptConnection:
    """A connection that stays between two commits. To acquire and release one is a third of a small commit's CPU.

        the pool's ---- taken ----> in a commit ---- done ----> kept ---- taken ----> in a commit
           ^                             |                        |
           +---- failed, or another one is kept already           +---- `_KEPT_SECONDS` are over: the pool's

    The pool replaces a connection that is broken or old. A connection that breaks while it is kept fails the next
    commit, as one that breaks in a commit does. A commit beside another, as recovery makes them, takes one of its own.
    The only connection of a pool is not kept: each read would wait until it is released.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._kept: asyncpg.pool.PoolConnectionProxy | None = None
        self._will_end = False
        self._given_back: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Connection]:
        """Give the connection that is kept, or one of the pool's."""
        conn = self._take() or await self._pool.acquire()
        try:
            yield conn
        except BaseException:
            await self._pool.release(conn)
            raise
        if self._kept is None and self._pool.get_max_size() > 1:
            self._keep(conn)
        else:
            await self._pool.release(conn)

    def _take(self) -> asyncpg.pool.PoolConnectionProxy | None:
        conn, self._kept = self._kept, None
        return conn

    def _keep(self, conn: asyncpg.pool.PoolConnectionProxy) -> None:
        self._kept = conn
        if not self._will_end:
            self._will_end = True
            asyncio.get_running_loop().call_later(_KEPT_SECONDS, self._give_back)

    def _give_back(self) -> None:
        self._will_end = False
        if (conn := self._take()) is not None:
            task = asyncio.create_task(self._pool.release(conn), name="connection given back")
            self._given_back.add(task)
            task.add_done_callback(self._given_back.discard)


class PostgresStore:
    """The store, on a pool from `open_pool`: UTC, the fold's schema in the path, timeouts of seconds."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._connection = KeptConnection(pool)

    async def checkpoint(self, kpart: int) -> Checkpoint:
        """Return where a partition stands. Raises LookupError when the topics job has not made its row."""
        row = await self._pool.fetchrow(query("read_checkpoint"), kpart)
        if row is None:
            raise LookupError(f"no checkpoint for partition {kpart}: run `stint topics`")
        return Checkpoint(**dict(row))

    async def read(self, wanted: Wanted) -> Found:
        """Return what is known of what a batch touches, as of one moment. See `ports.Store`."""
        try:
            return await self._read_touched(wanted)
        except asyncpg.DataError as error:
            raise ReadRefusedError(type(error).__name__) from error

    async def _read_touched(self, wanted: Wanted) -> Found:
        columns_of_owners = [list(column) for column in zip(*wanted.owners, strict=True)] or [[], [], []]
        row = await self._pool.fetchrow(
            query("read_touched"),
            [kpart for kpart, _ in wanted.events],
            [event_id for _, event_id in wanted.events],
            [slot for slot, _ in wanted.timers],
            [timer_id for _, timer_id in wanted.timers],
            list(wanted.timers.values()),
            *columns_of_owners,
            list(wanted.owners.values()),
            *([list(column) for column in zip(*wanted.overlaps, strict=True)] or [[], [], [], [], []]),
            wanted.days_since,
            _LASTING,
            *([list(column) for column in zip(*wanted.jobs, strict=True)] or [[], [], [], []]),
        )
        if row is None:
            raise AssertionError("a SELECT of scalars returns one row")
        return found_in(dict(row))

    async def commit(self, advances: Sequence[Advance]) -> None:
        """Write all of it in one transaction, or nothing. See `ports.Store`."""
        await self.committed(lambda conn: self.write(conn, advances))

    async def committed(self, write: Callable[[Connection], Awaitable[None]]) -> None:
        """Run the write of a commit on the kept connection, or another. Raises what `commit` raises."""
        try:
            async with self._connection.taken() as conn:
                await write(conn)
        except asyncpg.LockNotAvailableError as error:
            raise BusyError("a checkpoint is held by another session") from error
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            # The message may quote the row. The kind of error is enough, because the log has the record.
            raise WriteRefusedError(type(error).__name__) from error

    async def write(self, conn: Connection, advances: Sequence[Advance]) -> None:
        """Move checkpoints, and write outcomes and read models. Or nothing: FencedError, KnownError."""
        await compare_and_set(conn, advances, rows_of(advances).writes())

    async def unpublished(self, kpart: int, published: int, limit: int) -> Sequence[ToPublish]:
        """Return committed outcomes of records from `published` on, in order."""
        rows = await self._pool.fetch(query("read_unpublished"), kpart, published, limit)
        bodies = [(row["source_offset"], body_of(row["body"], row["packed"])) for row in rows]
        return [ToPublish(source_offset, key_of_body(body), body.encode()) for source_offset, body in bodies]

    async def save_progress(self, ats: Sequence[Checkpoint]) -> Mapping[int, bool]:
        """Write down how far outcomes are published. See `ports.Store`."""
        asked = [(at.kpart, at.next_offset, at.published, at.outcomes_next) for at in ats]
        rows = await self._pool.fetch(query("save_progress"), *columns(asked), timeout=_PROGRESS_WITHIN_SECONDS)
        return {row["kpart"]: row["stands"] for row in rows}

    async def prune(self, kpart: int) -> bool:
        """Delete some published outcomes whose keys are no longer remembered; return whether there may be more."""
        return await self._pool.execute(query("prune_outcomes"), kpart, _PRUNED_AT_ONCE) != "DELETE 0"


async def compare_and_set(conn: Connection, advances: Sequence[Advance], writes: Sequence[tuple[str, Columns]]) -> None:
    """Move every checkpoint from where it was read, and make these writes, in one statement.

    Raises FencedError or KnownError, and then nothing was written.
    """
    asked = [(a.to.kpart, a.read_at, *_where(a.to)) for a in sorted(advances, key=lambda a: a.to.kpart)]
    statement = statement_of(tuple(name for name, _ in writes))
    values = (column for _, columns_ in writes for column in columns_)
    ours = await conn.fetch(statement, *columns(asked), *_taken_for_news(advances), *values)
    if len(ours) < len(advances):
        lost = sorted({a.to.kpart for a in advances} - {row["kpart"] for row in ours})
        raise FencedError(f"partitions {lost} are no longer where they were read")
    if any(row["known"] for row in ours):
        raise KnownError("an event has a verdict already, or a drawn id a timer")


def _where(to: Checkpoint) -> tuple[object, ...]:
    return (to.next_offset, to.last_event_id, to.last_log_time, to.policy_rev, to.published, to.outcomes_next)


def _taken_for_news(advances: Sequence[Advance]) -> Columns:
    unread = [advance.unread for advance in advances if advance.unread is not None]
    events = [event for wanted in unread for event in wanted.events]
    drawn = [timer for wanted in unread for timer in wanted.drawn]
    return [
        [kpart for kpart, _ in events],
        [event_id for _, event_id in events],
        [slot for slot, _ in drawn],
        [timer_id for _, timer_id in drawn],
    ]
