"""Compare: every row of the new tables with the same row of the live ones, at one place on the log.

One transaction sees the live tables as they stand at one moment, and brings the new ones to the same outcomes. Commits
of projectors go on meanwhile, unseen and unhindered.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.projector.rebuild.fill import take_the_rest
from services.projector.rebuild.filled import FilledStore
from services.projector.rebuild.queries import query
from services.projector.rebuild.schema import SchemaNames, tables_of
from services.projector.store.postgres import Connection

# Not made of outcomes alone. Checkpoints are taken over at the switch; deadlines are moved by records without an
# outcome too; and the clock's marks are the clock's own.
NOT_COMPARED: Final = frozenset({"checkpoint", "deadline", "policy_looked"})
# Of one table. The first few say what is wrong.
_SHOWN: Final = 20

# By number of rows and the sum of their hashes, so that each table is read once and in any order.
_DIFFERING_SLOTS: Final = """
SELECT slot
  FROM (SELECT slot, count(*) AS rows, sum(hashtextextended(t::text, 0)::numeric) AS hash
          FROM {live} t GROUP BY slot) a
  FULL JOIN
       (SELECT slot, count(*) AS rows, sum(hashtextextended(t::text, 0)::numeric) AS hash
          FROM {beside} t GROUP BY slot) b USING (slot)
 WHERE (a.rows, a.hash) IS DISTINCT FROM (b.rows, b.hash)
 ORDER BY slot
"""
_DIFFERING_ROWS: Final = """
SELECT to_jsonb(a)::text AS live, to_jsonb(b)::text AS rebuilt, count(*) OVER () AS count
  FROM (SELECT * FROM {live} WHERE slot = ANY ($1::integer[])) a
  FULL JOIN (SELECT * FROM {beside} WHERE slot = ANY ($1::integer[])) b USING ({key})
 WHERE a::text IS DISTINCT FROM b::text
 ORDER BY {key}
 LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Different:
    """Rows of one table that differ: how many, and the first of them, each as the live and the new table have it."""

    table: str
    count: int
    rows: Sequence[tuple[dict[str, Any] | None, dict[str, Any] | None]]


async def compared(
    conn: Connection, schemas: SchemaNames, store: FilledStore
) -> AsyncIterator[tuple[int, int, Different | None]]:
    """Yield after each table how many of all were compared, and how it differs."""
    async with conn.transaction(isolation="repeatable_read"):
        await take_the_rest(conn, store)
        tables = [table for table in await tables_of(conn, schemas.live) if table not in NOT_COMPARED]
        for done, table in enumerate(tables, start=1):
            yield done, len(tables), await _compare(conn, schemas, table)


async def _compare(conn: Connection, schemas: SchemaNames, table: str) -> Different | None:
    live, beside = f'{schemas.live}."{table}"', f'{schemas.beside}."{table}"'
    slots = [found["slot"] for found in await conn.fetch(_DIFFERING_SLOTS.format(live=live, beside=beside))]
    if not slots:
        return None
    key = ", ".join(f'"{row["name"]}"' for row in await conn.fetch(query("primary_key"), live))
    found = await conn.fetch(_DIFFERING_ROWS.format(live=live, beside=beside, key=key), slots, _SHOWN)
    if not found:
        return None
    return Different(table, found[0]["count"], [(_told(pair["live"]), _told(pair["rebuilt"])) for pair in found])


def _told(body: str | None) -> dict[str, Any] | None:
    return None if body is None else json.loads(body)
