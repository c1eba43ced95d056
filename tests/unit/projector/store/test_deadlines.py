"""The clock's statements, when the pool has no connection for them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.projector.store import deadlines
from services.projector.store.deadlines import PostgresDeadlines
from tests.support.story.given import moment


class BusyPool:
    """Stands in for a pool all of whose connections are at work: asyncpg counts no time before there is one."""

    async def fetch(self, *_: object, **__: object) -> None:
        await asyncio.Event().wait()

    execute = fetch


@pytest.mark.parametrize(
    "ask",
    [
        lambda clock: clock.due({3: None}, moment("09:00"), 10),
        lambda clock: clock.running(3, ["acme"], None, 10),
        lambda clock: clock.looked([3]),
        lambda clock: clock.save_looked(3, 7),
    ],
    ids=["due", "running", "looked", "save_looked"],
)
async def test_a_statement_that_gets_no_connection_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[PostgresDeadlines], Awaitable[object]]
) -> None:
    """Else the clock waits as long as the pool is busy, and says nothing."""
    monkeypatch.setattr(deadlines, "_WITHIN_SECONDS", 0.01)
    pool: Any = BusyPool()
    async with asyncio.timeout(1):
        with pytest.raises(TimeoutError):
            await ask(PostgresDeadlines(pool, 12))
