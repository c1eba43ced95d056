"""Reading Kafka by offset, outside every group: for checks and for catching up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.errors import KafkaError

from services.projector.ports import Span
from shared.kafka.clients import (
    AIOKafkaConsumer,
    ConsumerRecord,
    KafkaAddress,
    LeaderNotAvailableError,
    TopicPartition,
    end_consumer,
    lone_consumer,
    require_leader,
)
from shared.process.ending import ended_within

# The offsets exist, so a reachable broker answers at once.
_WITHIN_SECONDS: Final = 10.0
# Of a piece. What is read by then is handed out.
_PIECE_WITHIN_SECONDS: Final = 5.0
# Short, because a poll that meets only a gap returns when its time is up.
_POLL_MS: Final = 50
# How many records are read first, to learn how large the records of a piece are.
_WEIGHED_FIRST: Final = 8


class PartitionReader:
    """Reads one topic, one partition at a time. Raises TimeoutError or KafkaError while the broker is away."""

    def __init__(self, address: KafkaAddress, topic: str, **options: Any) -> None:  # noqa: ANN401 - aiokafka's own
        self._address = address
        self._topic = topic
        self._options = options
        self._one_at_a_time = asyncio.Lock()
        self._consumer: AIOKafkaConsumer | None = None

    async def stop(self) -> None:
        """Close the connection."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await ended_within(_WITHIN_SECONDS, end_consumer(consumer), f"reader_of_{self._topic}")

    async def span(self, kpart: int) -> Span:
        """Return which offsets a partition holds now."""
        tp = TopicPartition(self._topic, kpart)
        async with self._consumer_of(tp) as consumer:
            return await _span(consumer, tp)

    async def read(self, kpart: int, start: int, at_most: int) -> Sequence[ConsumerRecord]:
        """Return records at or after `start`, in order; empty only when there is none now."""
        tp = TopicPartition(self._topic, kpart)
        async with self._consumer_of(tp) as consumer:
            span = await _span(consumer, tp)
            consumer.assign([tp])
            consumer.seek(tp, max(start, span.begin))
            # Stop at the end, not at a record: the last offsets may be control records, which no reader is given.
            while await consumer.position(tp) < span.end:
                if records := await consumer.getmany(tp, timeout_ms=_POLL_MS, max_records=at_most):
                    return list(records[tp])
            return []

    async def read_on(
        self, kpart: int, start: int, end: int, at_most: int, bytes_at_most: int
    ) -> Sequence[ConsumerRecord]:
        """Return as many records of [start, end) as there are, in order, and about `at_most` or `bytes_at_most`.

        Of a slow broker fewer are returned, so that they are not lost with the time that a reader waits.

        A call that goes on where the last one ended finds what the client has fetched meanwhile.
        """
        tp = TopicPartition(self._topic, kpart)
        records: list[ConsumerRecord] = []
        async with self._consumer_of(tp) as consumer:
            if consumer.assignment() != {tp} or await consumer.position(tp) != start:
                consumer.assign([tp])
                consumer.seek(tp, start)
            size = largest = 0
            until = asyncio.get_running_loop().time() + _PIECE_WITHIN_SECONDS
            while len(records) < at_most and size < bytes_at_most and await consumer.position(tp) < end:
                # A response is packed and may hold far more than a piece. Take as many as fit if none is larger than
                # the largest so far.
                fits = 1 + (bytes_at_most - size) // largest if largest > 0 else _WEIGHED_FIRST
                at_once = min(at_most - len(records), fits)
                fetched = await consumer.getmany(tp, timeout_ms=_POLL_MS, max_records=at_once)
                new = fetched.get(tp, ())
                records += new
                sizes = [len(record.value or b"") for record in new]
                size, largest = size + sum(sizes), max([largest, *sizes])
                if records and asyncio.get_running_loop().time() > until:
                    break
        return records

    @asynccontextmanager
    async def _consumer_of(self, tp: TopicPartition) -> AsyncIterator[AIOKafkaConsumer]:
        """Give the consumer to one caller at a time, for a partition that has a leader."""
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(_WITHIN_SECONDS):
                    consumer = await self._connected()
                    # Otherwise each question about such a partition would keep the others waiting for all of that time.
                    await require_leader(consumer, tp)
                    yield consumer
            except LeaderNotAvailableError:
                raise  # the consumer is well
            except (TimeoutError, KafkaError):
                # Consumers get stuck without an error, so the next attempt has a new one.
                await self.stop()
                raise

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = lone_consumer(self._address, fetch_max_wait_ms=20, **self._options)
            try:
                await consumer.start()
            except BaseException:
                await ended_within(_WITHIN_SECONDS, end_consumer(consumer), f"reader_of_{self._topic}")
                raise
            self._consumer = consumer
        return self._consumer


async def _span(consumer: AIOKafkaConsumer, tp: TopicPartition) -> Span:
    begin, end = await consumer.beginning_offsets([tp]), await consumer.end_offsets([tp])
    return Span(begin[tp], end[tp])
