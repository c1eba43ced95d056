"""Switch: the new tables take the live ones' name, in one transaction, while projectors go on.

The live tables always have the name that projectors and migrations know. So no projector needs to know of the switch,
and none can write into the old tables: its next statement finds the new ones under that name.

1. Lock every table and view, the checkpoint first. A commit holds its checkpoint from its first statement to its end,
   so none is half done now. The next one waits for us, and Postgres looks up its tables anew when it is let in.
2. Write the last outcomes, and take over what no outcome says: checkpoints, deadlines, the clock's marks, and what
   roles may do.
3. Rename both schemas, and point the views at the tables under the live name.
4. Drop the old tables, unless they are to be kept.

Either all of it is committed, or nothing happened. Presses wait for as long as it takes, and never for over four
seconds: a projector gives up after five by itself. If it would take longer, it is undone and tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import asyncpg
from asyncpg.transaction import Transaction

from services.projector.helpers.bulk import BulkStore
from services.projector.rebuild.fill import take_the_rest
from services.projector.rebuild.messages import RebuildError, failed, in_one_line
from services.projector.rebuild.queries import query
from services.projector.rebuild.schema import SWITCHED, SchemaNames, check_layout, drop, tables_of
from services.projector.store.postgres import Connection
from shared.sql import POSTGRES_FAILED

_WITHIN_SECONDS: Final = 4.0
# Below Postgres' `deadlock_timeout`, so that we give way before a reader is ended for our sake.
_LOCK_TIMEOUT_MS: Final = 500
_TRIES: Final = 20
_PAUSE_SECONDS: Final = 0.5


async def switch(
    conn: Connection,
    schemas: SchemaNames,
    store: BulkStore,
    nearer: Callable[[], Awaitable[object]],
    *,
    keep_old: bool,
) -> None:
    """Put the new tables in the live ones' place. `nearer` fills before each try, so that little is left to write."""
    why = ""
    for _ in range(_TRIES):
        await nearer()
        transaction = conn.transaction()
        await transaction.start()
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                await _exchange(conn, schemas, store, keep_old=keep_old)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, TimeoutError) as error:
            await transaction.rollback()
            why = in_one_line(error) or f"it took over {_WITHIN_SECONDS:.0f} s"
            await asyncio.sleep(_PAUSE_SECONDS)
        except BaseException:
            await transaction.rollback()
            raise
        else:
            await _commit(transaction)
            return
    raise RebuildError(
        f"All is filled, and the switch was tried {_TRIES} times in vain: {why}. Something holds the tables, such as a "
        "dump or a long report (pg_stat_activity). Let it end, then `stint rebuild --resume`."
    )


async def _commit(transaction: Transaction) -> None:
    try:
        await transaction.commit()
    except POSTGRES_FAILED as error:
        raise RebuildError(
            f"{failed('Postgres', error)} That was in the last moment of the switch, so the new tables may be in force "
            "already: `stint rebuild --resume` finds out, and goes on if they are not."
        ) from error


async def take_rights(conn: Connection, schemas: SchemaNames) -> None:
    """Let roles do in the new tables what they may do in the live ones, which may be nothing.

    As it is now: `stint migrate` may have given rights while the new tables were filled.
    """
    for grant in await conn.fetch(query("grants"), schemas.live, schemas.beside):
        await conn.execute(grant["statement"])


async def _exchange(conn: Connection, schemas: SchemaNames, store: BulkStore, *, keep_old: bool) -> None:
    live, beside, old = schemas.live, schemas.beside, schemas.old
    await conn.execute(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}; SET LOCAL synchronous_commit = on;")
    # No migration may change tables, or give rights in them, that are replaced just now.
    await conn.execute(query("keep_migrations_out"))
    tables = [f'{live}."{table}"' for table in await tables_of(conn, live)]
    views = await _views(conn, live)
    await conn.execute(f"LOCK TABLE {', '.join([*tables, *views])} IN ACCESS EXCLUSIVE MODE")
    await check_layout(conn, schemas)
    await take_the_rest(conn, store)
    await conn.execute(query("take_checkpoints"))
    await conn.execute(query("take_deadlines"))
    await conn.execute(f"DELETE FROM {beside}.policy_looked")  # noqa: S608
    await conn.execute(f"INSERT INTO {beside}.policy_looked SELECT * FROM {live}.policy_looked")  # noqa: S608
    await take_rights(conn, schemas)
    await conn.execute(f"ALTER SCHEMA {live} RENAME TO {old}; ALTER SCHEMA {beside} RENAME TO {live}")
    for name, definition in views.items():
        await conn.execute(f"CREATE OR REPLACE VIEW {name} AS {definition}")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    await conn.execute(f"COMMENT ON SCHEMA {live} IS '{SWITCHED}{now}'")
    if keep_old:
        await conn.execute(f"COMMENT ON SCHEMA {old} IS 'stint rebuild: replaced at {now}'")
    else:
        await drop(conn, old, "keep the old tables; then `stint rebuild --resume`, with --keep-old if you keep them")


async def _views(conn: Connection, live: str) -> dict[str, str]:
    """Return the views that read the live tables, with their text. It names each table with its schema."""
    path = await conn.fetchval("SHOW search_path")
    await conn.execute("SET LOCAL search_path = pg_catalog")
    rows = await conn.fetch(query("views"), live)
    await conn.execute(f"SET LOCAL search_path = {path}")
    return {row["name"]: row["definition"] for row in rows}
