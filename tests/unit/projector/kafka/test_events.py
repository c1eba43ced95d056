"""The log of events as a member of the group sees it: where partitions end, also while one of them has no leader."""

from types import SimpleNamespace
from typing import Final

import pytest
from aiokafka.errors import KafkaTimeoutError

from services.projector.kafka.events import KafkaEventLog
from shared.events.topics import EVENTS
from shared.kafka.clients import KafkaAddress, TopicPartition

LEADERS: Final = {0: 1, 1: -1, 2: None, 3: 1}


class Member:
    """Stands in for a consumer that has all partitions. Asked for one without a leader, it waits in vain."""

    def __init__(self, leaders: dict[int, int | None]) -> None:
        self._leaders = leaders
        cluster = SimpleNamespace(leader_for_partition=lambda place: leaders[place.partition])
        self._client = SimpleNamespace(cluster=cluster)

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(TopicPartition(EVENTS, kpart) for kpart in self._leaders)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        if any(self._leaders[place.partition] in {None, -1} for place in places):
            raise KafkaTimeoutError
        return {place: 10 + place.partition for place in places}


@pytest.mark.parametrize(("leaders", "ends"), [(LEADERS, {0: 10, 3: 13}), ({1: -1}, {}), ({}, {})])
async def test_a_partition_without_a_leader_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, leaders: dict[int, int | None], ends: dict[int, int]
) -> None:
    """The lag of all partitions was unknown then, and no stuck consumer was found."""
    monkeypatch.setattr(KafkaEventLog, "_make_consumer", lambda _: (Member(leaders), None))
    log = KafkaEventLog(KafkaAddress(bootstrap_servers="nowhere:9092"), "group", 6000)
    assert await log.ends() == ends
