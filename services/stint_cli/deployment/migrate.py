"""migrate: bring a database to the tables of this release. Forward only, each file once, each in one transaction.

At the end the services' roles, as far as this server has them, are given the rights of this release.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from services.stint_cli.store import query
from services.stint_cli.trouble import Trouble

FOLDER: Final = Path(__file__).resolve().parents[3] / "deploy" / "migrations"

# A statement that waits for its lock keeps every later one waiting behind it, presses too. A long reader, a dump,
# would otherwise stop the service for as long as it reads.
LOCK_WITHIN_MS: Final = 3_000

_FILE_NAME: Final = re.compile(r"(?P<version>[0-9]{4})_[a-z0-9_]+\.sql", re.ASCII)


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The file's SHA-256, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    """One migration as the database recorded it."""

    version: int
    name: str
    sha256: str


def read_migrations(folder: Path = FOLDER) -> list[Migration]:
    """Return the files of `folder` in order. Raise Trouble for a name without number, a number twice, or a gap."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        if (name := _FILE_NAME.fullmatch(path.name)) is None:
            raise Trouble(f"{path.name} is no migration: name it NNNN_what_it_does.sql.")
        # Bytes, not lines, because the sum is over bytes: a checkout with other line ends has another file.
        found.append(Migration(int(name["version"]), path.name, path.read_bytes().decode()))
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise Trouble(f"Migration {expected:04} is missing, or a number is there twice: found {migration.name}.")
    return found


def outstanding(migrations: Sequence[Migration], applied: Sequence[Applied]) -> list[Migration]:
    """Return the migrations to apply. Raise Trouble when the database has seen other files than these."""
    ours = {migration.version: migration for migration in migrations}
    for seen in applied:
        migration = ours.get(seen.version)
        if migration is None:
            raise Trouble(
                f"The database has seen {seen.name}, which this release does not know: run the newer release."
            )
        if migration.sha256 != seen.sha256:
            raise Trouble(
                f"{migration.name} is not the file that was applied (as {seen.name}): "
                "restore the old text, and put the change into a migration of its own."
            )
    done = {seen.version for seen in applied}
    return [migration for migration in migrations if migration.version not in done]


async def migrate(conn: asyncpg.Connection, folder: Path = FOLDER) -> list[Migration]:
    """Apply outstanding migrations in order, and return them. Two runs at once are safe: each file is applied once."""
    migrations = read_migrations(folder)
    done: list[Migration] = []
    while todo := await _apply_next(conn, migrations):
        done.append(todo[0])
        if len(todo) == 1:
            break
    return done


async def missing_roles(conn: asyncpg.Connection) -> list[str]:
    """Return the services' roles that this server lacks. Where it has one role for everything, that is all of them."""
    return [row["name"] for row in await conn.fetch(query("missing_roles"))]


async def _apply_next(conn: asyncpg.Connection, migrations: Sequence[Migration]) -> Sequence[Migration]:
    """Apply the first outstanding migration, and return all that were outstanding."""
    # The file and its row are one transaction: a crash leaves both or neither. The list is read under the lock, so a
    # migration that another run applied in between is not applied again.
    async with conn.transaction():
        await conn.execute(query("lock_migrations"))
        await conn.execute(query("make_schema_migration"))
        rows = await conn.fetch(query("applied_migrations"))
        todo = outstanding(migrations, [Applied(row["version"], row["name"], row["sha256"]) for row in rows])
        for migration in todo[:1]:
            await _apply(conn, migration)
            await conn.execute(query("record_migration"), migration.version, migration.name, migration.sha256)
        if len(todo) <= 1:
            # With the last one, so that services never meet a table or view of this release without their rights.
            await _give_rights(conn)
    return todo


async def _apply(conn: asyncpg.Connection, migration: Migration) -> None:
    try:
        # Only now: another run that holds the list is waited for without a limit.
        await conn.execute(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}")
        await conn.execute(migration.sql)
    except asyncpg.LockNotAvailableError as error:
        raise Trouble(
            f"{migration.name} waited {LOCK_WITHIN_MS / 1000:g} s for a table that another session holds, and was "
            "rolled back: end long transactions (a dump, for example) and run this again."
        ) from error
    except asyncpg.PostgresError as error:
        raise Trouble(f"{migration.name} failed and was rolled back: {error}") from error


async def _give_rights(conn: asyncpg.Connection) -> None:
    """Give each service's role its rights in this database, and no others. Roles that are not there are passed over."""
    try:
        for row in await conn.fetch(query("rights")):
            await conn.execute(row["statement"])
    except asyncpg.PostgresError as error:
        raise Trouble(f"The services' roles could not be given their rights: {error}. Run this again.") from error
