"""An empty database that catches up from the outcomes of `make bench`, beside COPY of the same rows into another one.

The projector is a process with the product's settings, as it is deployed. `refill` measures the same code inside its
own process, without a load before. Both databases have all indexes. COPY is one connection, one table after the other,
from files in Postgres' own format.
"""

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from bench.rig.database import FOLD_TABLES, PRESSES, ask, fresh_fold
from bench.rig.product import Product
from deploy.local.machine import free_ports
from deploy.local.process import Process, Program
from deploy.local.services import environment
from deploy.local.settings import ROOT
from deploy.local.trouble import Trouble

_PAUSE_SECONDS: Final = 0.02
_WITHIN_SECONDS: Final = 600.0
_SESSIONS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_COLUMNS: Final = """
SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
 WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """How long catching up and COPY took for so many outcomes."""

    outcomes: int
    caught_up_seconds: float
    copied_seconds: float

    @property
    def to_copy(self) -> float:
        """The speed of catching up, divided by that of COPY."""
        return self.copied_seconds / self.caught_up_seconds


def catch_up(ours: Product) -> CatchUp:
    """Measure both. End the product's own API and projector before, so that nobody presses."""
    postgres = ours.stack.postgres
    wanted = int(ask(postgres.superuser_dsn, PRESSES))
    behind, copied = (fresh_fold(postgres.superuser_dsn, postgres.dsn, name) for name in ("behind", "copied"))
    projector = _projector(ours, behind)
    projector.start()
    try:
        caught_up_seconds = asyncio.run(_seconds_until(behind, wanted, projector))
    finally:
        projector.stop()
    files = ours.stack.settings.home / "copy"
    files.mkdir()
    return CatchUp(wanted, caught_up_seconds, asyncio.run(_copy_seconds(behind, copied, files)))


def _projector(ours: Product, dsn: str) -> Process:
    settings = ours.stack.settings
    [port] = free_ports(1)
    its_own = {
        "PROJECTOR_POSTGRES_DSN": dsn,
        "PROJECTOR_GROUP_ID": "bench.catch-up",
        "PROJECTOR_TEXTS_GROUP_ID": "bench.catch-up-texts",
        "PROJECTOR_HTTP_PORT": str(port),
    }
    program = Program(
        name="catch-up",
        argv=[sys.executable, "-m", "services.projector"],
        environ=environment(ours.stack) | its_own,
        folder=ROOT,
    )
    return Process(program, settings.run, settings.logs)


async def _seconds_until(dsn: str, wanted: int, projector: Process) -> float:
    """Return the seconds from the projector's first connection until its checkpoints are at the end of the log."""
    conn = await asyncpg.connect(dsn)
    try:
        gives_up = time.monotonic() + _WITHIN_SECONDS
        while not await conn.fetchval(_SESSIONS):
            await _pause(projector, gives_up)
        began = time.monotonic()
        while await conn.fetchval(PRESSES) < wanted:
            await _pause(projector, gives_up)
        return time.monotonic() - began
    finally:
        await conn.close()


async def _pause(projector: Process, gives_up: float) -> None:
    if not projector.alive:
        raise Trouble(projector.failure())
    if time.monotonic() > gives_up:
        raise Trouble(f"The database has not caught up within {_WITHIN_SECONDS:.0f} s: see {projector.log}.")
    await asyncio.sleep(_PAUSE_SECONDS)


async def _copy_seconds(source: str, target: str, files: Path) -> float:
    """Copy all rows of the fold from one database to files, and return how long the way back in takes."""
    old, new = await asyncpg.connect(source), await asyncpg.connect(target)
    try:
        tables = [(name, await old.fetchval(_COLUMNS, name)) for name in await old.fetchval(FOLD_TABLES)]
        # A fresh database has its checkpoints already.
        tables = [each for each in tables if not await new.fetchval(f"SELECT EXISTS (SELECT FROM {each[0]})")]  # noqa: S608
        for name, columns in tables:
            wanted = f"SELECT {', '.join(map(_quoted, columns))} FROM {name}"  # noqa: S608 - names from the catalogue
            await old.copy_from_query(wanted, output=files / name, format="binary")
        began = time.monotonic()
        for name, columns in tables:
            schema, _, table = name.partition(".")
            path = files / name
            await new.copy_to_table(table, schema_name=schema, columns=columns, source=path, format="binary")
        return time.monotonic() - began
    finally:
        await old.close()
        await new.close()


def _quoted(column: str) -> str:
    return f'"{column}"'
