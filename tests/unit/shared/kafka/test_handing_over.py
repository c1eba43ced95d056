"""Handing a batch over without a task: only where `send_batch` would not wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shared.kafka.clients import KafkaAddress, durable_producer

TOPIC = "timer.events.v1"


@asynccontextmanager
async def knowing(*partitions: int) -> AsyncIterator[Any]:
    """Give a producer that was never started, and knows these partitions."""
    producer = durable_producer(KafkaAddress(bootstrap_servers="127.0.0.1:9"))
    producer.client.cluster._partitions[TOPIC] = dict.fromkeys(partitions)
    yield producer
    producer._message_accumulator._batches.clear()
    await producer.stop()


def batch_of(producer: Any, value: bytes) -> Any:  # noqa: ANN401 - as above
    batch = producer.create_batch()
    batch.append(timestamp=None, key=b"k", value=value)
    return batch


async def test_a_batch_is_queued_at_once_and_its_future_is_the_batchs_own() -> None:
    async with knowing(0, 1) as producer:
        acked = producer.hand_over(batch_of(producer, b"a"), TOPIC, 1)
        ((place, (queued,)),) = producer._message_accumulator._batches.items()
        assert ((place.topic, place.partition), queued.future) == ((TOPIC, 1), acked)
        queued.done(7, 123)
        assert (acked.result().offset, acked.result().timestamp_type) == (7, 1)


async def test_a_batch_that_would_have_to_wait_is_not_taken() -> None:
    async with knowing(0) as producer:
        assert producer.hand_over(batch_of(producer, b"a"), "timer.texts.v1", 0) is None  # its metadata is lost
        assert producer.hand_over(batch_of(producer, b"a"), TOPIC, 1) is None  # no such partition, as far as it knows
        assert producer.hand_over(batch_of(producer, b"a"), TOPIC, 0) is not None
        assert producer.hand_over(batch_of(producer, b"b"), TOPIC, 0) is None  # the one before is not sent yet


async def test_a_producer_whose_end_has_begun_takes_nothing() -> None:
    async with knowing(0) as failed, knowing(0) as closed:
        failed._message_accumulator.fail_all(RuntimeError("its sender has failed"))
        assert failed.hand_over(batch_of(failed, b"a"), TOPIC, 0) is None
        await closed._message_accumulator.close()
        assert closed.hand_over(batch_of(closed, b"a"), TOPIC, 0) is None
