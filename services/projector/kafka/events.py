"""`timer.events.v1`, as one member of the projectors' group reads it.

aiokafka's consumer is the member of the group, and its partitions stay paused. `QuickReader` fetches their records when
the loop polls.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, Protocol

from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from services.projector.kafka.reader import PartitionReader
from services.projector.ports import RawRecord, Span
from shared.events.topics import EVENTS
from shared.kafka.clients import AIOKafkaConsumer, KafkaAddress, TopicPartition, end_consumer, group_consumer, led
from shared.kafka.quick_reading import QuickReader
from shared.process.backoff import Setbacks
from shared.process.ending import ended_within

_POLL_SECONDS: Final = 0.2
# How long a fetch waits while there is no data. A seek may wait as long for it to end.
_FETCH_WAIT_MS: Final = 50
_AFTER_AN_ERROR_SECONDS: Final = 0.5
_STOP_WITHIN_SECONDS: Final = 5.0


class Group(Protocol):
    """The part that is called when the group gives or takes partitions: the keeper."""

    def assigned(self, kparts: Iterable[int]) -> None:
        """Take up partitions."""

    async def revoked(self, kparts: Iterable[int]) -> None:
        """Let go of partitions."""

    def displaced(self, kparts: Iterable[int], reason: str) -> None:
        """Take partitions up again."""


class KafkaEventLog(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """The events, and the group that shares them out."""

    def __init__(self, address: KafkaAddress, group_id: str, session_timeout_ms: int) -> None:
        self._address = address
        self._group_id = group_id
        self._session_timeout_ms = session_timeout_ms
        self._reader = PartitionReader(address, EVENTS)
        self._consumer, self._quick_reader = self._make_consumer()
        self._group: Group | None = None
        self._setbacks = Setbacks("poll_failed")
        self.joined = False

    async def start(self, group: Group) -> None:
        """Join the group, however long a broker takes to be there."""
        self._group = group
        setbacks = Setbacks("group_not_joined")
        while True:
            self._consumer.subscribe([EVENTS], listener=self)
            try:
                await self._consumer.start()
            except (KafkaError, OSError, TimeoutError) as error:
                setbacks.failed(error)
                self._quick_reader.end()
                await ended_within(_STOP_WITHIN_SECONDS, end_consumer(self._consumer), "events_consumer")
                self._consumer, self._quick_reader = self._make_consumer()
                await asyncio.sleep(_AFTER_AN_ERROR_SECONDS)
            else:
                return

    def _make_consumer(self) -> tuple[AIOKafkaConsumer, QuickReader]:
        consumer = group_consumer(
            self._address,
            self._group_id,
            self._session_timeout_ms,
            # A loop that does not poll for a minute is stuck, and another projector should have its partitions.
            max_poll_interval_ms=60_000,
        )
        return consumer, QuickReader(consumer, EVENTS, _FETCH_WAIT_MS)

    async def stop(self) -> None:
        """Leave the group, so that its partitions move at once."""
        self._quick_reader.end()
        await ended_within(_STOP_WITHIN_SECONDS, end_consumer(self._consumer), "events_consumer")
        await self._reader.stop()

    async def poll(self) -> dict[int, Sequence[RawRecord]]:
        """Return what has come, at most a batch; after a short wait, nothing."""
        try:
            records = await self._quick_reader.poll(_POLL_SECONDS)
        except OffsetOutOfRangeError as error:
            kparts = sorted(tp.partition for tp in error.args[0])
            self._require_group().displaced(kparts, "position_out_of_range")
            return {}
        except KafkaError as error:
            self._setbacks.failed(error)
            await asyncio.sleep(_AFTER_AN_ERROR_SECONDS)
            return {}
        if records:
            self._setbacks.recovered()
        return dict(records)

    async def ends(self) -> dict[int, int]:
        """Return where the log ends, for the partitions that are ours and have a leader. Raises KafkaError."""
        ends = await self._consumer.end_offsets(led(self._consumer, self._consumer.assignment()))
        return {tp.partition: end for tp, end in ends.items()}

    def hold(self, kpart: int) -> None:
        """Read no further in a partition until `read_from`."""
        self._quick_reader.hold(kpart)

    def read_from(self, kpart: int, offset: int) -> None:
        """Read a partition from this offset on."""
        if TopicPartition(EVENTS, kpart) in self._consumer.assignment():
            self._quick_reader.read_from(kpart, offset)

    async def span(self, kpart: int) -> Span:
        """Return which offsets the partition holds now."""
        return await self._reader.span(kpart)

    async def first_from(self, kpart: int, offset: int) -> RawRecord | None:
        """Return the first record at or after an offset; None: the log holds none there."""
        records = await self._reader.read(kpart, offset, 1)
        return records[0] if records else None

    # The group's callbacks, under the names that aiokafka calls them by.

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Let go, after the batch in hand."""
        self.joined = False
        self._quick_reader.hold_all()
        await self._require_group().revoked(sorted(tp.partition for tp in revoked))

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """Take up. Nothing may be awaited before every partition is paused and sought.

        Otherwise the consumer would look up a committed offset, and there is none: ours are in Postgres. The partitions
        stay paused, because our own loop reads them.
        """
        self._quick_reader.hold_all()
        for tp in assigned:
            self._consumer.pause(tp)
            self._consumer.seek(tp, 0)
        self.joined = True
        self._require_group().assigned(sorted(tp.partition for tp in assigned))

    def _require_group(self) -> Group:
        if self._group is None:
            raise AssertionError("start the log before it is polled")
        return self._group
