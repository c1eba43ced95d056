"""Post: single records to topics of other services, on a producer of their own.

Such a topic may be gone, or forbidden. On an idempotent producer its failure would leave a gap in the sequence, and
would cost the presses their producer. This one repeats where it is in doubt, so a record may be written twice.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka.errors import (
    BrokerResponseError,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from shared.kafka.foreign_topics import ForeignTopics
from shared.kafka.kept_producer import KeptProducer
from shared.process.logs import loggable

WITHIN_SECONDS: Final = 12.0
# How long an address that is not there is not asked for again. Its service may be about to make it.
_MISSING_FOR_SECONDS: Final = 1.0
# What a topic or a record is to blame for, and no producer. A partition that is gone is an assertion of aiokafka's.
_NOT_TAKEN: Final = (
    AssertionError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)


class Post:
    """Sends letters, and knows which addresses exist. Both methods raise ConnectionError without a broker."""

    def __init__(self, kept: KeptProducer) -> None:
        self._kept = kept
        self._topics = ForeignTopics(_MISSING_FOR_SECONDS)

    async def leads_somewhere(self, topic: str, partition: int) -> bool:
        """Return whether a topic exists that we may see, and has this partition."""
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                return await self._topics.exists(await self._kept.get(), topic, partition)
        except (KafkaError, OSError) as error:
            raise ConnectionError(loggable(error)) from None

    async def send(
        self,
        topic: str,
        partition: int,
        value: bytes | None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
    ) -> bool:
        """Write one record, and return after its ack.

        False: the topic is gone or forbidden, or the record is too large.
        """
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                producer = await self._kept.get()
        except TimeoutError:
            raise ConnectionError("no producer is there") from None
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                if not await self._topics.exists(producer, topic, partition):
                    return False
                if value is None and key is None:
                    value = b""  # aiokafka sends no record that has neither
                sending = await producer.send(topic, value=value, key=key, partition=partition, headers=list(headers))
                # Shielded, because aiokafka ends its batch by setting all of its futures.
                await asyncio.shield(sending)
        except _NOT_TAKEN:
            self._topics.doubt(topic)
            return False
        except (BrokerResponseError, KafkaTimeoutError, OSError) as error:
            # Its partition has no leader, or too few replicas, or no broker answers: the producer is well.
            raise ConnectionError(loggable(error)) from None
        except KafkaError as error:
            # A producer whose sender has failed once fails every send from then on.
            self._kept.broken(producer, loggable(error))
            raise ConnectionError(loggable(error)) from None
        return True
