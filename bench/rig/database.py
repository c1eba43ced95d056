"""What the bench asks Postgres between its rounds. Each question has a connection of its own, closed before a round."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg


def ask(dsn: str, question: str, *values: object) -> Any:  # noqa: ANN401 - what the statement returns
    """Return the first value of the first row."""

    async def asked() -> object:
        conn = await asyncpg.connect(dsn)
        try:
            return await conn.fetchval(question, *values)
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
