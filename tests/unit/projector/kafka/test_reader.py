"""The reader of one partition: what a slow broker has brought by the time that a reader waits is not thrown away."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.projector.kafka import reader
from services.projector.kafka.reader import PartitionReader
from shared.kafka.clients import KafkaAddress, TopicPartition

TOPIC = "timer.outcomes.v1"
PLACE = TopicPartition(TOPIC, 3)


class Slow:
    """Stands in for a consumer to whom a broker brings one record at a time, and takes its time for it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._at = 0
        self.sought: list[int] = []

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    def assign(self, _: list[TopicPartition]) -> None: ...

    def seek(self, _: TopicPartition, offset: int) -> None:
        self._at = offset
        self.sought.append(offset)

    async def position(self, _: TopicPartition) -> int:
        return self._at

    async def getmany(self, tp: TopicPartition, **_: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(self._seconds)
        self._at += 1
        return {tp: [SimpleNamespace(offset=self._at - 1, value=b"x")]}


async def test_a_slow_broker_is_read_on_in_smaller_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece that took longer than a reader waits was begun anew each time, and a rebuild never came to its end."""
    slow = Slow(0.02)
    monkeypatch.setattr(reader, "lone_consumer", lambda *_, **__: slow)
    monkeypatch.setattr(reader, "_WITHIN_SECONDS", 0.5)
    monkeypatch.setattr(reader, "_PIECE_WITHIN_SECONDS", 0.1)
    log, offsets = PartitionReader(KafkaAddress(bootstrap_servers="nowhere:9092"), TOPIC), list[int]()
    while len(offsets) < 100:
        piece = [record.offset for record in await log.read_on(3, len(offsets), 100, 100, 1 << 20)]
        assert 0 < len(piece) < 100
        offsets += piece
    assert (offsets, slow.sought) == (list(range(100)), [])
