"""Statements to Postgres between rounds, each on a connection of its own that is closed before the next round."""

import asyncio
from pathlib import Path
from typing import Any, Final

import asyncpg

from services.stint_cli.deployment.migrate import migrate
from services.stint_cli.deployment.partitions import record_partitions, require_partitions

# What the fold writes. Texts are apart: they are their callers', and can be erased.
FOLD_TABLES: Final = """
SELECT array_agg(n.nspname || '.' || c.relname ORDER BY n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND (n.nspname LIKE 'fold%' OR n.nspname = 'public' AND c.relname LIKE 'outcome%')
"""
_BYTES: Final = "SELECT sum(pg_total_relation_size(name::regclass))::bigint FROM unnest($1::text[]) name"
PRESSES: Final = "SELECT sum(next_offset)::bigint FROM checkpoint"


def ask(dsn: str, statement: str, *values: object) -> Any:  # noqa: ANN401 - what the statement returns
    """Return the first value of the first row."""

    async def asked() -> object:
        conn = await asyncpg.connect(dsn)
        try:
            return await conn.fetchval(statement, *values)
        finally:
            await conn.close()

    return asyncio.run(asked())


def run(dsn: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""

    async def done() -> None:
        conn = await asyncpg.connect(dsn)
        try:
            for statement in statements:
                await conn.execute(statement)
        finally:
            await conn.close()

    asyncio.run(done())


def fresh(superuser_dsn: str, dsn: str, name: str, schema: Path | None = None) -> str:
    """Make an empty database beside the service's own, with that schema. Return its address."""
    owner = dsn.partition("://")[2].partition(":")[0]
    run(superuser_dsn, f'CREATE DATABASE "{name}" OWNER "{owner}"')
    address = f"{dsn.rpartition('/')[0]}/{name}"
    if schema is not None:
        run(address, schema.read_text(encoding="utf-8"))
    return address


def bytes_for_a_press(dsn: str) -> tuple[float, float]:
    """Return what a press leaves in Postgres on average, after a VACUUM: for ever, and in `outcome`, for 31 days."""
    run(dsn, "VACUUM")
    tables, presses = ask(dsn, FOLD_TABLES), ask(dsn, PRESSES)
    passing = [name for name in tables if name.startswith("public.outcome")]
    kept = [name for name in tables if name not in passing]
    return float(ask(dsn, _BYTES, kept) / presses), float(ask(dsn, _BYTES, passing) / presses)


def fresh_fold(superuser_dsn: str, dsn: str, name: str) -> str:
    """Make an empty database for the fold, with the migrations and the number of partitions of the service's own."""
    address = fresh(superuser_dsn, dsn, name)

    async def made() -> None:
        old, new = await asyncpg.connect(dsn), await asyncpg.connect(address)
        try:
            await migrate(new)
            await record_partitions(new, await require_partitions(old))
        finally:
            await old.close()
            await new.close()

    asyncio.run(made())
    return address
