"""A projector that dies or freezes at one point of one commit: `python -m tests.support.stack.trapped_projector`.

Where it differs from the projector of production: its store has a trap in it. TRAP_… variables say where the trap is,
which press springs it, and what happens then. The fence can be switched off too; that is the control.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

import asyncpg
import structlog
import uvloop
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.projector.app import ProjectorProcess
from services.projector.ports import Advance
from services.projector.settings import Settings
from services.projector.store.postgres import Connection, PostgresStore
from shared.events.outcome import Outcome
from shared.process.http.server import serve
from shared.process.logs import configure_logging
from shared.settings import read_settings
from tests.support.stack.until import eventually

SPRUNG: Final = "trap_sprung"

_SIGNALS: Final = {"die": signal.SIGKILL, "freeze": signal.SIGSTOP}
# So the compare-and-set always finds what it asks for.
_AS_IF_NOTHING_MOVED: Final = "UPDATE checkpoint SET next_offset = $2 WHERE kpart = $1"

_HELD: Final = "SELECT FROM checkpoint WHERE kpart = ANY ($1) FOR UPDATE"
_WAITS: Final = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"

Place = Literal["before_compare_and_set", "in_its_statement", "after_compare_and_set", "after_commit"]


class Trap(BaseSettings):
    """Where the trap is. The press that springs it is of type `event`, by an owner whose name begins with `owner`."""

    model_config = SettingsConfigDict(env_prefix="TRAP_", frozen=True)

    place: Place
    does: Literal["die", "freeze"]
    owner: str
    event: str = "timer.stopped.v1"
    # False: the checkpoint is moved wherever it is.
    fence: bool = True

    def catches(self, outcome: Outcome) -> bool:
        """Return whether this press springs it."""
        return outcome.event_type == self.event and (outcome.owner or "").startswith(self.owner)


class TrappedStore(PostgresStore):
    """The store of production, with a trap that springs once."""

    def __init__(self, pool: asyncpg.Pool, trap: Trap) -> None:
        super().__init__(pool)
        self._traps_pool = pool
        self._trap = trap
        self._sprung = False

    async def commit(self, advances: Sequence[Advance]) -> None:
        """Commit. The trap may spring before, during or after it."""
        # Outside of any transaction: Postgres ends a session that waits inside one, and no commit would be fenced.
        self._step_on("before_compare_and_set", advances)
        await super().commit(advances)
        self._step_on("after_commit", advances)

    async def write(self, conn: Connection, advances: Sequence[Advance]) -> None:
        """Write as in production. The trap may spring while Postgres runs the statement, or with it not committed."""
        if self._springs("in_its_statement", advances):
            await self._while_it_waits(conn, advances)
        async with conn.transaction():
            if not self._trap.fence:
                await conn.executemany(_AS_IF_NOTHING_MOVED, [(a.to.kpart, a.read_at) for a in advances])
                # The outcomes of the other projector would stop this one, too.
                advances = [replace(advance, unread=None) for advance in advances]
            await super().write(conn, advances)
            self._step_on("after_compare_and_set", advances)

    async def _while_it_waits(self, conn: Connection, advances: Sequence[Advance]) -> None:
        # The statement waits for rows that another session of ours holds. When we die it is let in, and nobody listens.
        async with self._traps_pool.acquire() as holder, holder.transaction():
            await holder.execute(_HELD, [advance.to.kpart for advance in advances])
            writing = asyncio.create_task(super().write(conn, advances))
            await eventually(
                lambda: self._traps_pool.fetchval(_WAITS, conn.get_server_pid()), "the statement waits in Postgres"
            )
            self._step_on("in_its_statement", advances)
            await writing

    def _springs(self, place: Place, advances: Sequence[Advance]) -> bool:
        outcomes = (written.outcome for advance in advances for written in advance.outcomes)
        return place == self._trap.place and not self._sprung and any(map(self._trap.catches, outcomes))

    def _step_on(self, place: Place, advances: Sequence[Advance]) -> None:
        if self._springs(place, advances):
            self._sprung = True
            structlog.get_logger().warning(SPRUNG, place=place)
            os.kill(os.getpid(), _SIGNALS[self._trap.does])


async def main(settings: Settings, trap: Trap) -> int:
    """Project until a signal or the trap ends the process."""
    process = ProjectorProcess(settings, lambda pool: TrappedStore(pool, trap))
    await serve(process.app(), settings.http_host, settings.http_port, settings.grace_seconds)
    return 1 if process.failed else 0


if __name__ == "__main__":
    configure_logging("trapped-projector")
    sys.exit(uvloop.run(main(read_settings(Settings), read_settings(Trap))))
