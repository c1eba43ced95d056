"""Deadlines, as the clock reads them: what is due, who has a running timer, and up to which policy all were looked at.

Commits write the rows of `deadline` (`rows`, `postgres`). Nothing here does.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import asyncpg

from services.projector.ports import DueOwner, RunningOwner
from services.projector.store.queries import query
from services.projector.store.rows import columns
from shared.events.ids import SLOTS

# The next round repeats the statement, so no statement of the clock may hold a connection for long.
_WITHIN_SECONDS: Final = 3.0
_FIRST: Final = (datetime(1, 1, 1, tzinfo=UTC), "", "")


class PostgresDeadlines:
    """The clock's reads, on a pool from `open_pool`. `partitions` is P."""

    def __init__(self, pool: asyncpg.Pool, partitions: int) -> None:
        self._pool = pool
        self._partitions = partitions

    async def due(
        self, after: Mapping[int, DueOwner | None], now: datetime, limit: int
    ) -> Mapping[int, Sequence[DueOwner]]:
        """Return for each partition what is due at `now`, oldest first. See `ports.Deadlines`."""
        asked = [(kpart, *(_FIRST if at is None else _place(at))) for kpart, at in after.items()]
        async with asyncio.timeout(_WITHIN_SECONDS):
            rows = await self._pool.fetch(query("find_due"), *columns(asked), now, limit)
        found: dict[int, list[DueOwner]] = {}
        for row in rows:
            found.setdefault(row["kpart"], []).append(
                DueOwner(due_at=row["due_at"], tenant=row["tenant"], owner=row["owner"], kpart=row["kpart"])
            )
        return found

    async def running(
        self, kpart: int, tenants: Sequence[str], after: RunningOwner | None, limit: int
    ) -> Sequence[RunningOwner]:
        """Return owners of these tenants with a running timer, in order. See `ports.Deadlines`."""
        slots = list(range(kpart, SLOTS, self._partitions))
        place = (-1, "", "") if after is None else (after.slot, after.tenant, after.owner)
        async with asyncio.timeout(_WITHIN_SECONDS):
            rows = await self._pool.fetch(query("find_running_owners"), slots, list(tenants), *place, limit)
        return [RunningOwner(row["slot"], row["tenant"], row["owner"]) for row in rows]

    async def looked(self, kparts: Sequence[int]) -> Mapping[int, int]:
        """Return the revision under which every running owner of each partition was looked at; -1: none."""
        async with asyncio.timeout(_WITHIN_SECONDS):
            rows = await self._pool.fetch(query("find_looked"), list(kparts))
        return {row["kpart"]: row["revision"] for row in rows}

    async def save_looked(self, kpart: int, revision: int) -> None:
        """Write down that every running owner of a partition was looked at under `revision`."""
        async with asyncio.timeout(_WITHIN_SECONDS):
            await self._pool.execute(query("save_looked"), kpart, revision)


def _place(row: DueOwner) -> tuple[datetime, str, str]:
    return row.due_at, row.tenant, row.owner
