"""A connection that stays between two commits: when it stays, when the pool has it back, and what a failure changes."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
import pytest

from services.projector.store import postgres
from services.projector.store.postgres import KeptConnection


@dataclass
class PoolInHand:
    """A pool of numbers: what was acquired, in order, and what is out now. It never runs out of them."""

    acquired: list[int] = field(default_factory=list)
    out: list[int] = field(default_factory=list)
    max_size: int = 2

    def get_max_size(self) -> int:
        """Return how many it says that it has."""
        return self.max_size

    async def acquire(self) -> int:
        """Give the next number."""
        self.acquired.append(len(self.acquired) + 1)
        self.out.append(self.acquired[-1])
        return self.acquired[-1]

    async def release(self, number: int) -> None:
        """Take a number back."""
        self.out.remove(number)


@pytest.fixture
def pool() -> PoolInHand:
    return PoolInHand()


@pytest.fixture
def kept(pool: PoolInHand) -> KeptConnection:
    return KeptConnection(cast("asyncpg.Pool", pool))


async def commit(kept: KeptConnection, until: asyncio.Event | None = None) -> Any:  # noqa: ANN401 - a number
    async with kept.taken() as conn:
        if until is not None:
            await until.wait()
        return conn


async def test_commits_one_after_the_other_take_the_same_connection(kept: KeptConnection, pool: PoolInHand) -> None:
    assert [await commit(kept), await commit(kept), await commit(kept)] == [1, 1, 1]
    assert (pool.acquired, pool.out) == ([1], [1])


async def test_the_only_connection_of_a_pool_is_not_kept() -> None:
    """Each read between two commits would wait for it."""
    pool = PoolInHand(max_size=1)
    kept = KeptConnection(cast("asyncpg.Pool", pool))
    assert [await commit(kept), await commit(kept)] == [1, 2]
    assert pool.out == []


async def test_commits_beside_each_other_take_two_and_one_stays(kept: KeptConnection, pool: PoolInHand) -> None:
    """Recovery commits while the loop does."""
    done = asyncio.Event()
    await commit(kept)
    first = asyncio.create_task(commit(kept, done))
    await asyncio.sleep(0)
    assert await commit(kept) == 2
    done.set()
    assert await first == 1
    assert pool.out == [2]
    assert await commit(kept) == 2


async def test_a_commit_that_fails_keeps_no_connection(kept: KeptConnection, pool: PoolInHand) -> None:
    await commit(kept)
    with pytest.raises(ConnectionError):
        async with kept.taken():
            raise ConnectionError
    assert pool.out == []
    assert await commit(kept) == 2


async def test_a_commit_that_is_cancelled_keeps_no_connection(kept: KeptConnection, pool: PoolInHand) -> None:
    waiting = asyncio.create_task(commit(kept, asyncio.Event()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert (pool.acquired, pool.out) == ([1], [])


async def test_the_pool_has_its_connection_back_when_no_commit_comes(
    kept: KeptConnection, pool: PoolInHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the pool closes what was idle for long, and it cannot be closed while a connection is out."""
    monkeypatch.setattr(postgres, "_KEPT_SECONDS", 0.0)
    await commit(kept)
    assert pool.out == [1]
    await asyncio.sleep(0.01)
    assert pool.out == []
    assert await commit(kept) == 2


async def test_a_connection_in_a_commit_is_not_given_back_meanwhile(
    kept: KeptConnection, pool: PoolInHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_KEPT_SECONDS", 0.0)
    await commit(kept)
    async with kept.taken() as conn:
        await asyncio.sleep(0.01)
        assert pool.out == [cast("int", conn)] == [1]
