"""Compare: every row of the new tables with the same row of the live ones, at one place on the log.

One transaction sees the live tables as they stand at one moment, and brings the new ones to the same outcomes. Commits
of projectors go on meanwhile, unseen and unhindered.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from services.projector.helpers.bulk import BulkStore
from services.projector.rebuild.at_once import at_once
from services.projector.rebuild.fill import take_the_rest
from services.projector.rebuild.queries import query
from services.projector.rebuild.schema import SchemaNames, tables_of
from services.projector.store.postgres import Connection

# These tables do not come from outcomes alone. The switch takes checkpoints over, records without an outcome move
# deadlines too, and the clock writes its own marks.
NOT_COMPARED: Final = frozenset({"checkpoint", "deadline", "policy_looked"})
# How many rows of one table are shown. The first few say what is wrong.
_SHOWN: Final = 20

# Slots are compared by their number of rows and the sum of the rows' hashes, so each table is read once and in any
# order. What is hashed is the row as a binary client gets it: that holds all that the row's text holds, for two thirds
# of the work. It is wrapped into a row of one field, because Postgres 17 has the hash function for rows only.
_SLOTS: Final = """
SELECT slot, count(*) AS rows, sum(hash_record_extended(ROW(record_send(t)), 0)) AS hash FROM {table} t GROUP BY slot
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
    conn: Connection, beside_it: Connection, schemas: SchemaNames, store: BulkStore
) -> AsyncIterator[tuple[int, int, Different | None]]:
    """Yield after each table how many of all were compared, and how it differs (None: it does not).

    Session `beside_it` reads the live tables as they stand at one moment, and `conn` reads the new ones.
    """
    async with conn.transaction(isolation="repeatable_read"):
        moment = await conn.fetchval("SELECT pg_export_snapshot()")
        async with beside_it.transaction(isolation="repeatable_read", readonly=True):
            await beside_it.execute(f"SET TRANSACTION SNAPSHOT '{moment}'")
            await take_the_rest(conn, store)
            tables = [table for table in await tables_of(conn, schemas.live) if table not in NOT_COMPARED]
            for done, table in enumerate(tables, start=1):
                yield done, len(tables), await _compare(conn, beside_it, schemas, table)


async def _compare(conn: Connection, beside_it: Connection, schemas: SchemaNames, table: str) -> Different | None:
    live, beside = f'{schemas.live}."{table}"', f'{schemas.beside}."{table}"'
    was, now = await at_once(_by_slot(beside_it, live), _by_slot(conn, beside))
    slots = sorted(slot for slot in was.keys() | now.keys() if was.get(slot) != now.get(slot))
    if not slots:
        return None
    key = ", ".join(f'"{row["name"]}"' for row in await conn.fetch(query("primary_key"), live))
    found = await conn.fetch(_DIFFERING_ROWS.format(live=live, beside=beside, key=key), slots, _SHOWN)
    if not found:
        return None
    return Different(table, found[0]["count"], [(_row(pair["live"]), _row(pair["rebuilt"])) for pair in found])


async def _by_slot(conn: Connection, table: str) -> dict[int, tuple[int, Decimal]]:
    rows = await conn.fetch(_SLOTS.format(table=table))
    return {slot: (count, hash_) for slot, count, hash_ in rows}


def _row(body: str | None) -> dict[str, Any] | None:
    return None if body is None else json.loads(body)
