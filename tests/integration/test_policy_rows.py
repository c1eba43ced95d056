"""Policies as rows: on real Postgres, which refuses some, and remembers those of a topic that is no longer there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from services.projector.store import policies
from services.projector.store.policies import PolicyRows
from shared.events.policies.book import PolicyRecord
from shared.events.policy import Policy, Preset
from tests.support.stack.deployments import Deployment
from tests.support.stack.until import eventually

pytestmark = pytest.mark.real

SET_AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
async def pool(deployment: Deployment) -> AsyncIterator[asyncpg.Pool]:
    dsn = await deployment.fresh_database("policy_rows")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2, server_settings={"timezone": "UTC"}) as pool:
        yield pool


def policy(set_by: str = "ann", replaces: int | None = None) -> PolicyRecord:
    document = Policy(preset=Preset.NATIVE, zone="UTC")
    return PolicyRecord(replaces=replaces, set_by=set_by, set_at=SET_AT, document=document)


@asynccontextmanager
async def writing(pool: asyncpg.Pool, *read: tuple[int, PolicyRecord]) -> AsyncIterator[list[Any]]:
    """Write policies as a projector that has read them does, and hand out what it logs."""
    rows = PolicyRows(pool)
    with capture_logs() as said:
        task = asyncio.create_task(rows.run())
        for revision, record in read:
            rows.add(revision, "acme", record)
        try:
            yield said
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def written(pool: asyncpg.Pool, revisions: Sequence[int]) -> None:
    async def there() -> bool:
        return [row["revision"] for row in await pool.fetch("SELECT revision FROM policy ORDER BY 1")] == revisions

    await eventually(there, "the policies are written")


async def test_a_policy_that_postgres_refuses_holds_up_no_other(pool: asyncpg.Pool) -> None:
    """A zero byte is lawful on Kafka and in JSON, and Postgres stores none."""
    async with writing(pool, *enumerate([policy(), policy("a\0b"), policy()])):
        await written(pool, [0, 2])


async def test_policies_that_another_projector_wrote_are_written_again_without_a_word(pool: asyncpg.Pool) -> None:
    for _ in range(2):
        async with writing(pool, (0, policy()), (3, policy(replaces=0)), (5, policy("bob", replaces=3))) as said:
            await written(pool, [0, 3, 5])
            await asyncio.sleep(0.2)
        assert said == []


async def test_a_projector_that_reads_other_policies_than_those_before_it_says_so_again_and_again(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their topic was made anew before it began, so nothing in its memory tells it."""
    async with writing(pool, (0, policy()), (3, policy(replaces=0))):
        await written(pool, [0, 3])
    monkeypatch.setattr(policies, "LOGGED_AGAIN_AFTER_SECONDS", 0.1)
    async with writing(pool, (0, policy()), (3, policy("bob", replaces=0)), (4, policy(replaces=3))) as said:

        async def told_twice() -> bool:
            return len(said) > 1

        await eventually(told_twice, "the alarm is said again")
    assert {(one["log_level"], one["event"], *one["other_rows"]) for one in said} == {
        ("error", "policies_went_back", 3)
    }
    assert await pool.fetchval("SELECT set_by FROM policy WHERE revision = 3") == "ann"
