"""The log as another client reads it: librdkafka, every partition, from the first record to the last."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaError, KafkaException, Message, TopicPartition

from shared.events.codec import Newer, Press, Unreadable, read
from shared.events.topics import EVENTS
from shared.kafka.clients import KafkaAddress
from tests.support.stack.deployments import Deployment

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_READ_SECONDS: Final = 60.0
_LEADER_SECONDS: Final = 30.0
_NO_LEADER: Final = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
_BATCH: Final = 10_000


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record of a topic. `log_time` is None when the broker did not date it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    log_time: datetime | None

    @property
    def position(self) -> str:
        """Its position as callers are told it: "p:offset"."""
        return f"{self.partition}:{self.offset}"

    def header(self, name: str) -> str | None:
        """Return one header as text."""
        return next((value.decode() for key, value in self.headers if key == name and value is not None), None)

    def press(self) -> Press | Unreadable | Newer:
        """Read it as a press."""
        return read(self.headers, self.value)


async def read_topic(kafka: KafkaAddress, topic: str) -> list[LogRecord]:
    """Return every record that is on a topic now, by partition and offset."""
    return await asyncio.to_thread(_read_topic, kafka.bootstrap_servers, topic)


async def end_offsets(kafka: KafkaAddress, topic: str) -> dict[int, int]:
    """Return the offset after the last record of each partition."""
    return await asyncio.to_thread(_end_offsets, kafka.bootstrap_servers, topic)


async def put(
    deployment: Deployment,
    partition: int,
    value: bytes | None,
    headers: Mapping[str, bytes | None] | list[tuple[str, bytes | None]],
    *,
    key: bytes | None = None,
    topic: str = EVENTS,
) -> int:
    """Write one record as it is, good or bad, and return its offset."""
    listed = list(headers.items()) if isinstance(headers, Mapping) else headers
    sent = await deployment.producer.send_and_wait(topic, value, key, partition, headers=listed)
    offset: int = sent.offset
    return offset


def _consumer(servers: str) -> Consumer:
    return Consumer({"bootstrap.servers": servers, "group.id": "tests", "enable.auto.commit": False})


def _read_topic(servers: str, topic: str) -> list[LogRecord]:
    consumer = _consumer(servers)
    try:
        spans = {partition: _span(consumer, topic, partition) for partition in _partitions(consumer, topic)}
        left = {partition: end for partition, (begin, end) in spans.items() if begin < end}
        consumer.assign([TopicPartition(topic, partition, spans[partition][0]) for partition in left])
        found = []
        until = datetime.now(UTC) + timedelta(seconds=_READ_SECONDS)
        while left:
            for message in consumer.consume(_BATCH, timeout=0.1):
                record = _record(message)
                # A record that came after the ends were asked is not one of those that are on the topic now.
                if record.offset < spans[record.partition][1]:
                    found.append(record)
            for at in consumer.position([TopicPartition(topic, partition) for partition in left]):
                if at.offset >= left[at.partition]:
                    del left[at.partition]
            if datetime.now(UTC) > until:
                raise TimeoutError(f"{topic}: partitions {sorted(left)} were not read to their ends")
    finally:
        consumer.close()
    return sorted(found, key=lambda record: (record.partition, record.offset))


def _end_offsets(servers: str, topic: str) -> dict[int, int]:
    consumer = _consumer(servers)
    try:
        return {partition: _span(consumer, topic, partition)[1] for partition in _partitions(consumer, topic)}
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topic: str) -> list[int]:
    return sorted(consumer.list_topics(topic, timeout=10).topics[topic].partitions)


def _span(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    until = time.monotonic() + _LEADER_SECONDS
    while True:
        try:
            span: tuple[int, int] = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        except KafkaException as error:
            # A broker that was frozen leads no partition until it is registered again.
            if error.args[0].code() not in _NO_LEADER or time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return span


def _headers(message: Message) -> list[tuple[str, bytes | None]]:
    listed = message.headers() or []
    # Its types allow more than it ever hands over.
    pairs = listed.items() if isinstance(listed, dict) else listed
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in pairs]


def _record(message: Message) -> LogRecord:
    if message.error() is not None:
        raise RuntimeError(str(message.error()))
    kind, milliseconds = message.timestamp()
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise RuntimeError("a record without partition or offset")
    return LogRecord(
        partition=partition,
        offset=offset,
        key=message.key(),
        value=message.value(),
        headers=tuple(_headers(message)),
        log_time=_EPOCH + timedelta(milliseconds=milliseconds) if kind == TIMESTAMP_LOG_APPEND_TIME else None,
    )
