"""A broker that keeps its records and answers when the test says so. It proves wiring only.

Where it differs: each batch is a future that the test ends, and no batch is too large, torn or sent twice.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

LOG_TIME_MS = 1_790_000_000_000


@dataclass
class Batch:
    """What `create_batch` returns: at most `room` records."""

    room: int
    records: list[tuple[bytes, bytes, list[tuple[str, bytes]]]] = field(default_factory=list)

    def append(self, *, timestamp: int | None, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> Any:  # noqa: ANN401
        assert timestamp is None
        if value == b"poison":
            raise TypeError(value)
        if len(self.records) >= self.room:
            return None
        self.records.append((key, value, headers))
        return object()

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Metadata:
    offset: int
    timestamp: int
    timestamp_type: int


@dataclass
class Sent:
    """One batch that was sent, and the future that its sender awaits."""

    topic: str
    partition: int
    records: list[tuple[bytes, bytes, list[tuple[str, bytes]]]]
    future: "asyncio.Future[Metadata]"

    @property
    def values(self) -> list[bytes]:
        return [value for _, value, _ in self.records]

    def ack(self, offset: int, log_time_ms: int = LOG_TIME_MS, timestamp_type: int = 1) -> None:
        self.future.set_result(Metadata(offset, log_time_ms, timestamp_type))


class FakeProducer:
    """Stands in for aiokafka's producer."""

    def __init__(self, room: int = 100) -> None:
        self.room = room
        # True: it does not know the partitions any more, and asks for them at the next `send_batch`.
        self.lost = False
        self.sent: list[Sent] = []
        self.stopped = False

    async def start(self) -> None:
        await asyncio.sleep(0)

    async def stop(self) -> None:
        self.stopped = True

    async def partitions_for(self, topic: str) -> set[int]:
        assert topic
        return set(range(12))

    def create_batch(self) -> Batch:
        return Batch(self.room)

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[Metadata]":
        await asyncio.sleep(0)
        self.lost = False
        return self._take(batch, topic, partition)

    def hand_over(self, batch: Batch, topic: str, partition: int) -> "asyncio.Future[Metadata] | None":
        return None if self.lost else self._take(batch, topic, partition)

    def _take(self, batch: Batch, topic: str, partition: int) -> "asyncio.Future[Metadata]":
        sent = Sent(topic, partition, batch.records, asyncio.get_running_loop().create_future())
        self.sent.append(sent)
        return sent.future


async def ticks(count: int = 5) -> None:
    """Let every task that is ready run."""
    for _ in range(count):
        await asyncio.sleep(0)
