"""The trail of checkpoints: every move of each, in the order of the commits. C15 checks it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from services.stint_cli.database import connected
from tests.support.proof.checkers.history import CheckpointMove

_LAY: Final = """
CREATE TABLE trail (
    number bigserial PRIMARY KEY, kpart integer NOT NULL, read_at bigint NOT NULL, moved_to bigint NOT NULL
);
-- The projector's role has no right to the trail.
CREATE FUNCTION tread() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO trail (kpart, read_at, moved_to) VALUES (OLD.kpart, OLD.next_offset, NEW.next_offset);
    RETURN NULL;
END $$;
CREATE TRIGGER tread AFTER UPDATE OF next_offset ON fold_v1.checkpoint FOR EACH ROW EXECUTE FUNCTION tread();
"""
_LIFT: Final = (
    "DROP TRIGGER IF EXISTS tread ON fold_v1.checkpoint; DROP FUNCTION IF EXISTS tread(); DROP TABLE IF EXISTS trail"
)


@dataclass(frozen=True, slots=True)
class Trail:
    """The moves of the checkpoints of one database since the trail was laid."""

    dsn: str
    stood: tuple[CheckpointMove, ...]

    async def moves(self) -> list[CheckpointMove]:
        """Return where each checkpoint was at first, and every move of it until now."""
        # A row's updates are committed one after the other, so their numbers are in that order too.
        async with connected(self.dsn) as conn:
            rows = await conn.fetch("SELECT kpart, read_at, moved_to FROM trail ORDER BY number")
        return [*self.stood, *(CheckpointMove(*row) for row in rows)]


@asynccontextmanager
async def trail_of(dsn: str) -> AsyncIterator[Trail]:
    """Record every move of a checkpoint while the block runs. No connection is kept, so Postgres may be killed."""
    try:
        async with connected(dsn) as conn:
            await conn.execute(_LAY)
            rows = await conn.fetch("SELECT kpart, next_offset FROM fold_v1.checkpoint WHERE next_offset > 0")
        yield Trail(dsn, tuple(CheckpointMove(row["kpart"], 0, row["next_offset"], restored=True) for row in rows))
    finally:
        async with connected(dsn) as conn:
            await conn.execute(_LIFT)
