"""Tables as text: each row as canonical JSON, in key order, so that two databases can be compared byte by byte."""

import json
from collections.abc import Sequence
from typing import Final

import asyncpg

from shared.packing.bodies import body_of

FOLD: Final = (
    "checkpoint",
    "timer",
    "interval",
    "day_total",
    "job_total",
    "work_total",
    "timer_history",
    "violation",
    "owner_fact",
)
BESIDE: Final = ("outcome", "dead_letter")
FOLDED: Final = FOLD + BESIDE

# How far publishing has come is no part of the fold, and differs between two folds of one log.
# `digest` is said in rows of before, beside the body, which says it always.
_LEFT_OUT: Final = ["published", "outcomes_next", "digest"]


async def dump(dsn: str, tables: Sequence[str] = FOLDED) -> dict[str, str]:
    """Return the text of each table, one line a row."""
    conn = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    try:
        # One snapshot: a table that is read later must not have newer rows.
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            return {table: await _dump(conn, table, "fold_v1" if table in FOLD else "public") for table in tables}
    finally:
        await conn.close()


async def _dump(conn: asyncpg.Connection, table: str, schema: str) -> str:
    name = f'"{schema}"."{table}"'
    keys = ", ".join(f't."{column}"' for column in await _key(conn, name))
    rows = await conn.fetch(
        f"SELECT (to_jsonb(t) - $1::text[])::text AS row FROM {name} AS t ORDER BY {keys}", _LEFT_OUT
    )
    return "".join(_canonical(row["row"]) + "\n" for row in rows)


async def _key(conn: asyncpg.Connection, name: str) -> list[str]:
    rows = await conn.fetch(
        """
        SELECT a.attname FROM pg_index AS i
          CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
          JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
         WHERE i.indrelid = $1::text::regclass AND i.indisprimary ORDER BY k.place
        """,
        name,
    )
    return [row["attname"] for row in rows]


def _canonical(row: str) -> str:
    said = json.loads(row)
    if "packed" in said:
        # An outcome's row has its body as text or packed. `to_jsonb` writes bytes as `\\x` and digits.
        packed = said.pop("packed")
        said["body"] = body_of(said["body"], None if packed is None else bytes.fromhex(packed[2:]))
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
