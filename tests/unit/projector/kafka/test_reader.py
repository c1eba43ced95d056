"""The reader of one partition: what a slow broker has brought by the time that a reader waits is not thrown away."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import LeaderNotAvailableError

from services.projector.kafka import reader
from services.projector.kafka.reader import PartitionReader
from services.projector.ports import Span
from shared.kafka.clients import KafkaAddress, TopicPartition

TOPIC = "timer.outcomes.v1"
PLACE = TopicPartition(TOPIC, 3)


class Slow:
    """Stands in for a consumer to whom a broker brings one record at a time, and takes its time for it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._at = 0
        self.sought: list[int] = []
        self.cluster, self._client = SimpleNamespace(leader_for_partition=lambda _: 1), self

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


class Half:
    """Stands in for a consumer of two partitions, of which one has no leader: asked about that, it waits in vain.

    It knows of no topic before it is asked about one. `all_led`: by now each has a leader, says the broker.
    """

    def __init__(self) -> None:
        self.all_led = False
        self.asked: list[int] = []
        self.cluster, self._client = SimpleNamespace(leader_for_partition=lambda _: None), self

    async def fetch_all_metadata(self) -> Any:  # noqa: ANN401 - aiokafka ships no types
        led = {0: 1 if self.all_led else -1, 1: 1}
        return SimpleNamespace(leader_for_partition=lambda place: led[place.partition])

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        [place] = places
        self.asked.append(place.partition)
        if place.partition == 0 and not self.all_led:
            await asyncio.Event().wait()
        return {place: 0}

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 7)


async def test_partitions_without_a_leader_hold_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kept the one reader for ten seconds, and again after each pause. The others were taken up behind them."""
    half, made = Half(), 0

    def make(*_: object, **__: object) -> Half:
        nonlocal made
        made += 1
        return half

    monkeypatch.setattr(reader, "lone_consumer", make)
    log = PartitionReader(KafkaAddress(bootstrap_servers="nowhere:9092"), TOPIC)
    async with asyncio.timeout(5):
        sick = [asyncio.ensure_future(log.span(0)) for _ in range(4)]
        assert await log.span(1) == Span(0, 7)
        for one in sick:
            with pytest.raises(LeaderNotAvailableError):
                await one
        assert (half.asked, made) == ([1], 1)
        half.all_led = True
        assert await log.span(0) == Span(0, 7)
