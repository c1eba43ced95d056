"""The command: `python -m services.projector rebuild`, behind `stint rebuild`. Prints lines of JSON (`messages`).

1. Lock: one rebuild at a time. A crash frees it.
2. Make the tables in a schema beside the live one. A crash leaves all of them or none.
3. Fill them from the judged stream. A crash leaves whole pieces, each with its checkpoint: `--resume` goes on there.
4. Add the indexes. A crash leaves whole indexes; the rest is made then.
5. Compare. A difference ends the rebuild here, unless `--despite-differences`. A crash costs the comparison.
6. Switch. A crash leaves it done, or not begun.
"""

import argparse
import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import asyncpg
from pydantic import NonNegativeInt, ValidationError
from pydantic_settings import SettingsConfigDict

from services.projector.helpers.bulk import make_incoming
from services.projector.helpers.helper import helping
from services.projector.helpers.helpers import HelperProcesses
from services.projector.helpers.nursery import Nursery, nursery_for
from services.projector.ports import BusyError, FencedError, WriteRefusedError
from services.projector.rebuild.compare import compared
from services.projector.rebuild.fill import Filling
from services.projector.rebuild.messages import STAYS, RebuildError, failed, in_one_line, send
from services.projector.rebuild.queries import query
from services.projector.rebuild.schema import (
    SWITCHED,
    UNFINISHED,
    SchemaNames,
    add_indexes,
    check_layout,
    comment_on,
    drop,
    make,
)
from services.projector.rebuild.switch import switch
from services.projector.settings import Settings
from services.projector.store.postgres import LIVE
from shared.settings import KafkaSettings, PostgresSettings
from shared.sql import POSTGRES_FAILED

# A name goes into statements as it is.
_NEW_NAME: Final = r"[a-z][a-z0-9_]{0,62}"
# As long as the operator's other commands wait.
_CONNECT_WITHIN_SECONDS: Final = 10.0
_LOCK_WITHIN_SECONDS: Final = 5.0
_LOOK_AGAIN_SECONDS: Final = 0.2
_CLOSE_WITHIN_SECONDS: Final = 5.0
_REPORT_EVERY_SECONDS: Final = 0.3
# So many outcomes are written under the locks within milliseconds.
_FEW: Final = 500
CONNECTIONS: Final = 4
_ROUNDS_MAX: Final = 20


class RebuildSettings(KafkaSettings, PostgresSettings):
    """Where Kafka and Postgres are, and how many processes help, by the projector's own settings."""

    model_config = SettingsConfigDict(env_prefix="PROJECTOR_", frozen=True)

    catch_up_processes: NonNegativeInt = 2


@dataclass(frozen=True, slots=True)
class RebuildArguments:
    """The arguments of the command."""

    schemas: SchemaNames
    resume: bool
    keep_old: bool
    despite_differences: bool


