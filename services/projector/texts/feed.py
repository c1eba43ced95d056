"""The feed of texts: FastStream's broker reads `timer.texts.v1` and hands it to the projection.

The group only shares partitions out. The position is in Postgres, in the same transaction as the rows: a database that
was restored from an older dump reads again what it has not seen.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener
from faststream.kafka import KafkaBroker

from services.projector.texts.batch import TextRecord
from services.projector.texts.projection import PositionWentBackError, Texts
from shared.events.topics import TEXTS
from shared.kafka.clients import AIOKafkaConsumer, ConsumerRecord, KafkaAddress
from shared.kafka.feed import RAW_RECORDS, WITHIN_SECONDS, feed_broker, read_for_ever
from shared.process.backoff import Setbacks

_log = structlog.get_logger()

_LOOK_EVERY_SECONDS: Final = 10.0
_RETRY_AFTER_SECONDS: Final = 0.5
# Between the beginnings of two batches. Each costs a request to Kafka and a transaction, however few texts it has.
_BATCH_EVERY_SECONDS: Final = 0.1
_PASSING_SECONDS: Final = 60.0


class TextsFeed:
    """Reads texts until the process ends, and replaces a consumer that died or stalls."""

    def __init__(self, address: KafkaAddress, group_id: str, session_timeout_ms: int, texts: Texts) -> None:
        self._address = address
        self._group_id = group_id
        self._session_timeout_ms = session_timeout_ms
        self._texts = texts
        self._kept: dict[int, int] = {}
        self._taken: dict[int, int] = {}
        self._went_back = False

    async def run(self) -> None:
        """Read, for ever."""
        await read_for_ever(self._broker, self._watch, "texts_feed_lost")

    def _broker(self) -> KafkaBroker:
        broker = feed_broker(self._address)
        positions = _Positions(self._texts, self._kept)
        subscriber = broker.subscriber(
            TEXTS,
            # The group only shares partitions out; its offsets are not used.
            group_id=self._group_id,
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=max(self._session_timeout_ms // 5, 100),
            batch=True,
            # An empty poll takes this long, and then sleeps as long again. No caller waits for a text.
            batch_timeout_ms=20,
            listener=positions,
            **RAW_RECORDS,
        )
        subscriber(self._take)
        positions.consumer_of = lambda: subscriber.consumer
        return broker

    async def _take(self, records: Sequence[ConsumerRecord]) -> None:
        begun = asyncio.get_running_loop().time()
        self._taken |= {record.partition: record.offset + 1 for record in records}
        try:
            await self._texts.keep([TextRecord(r.partition, r.offset, r.key, r.value) for r in records])
        except PositionWentBackError:
            self._went_back = True  # nothing more is kept until the next consumer has sought its positions
            return
        for record in records:
            self._kept[record.partition] = record.offset + 1
        await asyncio.sleep(begun + _BATCH_EVERY_SECONDS - asyncio.get_running_loop().time())

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Never return. Raises when a partition has records at one look, and none is kept or passed until the next.

        Also when a partition ends before its position in Postgres. Its new texts are below that position, so none of
        them is kept; the next reader asks Postgres again, where an operator may have taken the position away.
        """
        ended_before: dict[int, int] = {}
        was_at: dict[int, int] = {}
        self._went_back = False
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            if self._went_back:
                raise ConnectionError("Postgres stands before what was kept: reading again from there")
            mine = consumer.assignment()
            # Before the ends are read: a text that is kept meanwhile may lie beyond an end that was read first.
            stood = {tp.partition: self._texts.stands_at(tp.partition) for tp in mine}
            async with asyncio.timeout(WITHIN_SECONDS):
                ends = {tp.partition: end for tp, end in (await consumer.end_offsets(mine)).items()}
                passed = {tp.partition: await consumer.position(tp) for tp in mine}
            if short := sorted(partition for partition, end in ends.items() if end < stood[partition]):
                _log.error("texts_went_back", partitions=short)
                raise ConnectionError(f"{TEXTS} ends before what was kept of it")
            is_at = {
                partition: self._reached(partition, passed[partition]) for partition in ends.keys() & self._kept.keys()
            }
            for partition, at in is_at.items():
                # A partition that moves may take many looks to reach an end.
                if at == was_at.get(partition) and at < ended_before.get(partition, 0):
                    raise ConnectionError(f"partition {partition} stalled at {self._kept[partition]}")
            ended_before, was_at = ends, is_at

    def _reached(self, partition: int, passed: int) -> int:
        """Return the offset up to which a partition is done. With no batch in hand, that is the consumer's position."""
        kept = self._kept[partition]
        return kept if kept < self._taken.get(partition, 0) else max(kept, passed)


class _Positions(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Seeks each new partition to where Postgres says, under the callbacks' names that aiokafka knows."""

    def __init__(self, texts: Texts, kept: dict[int, int]) -> None:
        self.consumer_of: Callable[[], Any] = lambda: None
        self._texts = texts
        self._kept = kept
        self._seeking: set[asyncio.Task[None]] = set()

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Let go. The batch in hand may be kept or not: keeping it twice does no harm."""
        for tp in revoked:
            self._kept.pop(tp.partition, None)

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """Hold each partition before anything is awaited, and read on after its position was read."""
        consumer = self.consumer_of()
        for tp in assigned:
            consumer.pause(tp)
            consumer.seek(tp, 0)
        task = asyncio.ensure_future(self._seek(consumer, sorted(assigned)))
        self._seeking.add(task)
        task.add_done_callback(self._seeking.discard)

    async def _seek(self, consumer: Any, assigned: Sequence[Any]) -> None:  # noqa: ANN401 - aiokafka ships no types
        positions = await self._known([tp.partition for tp in assigned])
        still_ours = consumer.assignment()
        for tp in assigned:
            if tp in still_ours:
                self._kept[tp.partition] = positions[tp.partition]
                consumer.seek(tp, positions[tp.partition])
                consumer.resume(tp)

    async def _known(self, partitions: Sequence[int]) -> dict[int, int]:
        setbacks = Setbacks("text_positions_not_read", _PASSING_SECONDS)
        while True:
            try:
                return await self._texts.next_offsets(partitions)
            except Exception as error:  # noqa: BLE001 - Postgres is away; retry
                setbacks.failed(error)
                await asyncio.sleep(_RETRY_AFTER_SECONDS)
