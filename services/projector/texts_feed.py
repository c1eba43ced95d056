"""The feed of texts: FastStream's broker reads `timer.texts.v1` and hands it to the projection.

The group only shares partitions out. Where to read on is in Postgres, in the same transaction as the rows: a database
that was restored from an older dump reads again what it has not seen.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from services.projector.text_batch import TextRecord
from services.projector.texts import Texts
from shared.events.topics import TEXTS
from shared.kafka import ConsumerRecord, KafkaAddress
from shared.runtime import ended_within

_log = structlog.get_logger()

_START_WITHIN_SECONDS: Final = 20.0
_RETRY_AFTER_SECONDS: Final = 0.5


class TextsFeed:
    """Reads texts for as long as the process lives."""

    def __init__(self, address: KafkaAddress, group_id: str, session_timeout_ms: int, texts: Texts) -> None:
        self._address = address
        self._group_id = group_id
        self._session_timeout_ms = session_timeout_ms
        self._texts = texts
        self._broker: KafkaBroker | None = None

    async def run(self) -> None:
        """Start, however long Kafka takes to be there; FastStream reconnects by itself from then on."""
        while self._broker is None:
            broker = self._make_broker()
            try:
                async with asyncio.timeout(_START_WITHIN_SECONDS):
                    await broker.start()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try may do better
                _log.warning("texts_feed_not_started", error=repr(error))
                await ended_within(_START_WITHIN_SECONDS, broker.stop(), "texts_feed")
                await asyncio.sleep(_RETRY_AFTER_SECONDS)
            else:
                self._broker = broker

    async def stop(self) -> None:
        """Leave the group."""
        if self._broker is not None:
            await self._broker.stop()

    def _make_broker(self) -> KafkaBroker:
        broker = KafkaBroker(
            **self._address.options(),
            consumer_only=True,
            # A topic comes from the topics job or not at all.
            allow_auto_create_topics=False,
            # The handler takes records as they come: nothing to convert or to inject.
            apply_types=False,
            logger=None,
        )
        positions = _Positions(self._texts)
        subscriber = broker.subscriber(
            TEXTS,
            group_id=self._group_id,
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=max(self._session_timeout_ms // 5, 100),
            batch=True,
            # An empty poll sleeps for so long again.
            batch_timeout_ms=2,
            # Acknowledged by the position in Postgres; the group's own offsets are not used.
            ack_policy=AckPolicy.MANUAL,
            # A new database begins at the beginning of history, not at today.
            auto_offset_reset="earliest",
            listener=positions,
            parser=_without_headers,
            decoder=_records,
            # A batch whose first record asks for a reply would get the handler's return value.
            no_reply=True,
        )
        subscriber(self._take)
        positions.consumer_of = lambda: subscriber.consumer
        return broker

    async def _take(self, records: Sequence[ConsumerRecord]) -> None:
        await self._texts.keep([TextRecord(r.partition, r.offset, r.key, r.value) for r in records])


class _Positions(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Seeks each new partition to where Postgres says, under the callbacks' names that aiokafka knows."""

    def __init__(self, texts: Texts) -> None:
        self.consumer_of: Callable[[], Any] = lambda: None
        self._texts = texts
        self._seeking: set[asyncio.Task[None]] = set()

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Let go. The batch in hand is kept or not; either is right, for it may be kept twice."""

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """Hold each partition before anything is awaited, and read it from its position once that is known."""
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
                consumer.seek(tp, positions[tp.partition])
                consumer.resume(tp)

    async def _known(self, partitions: Sequence[int]) -> dict[int, int]:
        while True:
            try:
                return await self._texts.next_offsets(partitions)
            except Exception as error:  # noqa: BLE001 - Postgres is away, and comes back
                _log.warning("text_positions_not_read", error=repr(error))
                await asyncio.sleep(_RETRY_AFTER_SECONDS)


async def _without_headers(
    records: Sequence[ConsumerRecord], parse: Callable[[Sequence[ConsumerRecord]], Awaitable[Any]]
) -> Any:  # noqa: ANN401 - FastStream's own message
    # FastStream decodes every header: one that is null would lose the whole batch, silently. We need none.
    return await parse([replace(record, headers=()) for record in records])


async def _records(message: Any) -> Sequence[ConsumerRecord]:  # noqa: ANN401 - FastStream's own message
    records: Sequence[ConsumerRecord] = message.raw_message
    return records
