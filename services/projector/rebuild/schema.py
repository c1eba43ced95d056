"""The schema that is filled: made like the live one, indexed when it is full, dropped when it is not wanted.

The layout is copied from the live schema, name by name, so that migrations find after the switch what they made.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from services.projector.rebuild.queries import query
from services.projector.rebuild.told import RebuildError
from services.projector.store.postgres import Connection

# Written about a schema while it is filled. Any other schema is not ours to drop.
UNFINISHED: Final = "stint rebuild: not finished"
SWITCHED: Final = "stint rebuild: in force since "


@dataclass(frozen=True, slots=True)
class SchemaNames:
    """The names: what is live, what is filled, and what the live one is called after the switch."""

    live: str
    beside: str

    @property
    def old(self) -> str:
        """What the live schema is called after the switch."""
        return f"{self.live}_old"


async def said_about(conn: Connection, schema: str) -> str | None:
    """Return what stands written about a schema; None when it is not there."""
    said: str | None = await conn.fetchval(query("find_schema"), schema)
    return said


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
        for grant in await conn.fetch(query("grants"), live, beside):
            await conn.execute(grant["statement"])
        # The checkpoints of the new tables say how far each partition is filled.
        await conn.execute(f"INSERT INTO {beside}.checkpoint (kpart) SELECT kpart FROM {live}.checkpoint")  # noqa: S608


async def drop(conn: Connection, schema: str) -> None:
    """Drop a schema with its tables. Raises RebuildError when something that is not ours stands on them."""
    tables = ", ".join(f'{schema}."{table}"' for table in await tables_of(conn, schema))
    try:
        await conn.execute(f"DROP TABLE {tables}; DROP SCHEMA {schema}" if tables else f"DROP SCHEMA {schema}")
    except asyncpg.DependentObjectsStillExistError as error:
        # The detail names what depends on the tables.
        raise RebuildError(f"{schema} cannot be dropped. {error.detail} Take that away, or keep the old tables.") from (
            error
        )


async def add_indexes(conn: Connection, schemas: SchemaNames) -> AsyncIterator[tuple[int, int]]:
    """Make the indexes that are missing, and the planner's statistics. Yield after each how many of all are there."""
    wanted = await _indexes(conn, schemas.live, schemas.beside)
    there = await _indexes(conn, schemas.beside, schemas.beside)
    for done, name in enumerate(wanted):
        yield done, len(wanted)
        if name not in there:
            await conn.execute(wanted[name])
    for table in await tables_of(conn, schemas.beside):
        await conn.execute(f'ANALYZE {schemas.beside}."{table}"')
    yield len(wanted), len(wanted)


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
