"""Addresses of replies on a real broker: one that leads nowhere any more costs the others nothing."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from services.projector.kafka.replies import KafkaReplies
from shared.events.codec import Press
from shared.events.models import TimerStarted
from shared.events.topics import EVENTS, REPLIES
from shared.kafka.clients import TopicPartition, end_consumer, lone_consumer, quick_producer
from shared.kafka.kept_producer import KeptProducer
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.logs import read_topic
from tests.support.stack.other_service import other_service
from tests.support.stack.until import eventually

THEIRS = "timer.replies.x"
ANSWER = [("r-1", b"{}")]


async def test_a_reply_topic_that_is_deleted_costs_its_own_replies_and_no_others(deployment: Deployment) -> None:
    """Before, its first failure ended the producer on which everybody's answers go out."""
    admin = AIOKafkaAdminClient(**deployment.kafka.options())
    await admin.start()
    reader = lone_consumer(deployment.kafka)
    await reader.start()
    kept = KeptProducer(lambda: quick_producer(deployment.kafka), [REPLIES])
    keeping = asyncio.create_task(kept.run())
    replies = KafkaReplies(kept)
    ours = itertools.count(1)

    async def there(topic: str) -> int:
        place = TopicPartition(topic, 0)
        ends: dict[TopicPartition, int] = await reader.end_offsets([place])
        return ends[place]

    try:
        await admin.create_topics([NewTopic(THEIRS, 1, 1)])
        producer = await kept.get()
        began = await there(REPLIES)

        async def answered(expected: int) -> None:
            async def arrived() -> bool:
                return await there(REPLIES) == began + expected

            # A reply that waits for the lost ones waits ten seconds.
            await eventually(arrived, "our replies arrive", within_seconds=8)

        async def theirs_arrived() -> bool:
            replies.send(THEIRS, 0, ANSWER)
            return await there(THEIRS) > 0

        await eventually(theirs_arrived, "their replies arrive")
        await admin.delete_topics([THEIRS])

        async def forgotten() -> bool:
            replies.send(THEIRS, 0, ANSWER)
            replies.send(REPLIES, 0, ANSWER)
            await answered(next(ours))
            return bool(replies.dropped) and not replies._addresses.knows(THEIRS)

        await eventually(forgotten, "their address is dropped")
        # Those on their way when the topic went are given up after ten seconds; the producer stays then, too.
        async with asyncio.timeout(40):
            while replies.dropped.keys() <= {"no_such_address"}:
                await forgotten()
                await asyncio.sleep(0.2)
        assert await kept.get() is producer
    finally:
        keeping.cancel()
        await kept.close()
        await end_consumer(reader)
        await admin.close()


@pytest.fixture
async def admin(deployment: Deployment) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**deployment.kafka.options())
    await admin.start()
    yield admin
    await admin.close()


async def test_a_topic_that_takes_no_answer_holds_up_nobodys_commands(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str, admin: AIOKafkaAdminClient
) -> None:
    """Before, its command was pressed again without end, and no round after it was taken.

    Here it is a compacted topic, which refuses each record without a key. A partition without a leader is the same.
    """
    assert api.token == tenant.token
    sick = f"timer.replies.{owner}"
    await admin.create_topics([NewTopic(sick, 1, 1, topic_configs={"cleanup.policy": "compact"})])
    async with other_service(deployment, tenant) as service:
        for number in range(5):
            to = {"reply_to": sick.encode()}
            await service.press("start", f"{owner}-{number}", key=owner, owner=owner, headers=to)
            others = [fresh_owner() for _ in range(4)]
            for other in others:
                await service.press("start", other, key=other, owner=other)
            await service.heard(others, 15)
    presses = [record.press() for record in await read_topic(deployment.kafka, EVENTS)]
    pressed = Counter(
        press.envelope.event_id
        for press in presses
        if isinstance(press, Press) and isinstance(press.event, TimerStarted) and press.event.owner == owner
    )
    assert sorted(pressed.values()) == [2] * 5


async def test_a_partition_that_was_just_added_is_answered_at_once(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str, admin: AIOKafkaAdminClient
) -> None:
    """Before, its commands were dead until the API happened to look at its topics: up to 30 seconds."""
    assert api.token == tenant.token
    async with other_service(deployment, tenant) as service:
        await service.asks("start", f"{owner}-1", key=owner, owner=owner)
        await admin.create_partitions({service.topic: NewPartitions(2)})
        begun = {"reply_partition": b"1"}
        await service.press("start", f"{owner}-2", key=owner, owner=owner, headers=begun)
        reader = lone_consumer(deployment.kafka)
        await reader.start()
        try:
            place = TopicPartition(service.topic, 1)

            async def answered() -> bool:
                return bool((await reader.end_offsets([place]))[place])

            await eventually(answered, "the new partition is answered", within_seconds=8)
        finally:
            await end_consumer(reader)
