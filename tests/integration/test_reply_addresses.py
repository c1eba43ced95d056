"""Addresses of replies on a real broker: one that leads nowhere any more costs the others nothing."""

import asyncio
import itertools

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.projector.kafka.replies import KafkaReplies
from shared.events.topics import REPLIES
from shared.kafka.clients import TopicPartition, end_consumer, lone_consumer, quick_producer
from shared.kafka.kept_producer import KeptProducer
from tests.support.stack.deployments import Deployment
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
