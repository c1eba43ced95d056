"""A consumer of a command ends, whatever its own `stop` does."""

import asyncio
from typing import Any

import pytest

from services.stint_cli import brokers
from services.stint_cli.brokers import end_reader


class StuckConsumer:
    """Stands in for a consumer whose `stop` waits for a fetch that nothing cancels. The fetch ends with its client."""

    def __init__(self) -> None:
        self._client = self
        self.fetch: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def stop(self) -> None:
        await asyncio.shield(self.fetch)

    async def close(self) -> None:
        self.fetch.set_result(None)


async def test_a_consumer_that_does_not_stop_is_closed_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "_STOP_SECONDS", 0.01)
    consumer: Any = StuckConsumer()
    async with asyncio.timeout(5):
        await end_reader(consumer)
    assert consumer.fetch.done()
