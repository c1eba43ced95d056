"""A consumer of a command ends, whatever its own `stop` does, and a cluster that never had a group is asked again."""

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import GroupCoordinatorNotAvailableError

from services.stint_cli import brokers
from services.stint_cli.brokers import Brokers, end_reader
from services.stint_cli.trouble import Trouble
from shared.kafka.clients import KafkaAddress


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


class YoungCluster:
    """Stands in for a question about a group: a cluster has no coordinator for the first `fails` times."""

    def __init__(self, fails: int) -> None:
        self.left = fails

    async def __call__(self) -> str:
        self.left -= 1
        if self.left >= 0:
            raise GroupCoordinatorNotAvailableError
        return "answered"


async def test_a_cluster_that_is_choosing_coordinators_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "_PAUSE_SECONDS", 0)
    assert await brokers._coordinated(YoungCluster(2)) == "answered"
    monkeypatch.setattr(brokers, "_SEEN_WITHIN_SECONDS", -1)
    with pytest.raises(GroupCoordinatorNotAvailableError):
        await brokers._coordinated(YoungCluster(2))


@dataclass
class Described:
    """Stands in for Kafka's administration: each question about a group is answered with the next of these codes."""

    codes: list[int]

    async def describe_consumer_groups(self, groups: list[str]) -> list[Any]:
        return [SimpleNamespace(groups=[(self.codes.pop(0), groups[0], "Stable", "consumer", "range", [])])]


async def test_a_broker_that_does_not_coordinate_a_group_yet_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka says so in its answer, too, for a moment after it has named that broker."""
    monkeypatch.setattr(brokers, "_PAUSE_SECONDS", 0)
    asked = Brokers(KafkaAddress(bootstrap_servers="nowhere:1"))
    admin: Any = Described([16, 14, 15, 0])
    monkeypatch.setattr(asked, "_admin", admin)
    assert await asked.members("stint.projector", "timer.events.v1") == {}
    assert admin.codes == []
    admin.codes = [30, 0]
    with pytest.raises(Trouble, match="cannot be described: GroupAuthorizationFailedError"):
        await asked.members("stint.projector", "timer.events.v1")
