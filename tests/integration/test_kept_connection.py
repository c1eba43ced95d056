"""The connection that a commit leaves for the next one: Postgres may end it, and the pool may be closed meanwhile."""

import asyncio
from contextlib import suppress
from typing import Final

import asyncpg
import pytest

from services.projector.store.postgres import PostgresStore
from tests.integration.commits import KPART, nothing, sessions
from tests.support.stack.deployments import Deployment

pytestmark = pytest.mark.real

_END_ALL_OTHERS: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def dsn(deployment: Deployment) -> str:
    return await deployment.fresh_database("kept_connection")


async def ended(dsn: str) -> None:
    """End every other session of the database."""
    other = await asyncpg.connect(dsn)
    await other.execute(_END_ALL_OTHERS)
    await other.close()


async def test_a_connection_that_ends_while_it_is_kept_fails_one_commit_at_most(dsn: str) -> None:
    async with sessions(dsn) as pool:
        store = PostgresStore(pool)
        await store.commit([nothing(KPART, 0)])
        await ended(dsn)
        # The loop takes any error of a commit for an unknown fate. asyncpg may not have heard yet that it is at an end.
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await store.commit([nothing(KPART, 1)])
        stands_at = (await store.checkpoint(KPART)).next_offset
        await store.commit([nothing(KPART, stands_at)])
        assert (await store.checkpoint(KPART)).next_offset == stands_at + 1


async def test_a_pool_is_closed_just_after_a_commit(dsn: str) -> None:
    pool = await sessions(dsn)
    await PostgresStore(pool).commit([nothing(KPART, 0)])
    # It would wait for ever for a connection that nobody gives back.
    async with asyncio.timeout(20):
        await pool.close()
