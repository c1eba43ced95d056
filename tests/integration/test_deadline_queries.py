"""The clock's queries on real Postgres: pages in order, of the partitions asked for; a mark that never goes back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import pytest

from services.projector.ports import Advance, Checkpoint, DueOwner, Look, RunningOwner
from services.projector.store.deadlines import PostgresDeadlines
from services.projector.store.postgres import PostgresStore
from services.projector.store.queries import query
from shared.events.ids import partition_of, slot_of
from tests.support.stack.deployments import Deployment
from tests.support.story.given import Story, given, moment, paused, started

pytestmark = pytest.mark.real

KPART: Final = 3
PARTITIONS: Final = 12
NINE: Final = moment("09:00")


@pytest.fixture
async def pool(deployment: Deployment) -> AsyncIterator[asyncpg.Pool]:
    dsn = await deployment.fresh_database("deadline_queries")
    settings = {"timezone": "UTC", "search_path": "fold_v1,public", "enable_seqscan": "off"}
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2, server_settings=settings) as pool:
        yield pool


def row(owner: str, minute: int, kpart: int = KPART) -> DueOwner:
    return DueOwner(due_at=NINE + timedelta(minutes=minute), tenant="acme", owner=owner, kpart=kpart)


async def moved(pool: asyncpg.Pool, read_at: int, *looks: DueOwner | str) -> None:
    """Commit looks: a row moves to where it says, and an owner that is only named has no deadline any more."""
    said = [
        Look(read_at + n, "acme", at, None) if isinstance(at, str) else Look(read_at + n, "acme", at.owner, at.due_at)
        for n, at in enumerate(looks)
    ]
    to = Checkpoint(KPART, read_at + len(looks), UUID(int=1), NINE)
    await PostgresStore(pool).commit([Advance(read_at, to, [], said)])


async def folded(pool: asyncpg.Pool, story: Story, kpart: int) -> None:
    to = Checkpoint(kpart, len(story.kept), UUID(int=len(story.kept)), story.outcome.log_time)
    await PostgresStore(pool).commit([Advance(0, to, story.kept)])


async def test_deadlines_move_with_the_commit_and_are_read_in_order(pool: asyncpg.Pool) -> None:
    deadlines = PostgresDeadlines(pool, PARTITIONS)
    await moved(pool, 0, row("dana", 5), row("noam", 1), row("avi", 1), row("late", 99))
    now = NINE + timedelta(minutes=10)
    assert await deadlines.due({KPART: None, 4: None}, now, 10) == {
        KPART: [row("avi", 1), row("noam", 1), row("dana", 5)]
    }
    assert await deadlines.due({KPART: None}, now, 2) == {KPART: [row("avi", 1), row("noam", 1)]}
    assert await deadlines.due({KPART: row("noam", 1)}, now, 2) == {KPART: [row("dana", 5)]}
    assert await deadlines.due({4: None}, now, 10) == {}
    await moved(pool, 4, row("avi", 7), "noam", row("dana", 99), "nobody")
    assert await deadlines.due({KPART: None}, now, 10) == {KPART: [row("avi", 7)]}


async def test_a_page_of_deadlines_reads_no_more_than_itself(pool: asyncpg.Pool) -> None:
    """Of a hundred thousand rows that are due, the clock reads 200 at a time, from the index alone."""
    await moved(pool, 0, *[row(f"o{n:04}", n % 60) for n in range(4000)])
    await pool.execute("VACUUM ANALYZE deadline")
    asked = [[KPART], [NINE], [""], [""], NINE + timedelta(hours=2), 200]
    plan = "\n".join(line[0] for line in await pool.fetch(f"EXPLAIN {query('find_due')}", *asked))
    assert "Index Only Scan using deadline_of_moment" in plan
    assert "Sort Key: d.due_at" not in plan


async def test_running_owners_come_once_each_page_by_page(pool: asyncpg.Pool) -> None:
    deadlines = PostgresDeadlines(pool, PARTITIONS)
    owners = [f"o{n}" for n in range(60)]
    theirs = sorted(
        RunningOwner(slot_of("acme", owner), "acme", owner)
        for owner in owners
        if partition_of(slot_of("acme", owner), PARTITIONS) == KPART
    )
    assert len(theirs) > 2
    presses = [started("desk", at="09:00", owner=one.owner) for one in theirs]
    presses += [started("phone", at="09:01", owner=one.owner) for one in theirs]
    idle, *running = theirs
    presses += [paused(timer, at="09:02", owner=idle.owner) for timer in ("desk", "phone")]
    await folded(pool, given(*presses), KPART)

    assert await deadlines.running(KPART, ["acme"], None, 100) == running
    assert await deadlines.running(KPART, ["acme"], running[0], 1) == running[1:2]
    assert await deadlines.running(KPART, ["acme"], running[-1], 100) == []
    assert await deadlines.running(KPART, ["other"], None, 100) == []
    assert await deadlines.running(KPART + 1, ["acme"], None, 100) == []


async def test_a_mark_never_goes_back(pool: asyncpg.Pool) -> None:
    deadlines = PostgresDeadlines(pool, PARTITIONS)
    assert await deadlines.looked([KPART, 4]) == {KPART: -1, 4: -1}
    await deadlines.save_looked(KPART, 7)
    await deadlines.save_looked(KPART, 5)
    assert await deadlines.looked([KPART, 4]) == {KPART: 7, 4: -1}
