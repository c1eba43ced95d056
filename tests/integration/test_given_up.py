"""A producer that was given up, on a real broker that refuses what it holds, and takes it again later.

The refusal is a topic that is deleted and made anew: one broker never has too few replicas, because it asks for no more
of them than the topic has. The client treats both alike, and sends again.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.kafka import kept_producer
from shared.kafka.clients import durable_producer
from shared.kafka.kept_producer import KeptProducer
from tests.support.stack.deployments import Deployment
from tests.support.stack.logs import end_offsets
from tests.support.stack.until import eventually

TOPIC = "given.up"


@pytest.fixture
async def admin(deployment: Deployment) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**deployment.kafka.options())
    await client.start()
    yield client
    await client.close()


def tasks_of(name: str) -> list[str]:
    """Return what runs of a client library, by the names of its coroutines."""
    running = [str(task.get_coro()) for task in asyncio.all_tasks()]
    return [task for task in running if name in task]


async def make_topic(admin: AIOKafkaAdminClient) -> None:
    """Make the topic, as soon as the broker has let go of one of that name."""

    async def made() -> bool:
        answer = await admin.create_topics([NewTopic(TOPIC, 1, 1)])
        return all(error == 0 for _, error, *_ in answer.topic_errors)

    await eventually(made, "the topic is made")


async def test_nothing_of_a_producer_that_was_given_up_lands_when_the_broker_takes_it_again(
    deployment: Deployment, admin: AIOKafkaAdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each one given up in an hour of refusals would otherwise land its copy at the end of it."""
    monkeypatch.setattr(kept_producer, "STOP_WITHIN_SECONDS", 0.5)
    await make_topic(admin)
    before = tasks_of("Sender._")
    kept = KeptProducer(lambda: durable_producer(deployment.kafka), [TOPIC])
    keeping = asyncio.create_task(kept.run())
    producer = await kept.get()
    await admin.delete_topics([TOPIC])
    batch = producer.create_batch()
    batch.append(timestamp=None, key=None, value=b"of unknown fate")
    acked = await producer.send_batch(batch, TOPIC, partition=0)
    await asyncio.sleep(0.3)  # it is refused and sent again, some times
    assert not acked.done()
    ends, is_ending = kept._end, asyncio.Event()

    def told_end(*ended: Any) -> None:  # noqa: ANN401 - as `_end` takes them
        ends(*ended)
        is_ending.set()

    monkeypatch.setattr(kept, "_end", told_end)
    kept.broken(producer, "no ack")
    # It pauses from the same turn of the loop on, and makes no other one before it is cancelled.
    async with asyncio.timeout(20):
        await is_ending.wait()
    keeping.cancel()
    await asyncio.wait({keeping})

    async def told() -> bool:
        return bool(acked.done())

    await eventually(told, "whoever waits for the ack hears that none will come")
    assert acked.exception() is not None
    await kept.close()
    assert tasks_of("Sender._") == before

    await make_topic(admin)
    # A batch that was still sent again, some twenty times a second, would land now.
    await asyncio.sleep(1.5)
    assert await end_offsets(deployment.kafka, TOPIC) == {0: 0}
