"""Bulk: the rows of thousands of outcomes in one transaction, by COPY. The same rows as any commit writes.

A row that is new goes straight into its table: outcomes and history, and timers and intervals that begin in this very
commit. A row that may be there already goes into a temporary table of the session first. The store's own query merges
it from there: where the projector sends arrays, the query reads that table.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from services.projector.domain.outcomes import Kept
from services.projector.loop.partition.recover import Piece
from services.projector.ports import Advance, Checkpoint
from services.projector.settings import Settings
from services.projector.store.postgres import Connection, PostgresStore, as_it_is, compare_and_set, session_of
from services.projector.store.queries import query
from services.projector.store.rows import Rows, rows_of
from services.projector.store.statement import reading_from, types_of
from shared.events.durations import microseconds

# What `Rows.tables` names, but for the two tables that stand outside the versions of the read models.
READ_MODELS: Final = (
    "upsert_timers",
    "upsert_intervals",
    "add_day_totals",
    "add_job_totals",
    "add_work_totals",
    "insert_history",
    "insert_violations",
    "learn_facts",
    "move_deadlines",
)
BESIDE_THE_FOLD: Final = ("insert_outcomes", "insert_dead_letters")

_TABLE: Final = re.compile(r'\bINTO "?(\w+)"?')
# Of an INSERT, also of one within a MERGE.
_COLUMNS: Final = re.compile(r"\bINSERT\b[^(]*\(([^)]+)\)")
# Of these tables no commit changes a row.
_NEW_ALWAYS: Final = frozenset({"insert_outcomes", "insert_dead_letters", "insert_history"})
# Places in the rows of `upsert_timers` and `upsert_intervals`.
_TIMER: Final = 1
_SEQ: Final = 2
_LOGGED_AT: Final = 8
_FLAGS: Final = 14

# From here Postgres counts an instant, in microseconds.
_POSTGRES_BEGINS: Final = datetime(2000, 1, 1, tzinfo=UTC)

_Rows = list[tuple[Any, ...]]


def by_copy(name: str) -> tuple[Sequence[str], str]:
    """Return a query of the store that reads its rows from a table, and the types of that table's columns."""
    return types_of(name), reading_from(name, _incoming(name))


def target_of(name: str) -> tuple[str, Sequence[str]]:
    """Return the table that a query of the store writes, and the columns that it names there."""
    [table], [columns] = _TABLE.findall(query(name)), _COLUMNS.findall(query(name))
    return table, [column.strip() for column in columns.split(",")]


async def make_incoming(conn: asyncpg.Connection) -> None:
    """Make the temporary tables of one session. Each transaction finds them empty.

    The session sends instants as the numbers that Postgres keeps. asyncpg's own codec compares each instant with both
    infinities first, which none of ours is, and takes twice as long: an outcome has six.
    """
    await conn.execute(" ".join(map(_made, READ_MODELS)))
    await conn.set_type_codec("timestamptz", schema="pg_catalog", encoder=_as_kept, decoder=_as_instant, format="tuple")


def _as_kept(at: datetime) -> tuple[int]:
    return (microseconds(_POSTGRES_BEGINS, at),)


def _as_instant(kept: tuple[int]) -> datetime:
    return _POSTGRES_BEGINS + timedelta(microseconds=kept[0])


def _made(name: str) -> str:
    types, _ = by_copy(name)
    columns = ", ".join(f"c{number} {type_}" for number, type_ in enumerate(types))
    return f"CREATE TEMP TABLE {_incoming(name)} ({columns}) ON COMMIT DELETE ROWS;"


async def open_bulk_pool(settings: Settings, connections: int, **options: str) -> asyncpg.Pool:
    """Open a pool for a `BulkStore`: like the projector's own, with `options` of the session that go before."""
    return await asyncpg.create_pool(
        settings.postgres_dsn.get_secret_value(),
        ssl=settings.postgres_tls,
        min_size=1,
        max_size=connections,
        command_timeout=settings.postgres_within_seconds,
        timeout=settings.postgres_within_seconds,
        server_settings=session_of(settings) | options,
        init=make_incoming,
        reset=as_it_is,
    )


def _ignore(_: Checkpoint) -> None:
    pass


