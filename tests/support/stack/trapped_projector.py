"""A projector that dies or freezes at one point of one commit: `python -m tests.support.stack.trapped_projector`.

Where it differs from the projector of production: its store has a trap in it. TRAP_… variables say where the trap is,
which press springs it, and what happens then. The fence can be switched off too; that is the control.
"""

import os
import signal
import sys
from collections.abc import Sequence
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
from shared.process.logs import configure_logging
from shared.process.server import read_settings, serve

SPRUNG: Final = "trap_sprung"

_SIGNALS: Final = {"die": signal.SIGKILL, "freeze": signal.SIGSTOP}
_WITHOUT_CONDITION: Final = (
    "UPDATE checkpoint SET next_offset = $2, last_event_id = $3, last_log_time = $4 WHERE kpart = $1"
)

Place = Literal["before_compare_and_set", "after_compare_and_set", "after_commit"]


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
        self._trap = trap
        self._sprung = False

    async def commit(self, advances: Sequence[Advance]) -> None:
        """Commit. The trap may spring before, during or after it."""
        # Outside of any transaction: Postgres ends a session that waits inside one, and no commit would be fenced.
        self._step_on("before_compare_and_set", advances)
        await super().commit(advances)
        self._step_on("after_commit", advances)

    async def compare_and_set(self, conn: Connection, advances: Sequence[Advance]) -> None:
        """Move the checkpoints: with the fence, only from where they were read."""
        if self._trap.fence:
            await super().compare_and_set(conn, advances)
        else:
            for to in (advance.to for advance in advances):
                await conn.execute(_WITHOUT_CONDITION, to.kpart, to.next_offset, to.last_event_id, to.last_log_time)
        self._step_on("after_compare_and_set", advances)

    def _step_on(self, place: Place, advances: Sequence[Advance]) -> None:
        outcomes = (written.outcome for advance in advances for written in advance.outcomes)
        if place == self._trap.place and not self._sprung and any(map(self._trap.catches, outcomes)):
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
