"""Policies: every tenant's rules in memory, read from the beginning of their topic, in each process that needs them.

FastStream's broker carries this: a slow topic with one reader in each process. It is caught up when it has read up to
the end that it saw at start; from then on a new document is in force here some milliseconds after it was written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, TopicPartition

from shared.events.policy import NewerPolicyError, Policy, PolicyBook, PolicyRecord
from shared.events.topics import POLICIES
from shared.kafka import AIOKafkaConsumer, ConsumerRecord, KafkaAddress, end_consumer
from shared.kafka import TopicPartition as AssignedPartition
from shared.runtime import Setbacks, ended_within

WITHIN_SECONDS: Final = 15.0
LOOK_EVERY_SECONDS: Final = 5.0
RETRY_AFTER_SECONDS: Final = 0.5

_TP: Final = AssignedPartition(POLICIES, 0)

# A document came into force: its revision, its tenant, and what was written.
InForce = Callable[[int, str, PolicyRecord], None]


class PolicyReader:
    """Keeps the policy book, and replaces a consumer that died or stalls.

    `in_force` hears each document that comes into force, once, in the order of the topic.
    """

    def __init__(self, kafka: KafkaAddress, in_force: InForce | None = None) -> None:
        self.book = PolicyBook()
        self._kafka = kafka
        self._in_force = in_force
        self._moved = asyncio.Event()
        self._reading = False
        self._newer = False
        self._ready_from: int | None = None
        self._log = structlog.get_logger()

    @property
    def caught_up(self) -> bool:
        """Whether all that was there at start is applied, and somebody reads on."""
        return self._reading and self._ready_from is not None and self.book.position + 1 >= self._ready_from

    def latest(self, tenant: str) -> Policy | None:
        """Return the tenant's document in force, or None."""
        return self.book.latest(tenant)

    async def reach(self, revision: int, seconds: float) -> bool:
        """Wait until everything up to `revision` is applied; False: `seconds` were not enough."""
        try:
            async with asyncio.timeout(seconds):
                while self.book.position < revision:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Read, for ever."""
        setbacks = Setbacks("policies_consumer_lost")
        while True:
            broker = self._broker()
            try:
                async with asyncio.timeout(WITHIN_SECONDS):
                    await broker.start()
                setbacks.over()
                await self._watch(_consumer_of(broker))
            except Exception as error:  # noqa: BLE001 - whatever it is, the next broker may do better
                setbacks.met(error)
            finally:
                self._reading = False
                await ended_within(WITHIN_SECONDS, _end(broker), "policies_consumer")
            await asyncio.sleep(RETRY_AFTER_SECONDS)

    def _broker(self) -> KafkaBroker:
        broker = KafkaBroker(
            **self._kafka.options(),
            consumer_only=True,
            # A topic comes from the topics job or not at all.
            allow_auto_create_topics=False,
            # The handler takes records as they come: nothing to convert or to inject.
            apply_types=False,
            logger=None,
        )
        broker.subscriber(
            partitions=[TopicPartition(POLICIES, 0, declare=False)],
            # No group: each process reads all of it, from the beginning of history.
            auto_offset_reset="earliest",
            batch=True,
            # An empty poll sleeps for so long again.
            batch_timeout_ms=2,
            parser=_without_headers,
            decoder=_records,
            # No group, no offsets: nothing is ever acknowledged.
            ack_policy=AckPolicy.MANUAL,
            # A batch whose first record asks for a reply would get the handler's return value.
            no_reply=True,
        )(self._take)
        return broker

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        ended_before = 0
        while True:
            async with asyncio.timeout(WITHIN_SECONDS):
                end = (await consumer.end_offsets([_TP]))[_TP]
            if self._ready_from is None:
                self._ready_from = end
            if self.book.position + 1 < ended_before and not self._newer:
                raise ConnectionError(f"stalled at {self.book.position}, behind {ended_before}")
            self._reading, ended_before = True, end
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def _take(self, records: Sequence[ConsumerRecord]) -> None:
        if self._newer:
            return
        for record in records:
            if record.offset <= self.book.position:
                continue  # a consumer that replaces another begins at the beginning
            try:
                applied = self.book.apply(record.offset, record.key, record.value)
            except NewerPolicyError:
                # Presses are judged by what is in force up to here, until we are upgraded; no guess is made.
                self._newer = True
                self._log.error("policy_newer", offset=record.offset)
                return
            self._moved.set()
            if applied is None:
                self._log.warning("policy_void", offset=record.offset)
            else:
                self._log.info("policy_in_force", revision=record.offset, tenant=applied[0])
                if self._in_force is not None:
                    self._in_force(record.offset, *applied)


def _consumer_of(broker: KafkaBroker) -> AIOKafkaConsumer:
    (subscriber,) = broker.subscribers
    return subscriber.consumer  # type: ignore[attr-defined]


async def _end(broker: KafkaBroker) -> None:
    if (consumer := _consumer_of(broker)) is not None:
        await end_consumer(consumer)
    await broker.stop()


async def _without_headers(
    records: Sequence[ConsumerRecord], parse: Callable[[Sequence[ConsumerRecord]], Awaitable[Any]]
) -> Any:  # noqa: ANN401 - FastStream's own message
    # FastStream decodes every header: one that is null would lose the whole batch, silently. We need none.
    return await parse([replace(record, headers=()) for record in records])


async def _records(message: Any) -> Sequence[ConsumerRecord]:  # noqa: ANN401 - FastStream's own message
    records: Sequence[ConsumerRecord] = message.raw_message
    return records