class Rebuild:
    """One rebuild, on a pool of sessions that have the new schema in their path. `lock` has the lock."""

    def __init__(
        self,
        settings: RebuildSettings,
        arguments: RebuildArguments,
        pool: asyncpg.Pool,
        lock: asyncpg.Connection,
        nursery: Nursery | None,
    ) -> None:
        self._arguments = arguments
        self._schemas = arguments.schemas
        self._pool = pool
        self._conn = lock
        helpers = HelperProcesses(nursery, settings.catch_up_processes)
        self._filling = Filling(settings.kafka, pool, helpers, self._reached)
        self._reported_at = 0.0
        self._reported_done = 0

    async def run(self) -> dict[str, Any]:
        """Do all of it, and return the result. Raises RebuildError, and before there are tables POSTGRES_FAILED too."""
        if (done := await self._begin()) is not None:
            return done
        try:
            return await self._go_on()
        except BrokenPipeError:
            raise  # nobody reads the messages any more
        except (BusyError, FencedError) as error:
            # One whose session was lost has lost its lock as well, and goes on.
            raise RebuildError(
                f"Another process fills the same tables: {in_one_line(error)}. It may be a rebuild that has lost its "
                "lock. Wait until pg_stat_activity has no `stint-rebuild`, then `stint rebuild --resume`."
            ) from error
        except WriteRefusedError as error:
            raise RebuildError(
                f"Postgres refuses a row ({in_one_line(error)}): an outcome on the judged stream is not one of ours, "
                "or rows of the new tables were changed by hand. Begin anew, without --resume. If it happens again, "
                "report it."
            ) from error
        except POSTGRES_FAILED as error:
            raise RebuildError(f"{failed('Postgres', error)} {STAYS}") from error
        finally:
            await self._filling.stop()

    async def _go_on(self) -> dict[str, Any]:
        """Fill, compare and switch, and return the result."""
        await self._fill()
        async with self._pool.acquire() as one, self._pool.acquire() as other:
            await add_indexes([one, other], self._schemas, partial(_report, "index"))
        await self._fill()
        different = await self._compare()
        if different and not self._arguments.despite_differences:
            return {"switched": False, "schema": self._schemas.beside, "differences": different}
        send(stage="switch", done=0, total=1)
        await self._switch()
        send(stage="switch", done=1, total=1)
        return {
            "switched": True,
            "schema": self._schemas.live,
            "kept": self._schemas.old if self._arguments.keep_old else None,
            "outcomes": self._reported_done,
            "differences": different,
        }

    async def _begin(self) -> dict[str, Any] | None:
        """Make the schema, or find it; return the result when nothing is left to do."""
        live, beside, old = self._schemas.live, self._schemas.beside, self._schemas.old
        on_live = await comment_on(self._conn, live)
        if on_live is None:
            raise RebuildError(f"There is no schema {live}: run `stint migrate`.")
        found = await comment_on(self._conn, beside)
        if found is not None and found != UNFINISHED:
            raise RebuildError(f"{beside} is there, and no rebuild made it. Give another name with --schema.")
        if found is None and self._arguments.resume:
            if on_live.startswith(SWITCHED):
                since = on_live.removeprefix(SWITCHED)
                return {"switched": False, "schema": live, "nothing_to_resume": True, "in_force_since": since}
            raise RebuildError(f"There is no unfinished {beside} to go on with. Begin one without --resume.")
        if await comment_on(self._conn, old) is not None:
            raise RebuildError(f"{old} is there, kept by an earlier rebuild. Drop it: DROP SCHEMA {old} CASCADE.")
        if found is not None and not self._arguments.resume:
            async with self._conn.transaction():
                await drop(self._conn, beside, "go on with what is filled: `stint rebuild --resume`")
            found = None
        if found is None:
            await make(self._conn, self._schemas)
        await check_layout(self._conn, self._schemas, with_indexes=False)
        return None

    async def _fill(self) -> None:
        """Fill until little is left. More outcomes come all the time."""
        kparts = [row["kpart"] for row in await self._pool.fetch("SELECT kpart FROM checkpoint ORDER BY kpart")]
        for _ in range(_ROUNDS_MAX):
            if await self._filling.to_the_end(kparts) < _FEW:
                break

    async def _compare(self) -> list[dict[str, Any]]:
        different = []
        async with self._pool.acquire() as conn, self._pool.acquire() as beside_it:
            async for done, all_, found in compared(conn, beside_it, self._schemas, self._filling.store):
                send(stage="compare", done=done, total=all_)
                if found is not None:
                    rows = [{"live": live, "rebuilt": rebuilt} for live, rebuilt in found.rows]
                    different.append({"table": found.table, "count": found.count, "rows": rows})
        return different

    async def _switch(self) -> None:
        async with self._pool.acquire() as conn:
            keep_old = self._arguments.keep_old
            await switch(conn, self._schemas, self._filling.store, self._fill, keep_old=keep_old)

    def _reached(self, done: int, total: int) -> None:
        self._reported_done = done
        if (now := time.monotonic()) - self._reported_at >= _REPORT_EVERY_SECONDS or done == total:
            self._reported_at = now
            send(stage="fill", done=done, total=total)