class BulkStore(PostgresStore):
    """A store on a pool whose sessions were given to `make_incoming`. It runs no query of `left_out`.

    `reached` is called after each commit, with the new checkpoint of each of its partitions.
    """

    def __init__(
        self, pool: asyncpg.Pool, left_out: Sequence[str] = (), reached: Callable[[Checkpoint], object] = _ignore
    ) -> None:
        super().__init__(pool)
        self._left_out = left_out
        self._reached = reached

    def gather(self, kpart: int) -> Piece:
        """Return a piece that makes rows of its outcomes one by one.

        So each outcome is read, used and freed before the next one is read. Thousands that are all read, then all used
        and then all freed leave the processor's cache in between, which was a fourteenth of what a helper did.
        """
        return _PieceInRows(self, kpart, Rows(self._left_out))

    async def commit(self, advances: Sequence[Advance]) -> None:
        """Write all of it in one transaction, or nothing. See `ports.Store`."""
        await self.commit_rows(advances, rows_of(advances, self._left_out))

    async def commit_rows(self, advances: Sequence[Advance], rows: Rows) -> None:
        """Commit the rows of outcomes, whether or not `advances` have the outcomes. Every commit comes this way."""
        await self.committed(lambda conn: self._write_rows(conn, advances, rows))
        for advance in advances:
            self._reached(advance.to)

    async def write(self, conn: Connection, advances: Sequence[Advance]) -> None:
        """Move checkpoints and write all rows, in a transaction, or raise FencedError."""
        await self._write_rows(conn, advances, rows_of(advances, self._left_out))

    async def _write_rows(self, conn: Connection, advances: Sequence[Advance], rows: Rows) -> None:
        async with conn.transaction():
            await compare_and_set(conn, advances, ())
            await self._fill(conn, rows.tables())

    async def _fill(self, conn: Connection, tables: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
        begun, before = _split(tables.get("upsert_intervals", []), _begins_here)
        started = {row[_TIMER] for row in begun if row[_SEQ] == 1}
        new, known = _split(tables.get("upsert_timers", []), lambda row: row[_TIMER] in started)
        for name, rows in {**tables, "upsert_timers": known, "upsert_intervals": before}.items():
            await (_put if name in _NEW_ALWAYS else _merge)(conn, name, rows)
        await _put(conn, "upsert_timers", [(*row[:_FLAGS], _listed(row[_FLAGS]), *row[_FLAGS + 1 :]) for row in new])
        # After the intervals of earlier commits: a timer's last interval must end before its next one is open.
        await _put(conn, "upsert_intervals", begun)


class _PieceInRows:
    """A piece of one partition's outcomes, as rows."""

    def __init__(self, store: BulkStore, kpart: int, rows: Rows) -> None:
        self._store = store
        self._kpart = kpart
        self._rows = rows

    def add(self, one: Kept) -> None:
        """Add the next outcome."""
        self._rows.add(self._kpart, one)

    async def commit(self, read_at: int, to: Checkpoint) -> None:
        """Write what was added, and move the checkpoint."""
        await self._store.commit_rows([Advance(read_at, to, ())], self._rows)


def _split(rows: Sequence[tuple[Any, ...]], is_new: Callable[[tuple[Any, ...]], bool]) -> tuple[_Rows, _Rows]:
    new: _Rows = []
    known: _Rows = []
    for row in rows:
        (new if is_new(row) else known).append(row)
    return new, known


def _begins_here(interval: tuple[Any, ...]) -> bool:
    # Known only to the commit in which the interval begins, see `Rows`. It begins once.
    return interval[_LOGGED_AT] is not None


def _listed(flags: str) -> list[str]:
    return flags.split(",") if flags else []


async def _put(conn: Connection, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows of which none is there yet."""
    if rows:
        table, columns = target_of(name)
        await conn.copy_records_to_table(table, columns=columns, records=rows)


async def _merge(conn: Connection, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows of which some may be there."""
    if rows:
        _, sql = by_copy(name)
        await conn.copy_records_to_table(_incoming(name), records=rows)
        await conn.execute(sql)


def _incoming(name: str) -> str:
    return f"incoming_{name}"
