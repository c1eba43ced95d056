"""The deployment's one number: how many partitions it has, for life, and a checkpoint for each of them."""

import asyncpg

from services.stint_cli.store import query
from services.stint_cli.trouble import Trouble


async def require_partitions(conn: asyncpg.Connection) -> int:
    """Return P as it was recorded. Raise Trouble when it was not."""
    try:
        recorded: int | None = await conn.fetchval(query("recorded_partitions"))
    except asyncpg.UndefinedTableError as error:
        raise Trouble("The database has no tables yet: run `migrate` first.") from error
    if recorded is None:
        raise Trouble("P is not recorded yet: run `stint topics --partitions P`, with P for life.")
    return recorded


async def record_partitions(conn: asyncpg.Connection, partitions: int) -> None:
    """Record P and make P checkpoints. Raise Trouble when another P was recorded before, or there are no tables."""
    try:
        async with conn.transaction():
            await conn.execute(query("record_partitions"), partitions)
            recorded = await conn.fetchval(query("recorded_partitions"))
            if recorded != partitions:
                raise Trouble(
                    f"This deployment has {recorded} partitions for life, not {partitions}: "
                    f"give --partitions {recorded}, or choose another database."
                )
            await conn.execute(query("make_checkpoints"), partitions)
    except asyncpg.UndefinedTableError as error:
        raise Trouble("The database has no tables yet: run `migrate` first.") from error