def _report(stage: str, done: int, total: int) -> None:
    send(stage=stage, done=done, total=total)


@asynccontextmanager
async def _locked(settings: RebuildSettings) -> AsyncIterator[asyncpg.Connection]:
    """Open a session that has the lock. Waits a moment for a rebuild that was killed just now."""
    conn = await asyncpg.connect(
        settings.postgres_dsn.get_secret_value(), ssl=settings.postgres_tls, timeout=_CONNECT_WITHIN_SECONDS
    )
    try:
        until = time.monotonic() + _LOCK_WITHIN_SECONDS
        while not await conn.fetchval(query("try_lock")):
            if time.monotonic() > until:
                raise RebuildError("Another rebuild is running. Wait for its end, or end it.")
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        yield conn
    finally:
        with suppress(TimeoutError):
            await conn.close(timeout=_CLOSE_WITHIN_SECONDS)


async def _rebuild(settings: RebuildSettings, arguments: RebuildArguments, nursery: Nursery | None) -> dict[str, Any]:
    path = f"{arguments.schemas.beside},public"
    async with (
        _locked(settings) as lock,
        asyncpg.create_pool(
            settings.postgres_dsn.get_secret_value(),
            ssl=settings.postgres_tls,
            min_size=1,
            max_size=CONNECTIONS,
            # Of statements there is no limit: an index of a large table takes hours.
            timeout=_CONNECT_WITHIN_SECONDS,
            init=make_incoming,
            # A crash of Postgres may cost the last pieces, with their checkpoints: they are filled again.
            server_settings={
                "application_name": "stint-rebuild",
                "search_path": path,
                "timezone": "UTC",
                "jit": "off",
                "synchronous_commit": "off",
            },
        ) as pool,
    ):
        return await Rebuild(settings, arguments, pool, lock, nursery).run()


def _parsed(argv: Sequence[str]) -> RebuildArguments:
    parser = argparse.ArgumentParser(prog="python -m services.projector rebuild")
    parser.add_argument("--schema", default="fold_v2")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--keep-old", action="store_true")
    parser.add_argument("--despite-differences", action="store_true")
    arguments = parser.parse_args(argv)
    beside = arguments.schema
    if not re.fullmatch(_NEW_NAME, beside):
        raise RebuildError(
            f"{beside} is no name for a schema: use small letters, digits and `_`, and begin with a letter."
        )
    if beside == LIVE:
        raise RebuildError(f"{beside} is the live schema. Give the new one another name.")
    schemas = SchemaNames(LIVE, beside)
    if beside == schemas.old:
        raise RebuildError(f"{beside} is what the switch calls the old tables. Give the new schema another name.")
    return RebuildArguments(schemas, arguments.resume, arguments.keep_old, arguments.despite_differences)


def rebuilt(settings: RebuildSettings, argv: Sequence[str]) -> int:
    """Rebuild as the arguments say, and return the exit status: 1 when it was not switched."""
    try:
        arguments = _parsed(argv)
        ours = {name: getattr(settings, name) for name in RebuildSettings.model_fields}
        helps = helping(Settings(**ours), arguments.schemas.beside)
        with nursery_for(settings.catch_up_processes, helps) as nursery:
            result = asyncio.run(_rebuild(settings, arguments, nursery))
    except RebuildError as error:
        send(failed=str(error))
        return 1
    except ValidationError as error:
        wrong = ", ".join(sorted({f"PROJECTOR_{problem['loc'][0]}".upper() for problem in error.errors()}))
        send(failed=f"Helpers have the settings of a projector, and these are wrong: {wrong}.")
        return 1
    except POSTGRES_FAILED as error:
        send(failed=failed("Postgres", error))
        return 1
    send(result=result)
    return 0
