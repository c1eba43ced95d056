"""The judged stream over Kafka: what an ack is believed to say."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from services.projector.kafka.outcomes import KafkaOutcomeLog
from services.projector.ports import ToPublish
from shared.events.topics import OUTCOMES
from shared.kafka.clients import KafkaAddress


@dataclass
class Producer:
    """Stands in for `KeptProducer` and the producer in it. Batches hold two records, and are acked at `offsets`."""

    offsets: list[int]
    given_up: list[str] = field(default_factory=list)

    async def get(self) -> "Producer":
        return self

    def broken(self, producer: "Producer", why: str) -> None:
        assert producer is self
        self.given_up.append(why)

    def create_batch(self) -> Any:  # noqa: ANN401 - as aiokafka
        held: list[bytes] = []

        def append(*, timestamp: None, key: bytes | None, value: bytes) -> object:  # noqa: ARG001 - as aiokafka
            if len(held) == 2:
                return None
            held.append(value)
            return held

        return SimpleNamespace(append=append)

    async def send_batch(self, batch: object, topic: str, *, partition: int) -> asyncio.Future[Any]:  # noqa: ARG002
        assert (topic, partition) == (OUTCOMES, 3)
        acked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        acked.set_result(SimpleNamespace(offset=self.offsets.pop(0)))
        return acked


def stream_over(producer: Producer) -> KafkaOutcomeLog:
    kept: Any = producer
    return KafkaOutcomeLog(KafkaAddress(bootstrap_servers="nowhere:9092"), kept)


THREE = [ToPublish(offset, None, b"%d" % offset) for offset in (7, 8, 9)]


async def test_the_end_of_what_was_published_is_that_of_its_last_batch() -> None:
    producer = Producer([40, 45])
    assert await stream_over(producer).publish(3, THREE) == 46
    assert producer.given_up == []


async def test_an_ack_without_an_offset_leaves_the_fate_unknown() -> None:
    """The broker has such a batch already, and no longer knows where."""
    producer = Producer([40, -1])
    with pytest.raises(RuntimeError, match="acked as a repeat"):
        await stream_over(producer).publish(3, THREE)
    assert len(producer.given_up) == 1
