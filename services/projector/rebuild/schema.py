"""The schema that is filled: made like the live one, indexed when it is full, dropped when it is not wanted.

The layout is copied from the live schema, name by name, so that migrations find after the switch what they made.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from services.projector.rebuild.at_once import at_once
from services.projector.rebuild.messages import RebuildError
from services.projector.rebuild.queries import query
from services.projector.store.postgres import Connection

# The comment on a schema while it is filled. No other schema is ours to drop.
UNFINISHED: Final = "stint rebuild: not finished"
SWITCHED: Final = "stint rebuild: in force since "

# How many of the objects that keep a schema from being dropped are named. Postgres itself names a hundred.
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class SchemaNames:
    """The names: what is live, what is filled, and what the live one is called after the switch."""

    live: str
    beside: str

    @property
    def old(self) -> str:
        """What the live schema is called after the switch."""
        return f"{self.live}_old"


async def comment_on(conn: Connection, schema: str) -> str | None:
    """Return the comment on a schema, "" without one; None when the schema is not there."""
    comment: str | None = await conn.fetchval(query("find_schema"), schema)
    return comment


async def tables_of(conn: Connection, schema: str) -> Sequence[str]:
    """Return the names of a schema's tables, the checkpoint first."""
    return [row["name"] for row in await conn.fetch(query("tables"), schema)]


async def make(conn: Connection, schemas: SchemaNames) -> None:
    """Make the tables with their keys, and no other index. All of it, or nothing."""
    live, beside = schemas.live, schemas.beside
    async with conn.transaction():
        await conn.execute(f"CREATE SCHEMA {beside}; COMMENT ON SCHEMA {beside} IS '{UNFINISHED}'")
        for table in await conn.fetch(query("tables"), live):
            options = f" WITH ({table['options']})" if table["options"] else ""
            like = f'(LIKE {live}."{table["name"]}" INCLUDING ALL EXCLUDING INDEXES)'
            await conn.execute(f'CREATE TABLE {beside}."{table["name"]}" {like}{options}')
        for key in await conn.fetch(query("keys"), live, ["p", "u"]):
            name = f'CONSTRAINT "{key["name"]}" {key["definition"]}'
            await conn.execute(f'ALTER TABLE {beside}."{key["table_name"]}" ADD {name}')
        # The checkpoints of the new tables say how far each partition is filled.
        await conn.execute(f"INSERT INTO {beside}.checkpoint (kpart) SELECT kpart FROM {live}.checkpoint")  # noqa: S608


async def drop(conn: Connection, schema: str, otherwise: str) -> None:
    """Drop a schema with its tables. Raises RebuildError when something that is not ours depends on them.

    `otherwise` says what else an operator can do than remove that.
    """
    tables = ", ".join(f'{schema}."{table}"' for table in await tables_of(conn, schema))
    try:
        await conn.execute(f"DROP TABLE {tables}; DROP SCHEMA {schema}" if tables else f"DROP SCHEMA {schema}")
    except asyncpg.DependentObjectsStillExistError as error:
        why = _dependents(error)
        raise RebuildError(f"{schema} cannot be dropped: {why}. Take that away, or {otherwise}.") from error


def _dependents(error: asyncpg.DependentObjectsStillExistError) -> str:
    """Return what depends on the tables, in one line. The detail of the error names each in a line."""
    named = (error.detail or str(error)).splitlines()
    more = f"; and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return "; ".join(named[:_NAMED]) + more


async def add_indexes(
    sessions: Sequence[Connection], schemas: SchemaNames, report: Callable[[int, int], object]
) -> None:
    """Make the indexes that are missing, and the planner's statistics: in each session one at a time.

    `report` is called with how many of all indexes there are.
    """
    wanted = await _indexes(sessions[0], schemas.live, schemas.beside)
    there = await _indexes(sessions[0], schemas.beside, schemas.beside)
    missing = [name for name in wanted if name not in there]
    made = itertools.count(len(wanted) - len(missing))
    report(next(made), len(wanted))
    await _execute(sessions, [wanted[name] for name in missing], lambda: report(next(made), len(wanted)))
    tables = await tables_of(sessions[0], schemas.beside)
    await _execute(sessions, [f'ANALYZE {schemas.beside}."{table}"' for table in tables], lambda: None)


async def _execute(sessions: Sequence[Connection], statements: Sequence[str], done: Callable[[], object]) -> None:
    left = iter(statements)

    async def some(conn: Connection) -> None:
        for statement in left:  # the other sessions take from it too
            await conn.execute(statement)
            done()

    await at_once(*(some(conn) for conn in sessions))


async def check_layout(conn: Connection, schemas: SchemaNames, *, with_indexes: bool = True) -> None:
    """Raise RebuildError when the two schemas differ in more than their rows: a migration changed the live one."""
    layouts: list[tuple[Any, ...]] = []
    for schema in (schemas.live, schemas.beside):
        columns = [tuple(row) for row in await conn.fetch(query("columns"), schema)]
        keys = [tuple(row) for row in await conn.fetch(query("keys"), schema, ["c", "p", "u"])]
        indexes = await _indexes(conn, schema, schemas.beside) if with_indexes else {}
        layouts.append((columns, keys, indexes))
    if layouts[0] != layouts[1]:
        raise RebuildError(
            f"{schemas.live} was changed by a migration after {schemas.beside} was made. "
            "Begin anew: `stint rebuild` without --resume."
        )


async def _indexes(conn: Connection, schema: str, to: str) -> dict[str, str]:
    rows = await conn.fetch(query("indexes"), schema)
    return {row["name"]: row["definition"].replace(f" ON {schema}.", f" ON {to}.", 1) for row in rows}
