"""A commit is one statement on real Postgres: all of it or nothing, and nothing past the compare-and-set."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import asyncpg
import pytest

from services.projector.ports import Advance, BusyError, Checkpoint, FencedError, KnownError, Wanted, WriteRefusedError
from services.projector.store import postgres
from services.projector.store.postgres import PostgresStore
from services.projector.store.statement import statement_of
from shared.events.ids import slot_of
from tests.integration.commits import KPART, nothing, sessions
from tests.support.proof.tables import dump
from tests.support.stack.deployments import Deployment
from tests.support.stack.until import eventually
from tests.support.story.given import given, moment, started, stopped, timer_id

pytestmark = pytest.mark.real

OTHER: Final = 4
SLOT: Final = slot_of("acme", "dana")
_WAITING: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
async def dsn(deployment: Deployment) -> str:
    return await deployment.fresh_database("one_statement")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    async with sessions(dsn) as pool:
        yield pool


def a_start_and_a_stop(kpart: int = KPART) -> Advance:
    story = given(started("desk", at="09:00", job_id="roof"), stopped("desk", at="09:30"))
    return Advance(0, Checkpoint(kpart, 2, UUID(int=2), moment("09:30"), 1), story.kept)


async def test_a_batch_that_is_fenced_in_part_writes_nothing(pool: asyncpg.Pool, dsn: str) -> None:
    store = PostgresStore(pool)
    await store.commit([nothing(OTHER, 0)])
    before = await dump(dsn)
    with pytest.raises(FencedError, match=r"partitions \[4\] are no longer where they were read"):
        await store.commit([a_start_and_a_stop(), nothing(OTHER, 0)])
    assert await dump(dsn) == before
    await store.commit([a_start_and_a_stop(), nothing(OTHER, 1)])
    assert await pool.fetchval("SELECT count(*) FROM outcome") == 2


@pytest.mark.parametrize(
    "unread",
    [
        pytest.param(Wanted(events=[(KPART, UUID(int=9)), (KPART, UUID(int=1))]), id="an event that has a verdict"),
        pytest.param(Wanted(drawn={(0, 5), (SLOT, timer_id("desk"))}), id="a drawn id that is taken"),
    ],
)
async def test_a_batch_that_is_no_news_in_part_writes_nothing(pool: asyncpg.Pool, dsn: str, unread: Wanted) -> None:
    store = PostgresStore(pool)
    await store.commit([a_start_and_a_stop()])
    before = await dump(dsn)
    with pytest.raises(KnownError):
        await store.commit(
            [replace(a_start_and_a_stop(OTHER), unread=Wanted()), replace(nothing(KPART, 2), unread=unread)]
        )
    assert await dump(dsn) == before


async def test_what_is_known_of_other_partitions_and_timers_is_no_matter_to_news(pool: asyncpg.Pool) -> None:
    """The control of the test above: the same event, on another partition."""
    store = PostgresStore(pool)
    await store.commit([a_start_and_a_stop()])
    news = Wanted(events=[(KPART, UUID(int=9)), (OTHER, UUID(int=1))], drawn={(SLOT, timer_id("phone"))})
    await store.commit([replace(nothing(OTHER, 0), unread=news)])
    assert (await store.checkpoint(OTHER)).next_offset == 1


async def test_a_batch_that_is_fenced_is_not_looked_into(pool: asyncpg.Pool) -> None:
    store = PostgresStore(pool)
    await store.commit([a_start_and_a_stop()])
    with pytest.raises(FencedError):
        await store.commit([replace(nothing(KPART, 0), unread=Wanted(events=[(KPART, UUID(int=1))]))])


async def test_without_the_gate_a_fenced_batch_is_written(pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above."""

    def gateless(writes: Sequence[str]) -> str:
        return statement_of(tuple(writes)).replace("FROM gate CROSS JOIN unnest", "FROM unnest")

    monkeypatch.setattr(postgres, "statement_of", gateless)
    store = PostgresStore(pool)
    await store.commit([nothing(OTHER, 0)])
    with pytest.raises(FencedError):
        await store.commit([a_start_and_a_stop(), nothing(OTHER, 0)])
    assert await pool.fetchval("SELECT count(*) FROM outcome") == 2


async def test_progress_that_was_saved_while_the_commit_waited_is_kept(pool: asyncpg.Pool) -> None:
    """The commit's snapshot is older than the row that it locks. It goes by the row."""
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("UPDATE checkpoint SET published = 7, outcomes_next = 8 WHERE kpart = $1", KPART)
        committing = asyncio.create_task(PostgresStore(pool).commit([a_start_and_a_stop()]))
        await waits(pool)
        await transaction.commit()
    await committing
    row = await pool.fetchrow("SELECT next_offset, published, outcomes_next FROM checkpoint WHERE kpart = $1", KPART)
    assert dict(row or {}) == {"next_offset": 2, "published": 7, "outcomes_next": 8}
    assert await pool.fetchval("SELECT count(*) FROM outcome") == 2


async def test_a_commit_that_waited_for_another_projectors_is_fenced(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await PostgresStore(pool).write(other, [nothing(KPART, 0)])
        committing = asyncio.create_task(PostgresStore(pool).commit([a_start_and_a_stop()]))
        await waits(pool)
        await transaction.commit()
    with pytest.raises(FencedError):
        await committing
    assert await pool.fetchval("SELECT count(*) FROM outcome") == 0


async def test_a_commit_waits_no_longer_for_a_checkpoint_than_it_may(pool: asyncpg.Pool, dsn: str) -> None:
    async with sessions(dsn, lock_timeout_ms=50) as hasty, pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM checkpoint WHERE kpart = $1 FOR UPDATE", KPART)
        with pytest.raises(BusyError):
            await PostgresStore(hasty).commit([a_start_and_a_stop()])


async def test_a_row_that_is_there_already_is_refused_and_the_checkpoint_stays(pool: asyncpg.Pool) -> None:
    store, advance = PostgresStore(pool), a_start_and_a_stop()
    await store.commit([advance])
    again = replace(advance, read_at=2, to=replace(advance.to, next_offset=4))
    with pytest.raises(WriteRefusedError, match="UniqueViolationError"):
        await store.commit([again])
    assert (await store.checkpoint(KPART)).next_offset == 2


async def waits(pool: asyncpg.Pool) -> None:
    async def one() -> bool:
        return bool(await pool.fetchval(_WAITING))

    await eventually(one, "the commit waits for the checkpoint")
