"""Post: single records to topics that other people name, on a producer of their own.

Such a topic may be gone, or forbidden. On an idempotent producer its failure would leave a gap in the sequence, and
would cost the presses their producer. This one repeats where it is in doubt, so a record may be written twice.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from shared.kafka.clients import AIOKafkaProducer
from shared.kafka.kept_producer import KeptProducer
from shared.process.logs import told

WITHIN_SECONDS: Final = 12.0
# How long a topic that is not there is not asked for again. Its service may be about to make it.
_MISSING_FOR_SECONDS: Final = 1.0
_MISSING_MAX: Final = 1_000
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
        self._missing_until: dict[str, float] = {}
        self._asking = asyncio.Lock()

    async def leads_somewhere(self, topic: str, partition: int) -> bool:
        """Return whether a topic exists that we may see, and has this partition."""
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                return partition in await self._partitions_of(topic, await self._kept.get())
        except (KafkaError, OSError) as error:
            raise ConnectionError(told(error)) from None

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
                if partition not in await self._partitions_of(topic, producer):
                    return False
                if value is None and key is None:
                    value = b""  # aiokafka sends no record that has neither
                sending = await producer.send(topic, value=value, key=key, partition=partition, headers=list(headers))
                # Shielded, because aiokafka ends its batch by setting all of its futures.
                await asyncio.shield(sending)
        except _NOT_TAKEN:
            return False
        except (KafkaTimeoutError, OSError) as error:
            raise ConnectionError(told(error)) from None
        except KafkaError as error:
            # A producer whose sender has failed once fails every send from then on.
            self._kept.broken(producer, told(error))
            raise ConnectionError(told(error)) from None
        return True

    async def _partitions_of(self, topic: str, producer: AIOKafkaProducer) -> frozenset[int]:
        if known := producer.client.cluster.partitions_for_topic(topic):
            return frozenset(known)
        async with self._asking:
            if self._missing_until.get(topic, 0.0) > asyncio.get_running_loop().time():
                return frozenset()
            # Asked of all topics at once: asking for one that does not exist would wait for it to appear.
            metadata = await producer.client.fetch_all_metadata()
            if found := metadata.partitions_for_topic(topic):
                await producer.partitions_for(topic)  # the client keeps it from here on
                return frozenset(found)
            if len(self._missing_until) >= _MISSING_MAX:
                self._missing_until.clear()
            self._missing_until[topic] = asyncio.get_running_loop().time() + _MISSING_FOR_SECONDS
            return frozenset()
