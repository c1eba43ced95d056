"""Commits of one partition, and sessions that plan as the projector's do."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final
from uuid import UUID

import asyncpg

from services.projector.ports import Advance, Checkpoint
from services.projector.store.postgres import PostgresStore
from shared.events.ids import slot_of
from tests.support.story.given import Story, moment

KPART: Final = 3
DANA: Final = (slot_of("acme", "dana"), "acme", "dana")


def sessions(dsn: str, lock_timeout_ms: int = 5000) -> asyncpg.Pool:
    """Return a pool whose sessions plan a statement once, as the projector's do."""
    settings = {"timezone": "UTC", "search_path": "fold_v1,public", "plan_cache_mode": "force_generic_plan"}
    settings["lock_timeout"] = str(lock_timeout_ms)
    return asyncpg.create_pool(dsn, min_size=1, max_size=3, server_settings=settings)


def nothing(kpart: int, read_at: int) -> Advance:
    return Advance(read_at, Checkpoint(kpart, read_at + 1, UUID(int=9), moment("09:30"), 1), [])


async def committed(
    store: PostgresStore, story: Story, cuts: Sequence[int] = (), *, last_log_time: datetime | None = None
) -> None:
    """Commit and publish a story's outcomes, in batches that end where the cuts say."""
    kept = story.kept
    for begin, end in pairwise((0, *cuts, len(kept))):
        log_time = last_log_time or kept[end - 1].outcome.log_time
        to = Checkpoint(KPART, end, UUID(int=end), log_time, 1, published=end)
        await store.commit([Advance(begin, to, kept[begin:end])])
