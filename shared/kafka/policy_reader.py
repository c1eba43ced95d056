"""Policies: every tenant's rules in memory, read from the beginning of their topic, in each process that needs them.

The topic is slow and has one reader in each process, so FastStream's broker reads it. The reader is caught up after it
has read up to the end that it saw at start. From then on a new document is in force here within milliseconds.

A topic that was made anew may be shorter than what was read, or it may have grown past that. So each look also reads a
record again that was there at the look before.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiokafka.errors import OffsetOutOfRangeError
from faststream.kafka import KafkaBroker, TopicPartition

from shared.events.policies.book import NO_REVISION, NewerPolicyError, PolicyBook, PolicyRecord
from shared.events.policy import Policy
from shared.events.topics import POLICIES, POLICIES_PARTITION
from shared.kafka.clients import AIOKafkaConsumer, ConsumerRecord, KafkaAddress, log_time_of
from shared.kafka.clients import TopicPartition as AssignedPartition
from shared.kafka.feed import RAW_RECORDS, WITHIN_SECONDS, feed_broker, read_for_ever
from shared.kafka.quick_reading import fetch

LOOK_EVERY_SECONDS: Final = 5.0

_LOOK_FOR_GAPS_SECONDS: Final = 0.1
# A record that is there is answered at once.
_LOOK_BACK_MS: Final = 500
# Turns of the event loop after which all that a consumer handed out is applied, because `_take` awaits nothing slow.
_TURNS: Final = 100

_TP: Final = AssignedPartition(POLICIES, POLICIES_PARTITION)

# Called when a document comes into force: its revision, its tenant, and its record.
InForce = Callable[[int, str, PolicyRecord], None]


class PolicyReader:
    """Keeps the policy book, and replaces a consumer that died or stalls.

    `in_force` is called once for each document that comes into force, in the order of the topic.
    """

    def __init__(self, kafka: KafkaAddress, in_force: InForce | None = None) -> None:
        self.book = PolicyBook()
        self._kafka = kafka
        self._in_force = in_force
        self._moved = asyncio.Event()
        self._reading = False
        self._consumer: AIOKafkaConsumer | None = None
        self._newer = False
        # The record that was applied last; and the one that had been at the last look which found nothing wrong.
        self._last: ConsumerRecord | None = None
        self._known: ConsumerRecord | None = None
        # Where the topic has another record than was read. What came after that may be of either topic, so nothing more
        # is applied, and only a new process begins anew.
        self._replaced_at: int | None = None
        # The offset that the consumer brought last. That of a new consumer is one that the book has.
        self._consumed = NO_REVISION
        # The positions of book and consumer at the previous look, if they differed.
        self._apart: tuple[int, int] | None = None
        self._ready_from: int | None = None
        self._log = structlog.get_logger()

    @property
    def caught_up(self) -> bool:
        """Whether all records that existed at start are applied, and a consumer reads on."""
        return self._reading and self.has_begun

    @property
    def has_begun(self) -> bool:
        """Whether all records that existed at start are applied. Stays true while the broker is away."""
        return self._ready_from is not None and self.book.position + 1 >= self._ready_from

    @property
    def position(self) -> int:
        """The offset up to which the topic is applied."""
        return self.book.position

    def latest(self, tenant: str) -> Policy | None:
        """Return the tenant's document in force, or None. None for every tenant until the past is read.

        The book alone would return a document that a later record has replaced long ago.
        """
        return self.book.latest(tenant) if self.has_begun else None

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

    async def end(self) -> int:
        """Return where the topic ends now. Raises ConnectionError, TimeoutError or KafkaError without a broker."""
        if self._consumer is None:
            raise ConnectionError("no consumer of the policies is there")
        async with asyncio.timeout(WITHIN_SECONDS):
            end: int = (await self._consumer.end_offsets([_TP]))[_TP]
        return end

    async def run(self) -> None:
        """Read, for ever."""
        await read_for_ever(self._broker, self._watch, "policies_consumer_lost")

    def _broker(self) -> KafkaBroker:
        broker = feed_broker(self._kafka)
        # No group, because each process reads all of the topic. No batches, because FastStream would poll for them
        # hundreds of times a second, and the topic changes a few times a day.
        subscriber = broker.subscriber(
            partitions=[TopicPartition(POLICIES, POLICIES_PARTITION, declare=False)], **RAW_RECORDS
        )
        subscriber(self._take)
        return broker

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        ended_before, was_at = 0, (NO_REVISION, NO_REVISION)
        self._consumer = consumer
        try:
            while True:
                # First, because documents may come while the end is asked for.
                read_to = self.book.position
                end = await self.end()
                if self._ready_from is None:
                    self._ready_from = end
                # One that moves may take many looks to reach an end, and its successor would begin again at 0.
                is_at = (self.book.position, self._consumed)
                if is_at == was_at and self.book.position + 1 < ended_before and not self._has_stopped:
                    raise ConnectionError(f"stalled at {self.book.position}, behind {ended_before}")
                self._reading = await self._is_same_topic(consumer, end, read_to)
                ended_before, was_at = end, is_at
                for _ in range(int(LOOK_EVERY_SECONDS / _LOOK_FOR_GAPS_SECONDS)):
                    await asyncio.sleep(_LOOK_FOR_GAPS_SECONDS)
                    await self._pass_gap(consumer)
        finally:
            self._reading, self._consumer = False, None

    async def _is_same_topic(self, consumer: AIOKafkaConsumer, end: int, read_to: int) -> bool:
        """Return whether the topic is the one that was read. Else raise an alarm: it was made anew, or Kafka is wrong.

        The processes that read it would disagree, each with the book that it has read.
        """
        if end <= read_to:
            self._log.error("policies_went_back", ends_at=end, read_to=read_to + 1)
            return False
        if await self._is_replaced(consumer):
            self._log.error("policies_went_back", another_record_at=self._replaced_at)
            return False
        return True

    async def _is_replaced(self, consumer: AIOKafkaConsumer) -> bool:
        """Return whether the topic has another record than was read from it, now or at a look before."""
        last, known = self._last, self._known
        if self._replaced_at is None and known is not None:
            is_there = await _holds(consumer, known)
            if is_there is None:
                return False
            if not is_there:
                self._replaced_at = known.offset
        # What was known is there, so all that was read before this look is of the same topic.
        self._known = last
        return self._replaced_at is not None

    @property
    def _has_stopped(self) -> bool:
        """Whether nothing more is applied: the next document is for a newer release, or the topic is another one."""
        return self._newer or self._replaced_at is not None

    async def _pass_gap(self, consumer: AIOKafkaConsumer) -> None:
        """Let the book pass offsets that hold no record. No record will ever take it past them."""
        async with asyncio.timeout(WITHIN_SECONDS):
            position = await consumer.position(_TP)
        if self.book.position + 1 >= position or self._has_stopped:
            return
        # A record may be on its way from the consumer to the book. Nothing slow is awaited on that way, so the record
        # has arrived at the next look, some turns of the loop later. A policy passed as a gap would be lost for good.
        before, self._apart = self._apart, (self.book.position, position)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if before == (self.book.position, position):
            self.book.pass_gap(position)
            self._moved.set()

    async def _take(self, record: ConsumerRecord) -> None:
        self._consumed = record.offset
        # A new consumer reads from the beginning, so it repeats what the book has.
        if self._has_stopped or record.offset <= self.book.position:
            return
        try:
            applied = self.book.apply(record.offset, record.key, record.value, log_time_of(record))
        except NewerPolicyError as error:
            # Until the upgrade, presses are judged by the documents up to here. No guess is made.
            self._newer = True
            self._log.error("policy_newer", offset=record.offset, error=str(error))
            return
        self._last = record
        self._moved.set()
        if applied is None:
            self._log.warning("policy_void", offset=record.offset)
            return
        self._log.info("policy_in_force", revision=record.offset, tenant=applied[0])
        if self._in_force is not None:
            self._in_force(record.offset, *applied)


async def _holds(consumer: AIOKafkaConsumer, known: ConsumerRecord) -> bool | None:
    """Return whether the topic holds a record where it was read; None: the broker is away, or the partition moves."""
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            records, _ = await fetch(consumer, _TP, known.offset, _LOOK_BACK_MS)
    except OffsetOutOfRangeError:
        # Deleted; or the topic has become shorter since its end was asked, and the next look finds that.
        async with asyncio.timeout(WITHIN_SECONDS):
            is_deleted: bool = (await consumer.end_offsets([_TP]))[_TP] > known.offset
        return False if is_deleted else None
    # Not its time, which is the broker's: a copy that was put back has another.
    if not records:
        return None
    return (records[0].offset, records[0].key, records[0].value) == (known.offset, known.key, known.value)
