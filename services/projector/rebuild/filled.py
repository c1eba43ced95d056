"""The store that is filled: the projector's own rows and the projector's own queries, so that both give the same bytes.

A commit moves the checkpoint of the new tables and writes their rows in one transaction. So a rebuild that is killed at
any moment has lost nothing, and goes on from its checkpoints.
"""

from collections.abc import Callable, Sequence
from typing import Final

import asyncpg

from services.projector.ports import Advance
from services.projector.store.postgres import Connection, PostgresStore, compare_and_set
from services.projector.store.rows import Columns, rows_of
from services.projector.store.statement import reading_from, types_of

# These tables stand outside the versions of the read models, and have all of it already.
BESIDE_THE_FOLD: Final = frozenset({"insert_outcomes", "insert_dead_letters"})
# What `Rows.writes` names besides.
WRITES: Final = (
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


def by_copy(name: str) -> tuple[Sequence[str], str]:
    """Return a query of the store that reads its rows from a table, and the types of that table's columns.

    The projector sends columns as arrays. Thousands of rows come faster with COPY, so here the arrays are a table.
    """
    return types_of(name), reading_from(name, _incoming(name))


async def make_incoming(conn: asyncpg.Connection) -> None:
    """Make the tables that rows come into, for one session. Each transaction finds them empty."""
    for name in WRITES:
        types, _ = by_copy(name)
        columns = ", ".join(f"c{number} {type_}" for number, type_ in enumerate(types))
        await conn.execute(f"CREATE TEMP TABLE {_incoming(name)} ({columns}) ON COMMIT DELETE ROWS")


class FilledStore(PostgresStore):
    """The new tables, on a pool whose sessions have them in the path and were given to `make_incoming`.

    `reached` is called after each commit, with a partition and how far its judged stream is read.
    """

    def __init__(self, pool: asyncpg.Pool, reached: Callable[[int, int], None]) -> None:
        super().__init__(pool)
        self._reached = reached

    async def commit(self, advances: Sequence[Advance]) -> None:
        """Write all of it in one transaction, or nothing. See `ports.Store`."""
        await super().commit(advances)
        for advance in advances:
            self._reached(advance.to.kpart, advance.to.outcomes_next)

    async def write(self, conn: Connection, advances: Sequence[Advance]) -> None:
        """Move checkpoints and write the read models alone, in a transaction, or raise FencedError."""
        async with conn.transaction():
            await compare_and_set(conn, advances, ())
            for name, values in rows_of(advances).writes():
                if name not in BESIDE_THE_FOLD:
                    await _write(conn, name, values)


async def _write(conn: Connection, name: str, values: Columns) -> None:
    _, sql = by_copy(name)
    await conn.copy_records_to_table(_incoming(name), records=list(zip(*values, strict=True)))
    await conn.execute(sql)


def _incoming(name: str) -> str:
    return f"incoming_{name}"
