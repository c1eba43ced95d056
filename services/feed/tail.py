"""The tail: the judged stream, read once for all readers of this process, outside every group.

    LOADING ---- read to its end ----> FOLLOWING ---- Kafka away, stalled ----> a new consumer, from the same place
       ^                                   |
       +---- the log went back: the window is closed, and another is filled ----+

The window stays while Kafka is away: readers get what is in it, and then wait.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from services.feed.window.backlog import Backlog, Stretch, starts
from services.feed.window.record import StreamRecord, record_in
from services.feed.window.window import FeedWindow
from shared.events.topics import OUTCOMES, PARTITIONS_MAX
from shared.kafka.clients import (
    AIOKafkaConsumer,
    ConsumerRecord,
    KafkaAddress,
    TopicPartition,
    end_consumer,
    lone_consumer,
    partitions_of,
)
from shared.process.backoff import Setbacks
from shared.process.ending import ended_within

_WITHIN_SECONDS: Final = 15.0
_RETRY_AFTER_SECONDS: Final = 0.5
_LOOK_EVERY_SECONDS: Final = 5.0
_POLL_MS: Final = 200
_AT_ONCE: Final = 500
_FETCH_WAIT_MS: Final = 100
# What one partition may have in the consumer's own buffer. A larger record is fetched alone.
_FETCH_BYTES: Final = 256 * 1024


class Tail:
    """Fills one window after the other. `window` is None until the past was read."""

    def __init__(self, kafka: KafkaAddress, *, bytes_max: int, outcomes_max: int) -> None:
        self.window: FeedWindow | None = None
        # How many offsets each partition had left to read at the last look. Empty while no consumer follows.
        self.lag: dict[int, int] = {}
        self._kafka = kafka
        self._bytes_max = bytes_max
        self._outcomes_max = outcomes_max
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions: list[TopicPartition] = []
        self._log = structlog.get_logger()

    @property
    def reading(self) -> bool:
        """Whether the window is filled, and a consumer reads on."""
        return self._consumer is not None

    async def run(self) -> None:
        """Read, for ever."""
        setbacks = Setbacks("feed_tail_lost")
        while True:
            consumer = lone_consumer(
                self._kafka, fetch_max_wait_ms=_FETCH_WAIT_MS, max_partition_fetch_bytes=_FETCH_BYTES
            )
            try:
                async with asyncio.timeout(_WITHIN_SECONDS):
                    await consumer.start()
                window = await self._window_on(consumer)
                setbacks.recovered()
                self._consumer = consumer
                await self._follow(consumer, window)
            except Exception as error:  # noqa: BLE001 - a new consumer may work
                setbacks.failed(error)
            finally:
                self._consumer = None
                self.lag = {}
                await ended_within(_WITHIN_SECONDS, end_consumer(consumer), "feed_tail")
            await asyncio.sleep(_RETRY_AFTER_SECONDS)

    async def ends(self) -> list[int]:
        """Return where each partition ends now. Raises ConnectionError, TimeoutError or KafkaError without a broker."""
        if self._consumer is None:
            raise ConnectionError("no consumer of the outcomes is there")
        return await self._ends(self._consumer)

    async def _window_on(self, consumer: AIOKafkaConsumer) -> FeedWindow:
        """Return the window that a consumer goes on to fill: the one that is there, if the log is still its log."""
        partitions = await partitions_of(consumer, OUTCOMES)
        if not partitions:
            raise ConnectionError("the topic of the outcomes does not exist yet")
        self._partitions = [TopicPartition(OUTCOMES, partition) for partition in partitions]
        consumer.assign(self._partitions)
        stretches = await self._stretches(consumer)
        if self.window is not None and not _goes_on(self.window, stretches):
            # Positions of the old log mean nothing on this one.
            self._log.error("feed_log_went_back", partitions=len(stretches))
            self.window.close()
            self.window = None
        if self.window is None:
            self.window = await self._loaded(consumer, stretches)
        self._seek(consumer, [place.next for place in self.window.frontier])
        return self.window

    async def _loaded(self, consumer: AIOKafkaConsumer, stretches: Sequence[Stretch]) -> FeedWindow:
        begin = starts(dict(enumerate(stretches)), self._outcomes_max)
        backlog = Backlog(begin, bytes_max=self._bytes_max, outcomes_max=self._outcomes_max)
        self._seek(consumer, [begin[partition] for partition in range(len(stretches))])
        loop = asyncio.get_running_loop()
        until = loop.time() + _WITHIN_SECONDS
        while not await self._reached(consumer, stretches):
            polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_AT_ONCE)
            for records in polled.values():
                for record in records:
                    backlog.add(self._found(record))
            await asyncio.sleep(0)  # a full buffer answers at once, and probes must be answered meanwhile
            if polled:
                until = loop.time() + _WITHIN_SECONDS
            elif loop.time() > until:
                raise TimeoutError("the past of the outcomes does not come")
        if len(stretches) > PARTITIONS_MAX:
            # The request line of a reader that goes on may be longer than a gateway takes.
            self._log.warning("feed_positions_long", partitions=len(stretches), partitions_max=PARTITIONS_MAX)
        window = backlog.window()
        self._log.info("feed_window_filled", outcomes=len(window), bytes=window.bytes)
        return window

    async def _reached(self, consumer: AIOKafkaConsumer, stretches: Sequence[Stretch]) -> bool:
        # The consumer's position, not a record's: the last offsets may be control records, which no reader is given.
        for tp, stretch in zip(self._partitions, stretches, strict=True):
            if await consumer.position(tp) < stretch.end:
                return False
        return True

    async def _follow(self, consumer: AIOKafkaConsumer, window: FeedWindow) -> None:
        """Never return. Raises what Kafka raises, and ConnectionError when a new consumer is needed."""
        loop = asyncio.get_running_loop()
        looked_at, stood = loop.time(), await self._look(consumer)
        while True:
            polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_AT_ONCE)
            for records in polled.values():
                for record in records:
                    window.add(self._found(record))
            window.wake_readers()
            await asyncio.sleep(0)  # a full buffer answers at once, and readers need their turn
            if loop.time() - looked_at >= _LOOK_EVERY_SECONDS:
                stands = await self._look(consumer)
                _must_have_moved(stood, stands)
                looked_at, stood = loop.time(), stands

    async def _look(self, consumer: AIOKafkaConsumer) -> list[Stretch]:
        """Return what is left to read of each partition."""
        ends = await self._ends(consumer)
        left = [Stretch(await consumer.position(tp), end) for tp, end in zip(self._partitions, ends, strict=True)]
        self.lag = {tp.partition: max(0, at.end - at.begin) for tp, at in zip(self._partitions, left, strict=True)}
        return left

    async def _stretches(self, consumer: AIOKafkaConsumer) -> list[Stretch]:
        async with asyncio.timeout(_WITHIN_SECONDS):
            begins = await consumer.beginning_offsets(self._partitions)
            ends = await consumer.end_offsets(self._partitions)
        return [Stretch(begins[tp], ends[tp]) for tp in self._partitions]

    async def _ends(self, consumer: AIOKafkaConsumer) -> list[int]:
        async with asyncio.timeout(_WITHIN_SECONDS):
            ends = await consumer.end_offsets(self._partitions)
        return [ends[tp] for tp in self._partitions]

    def _seek(self, consumer: AIOKafkaConsumer, offsets: Sequence[int]) -> None:
        for tp, offset in zip(self._partitions, offsets, strict=True):
            consumer.seek(tp, offset)

    def _found(self, record: ConsumerRecord) -> StreamRecord:
        found = record_in(record.partition, record.offset, record.timestamp, record.value)
        if not found.is_outcome:
            self._log.error("outcome_record_skipped", partition=record.partition, offset=record.offset)
        return found


def _must_have_moved(before: Sequence[Stretch], now: Sequence[Stretch]) -> None:
    """Raise ConnectionError for a partition that had records to read, and where none was read since the last look."""
    stuck = [
        partition
        for partition, (then, here) in enumerate(zip(before, now, strict=True))
        if here.begin == then.begin < then.end
    ]
    if stuck:
        # Consumers get stuck without an error.
        raise ConnectionError(f"partitions {stuck} stand before records that do not come")


def _goes_on(window: FeedWindow, stretches: Sequence[Stretch]) -> bool:
    frontier = window.frontier
    return len(frontier) == len(stretches) and all(
        stretch.begin <= place.next <= stretch.end for place, stretch in zip(frontier, stretches, strict=True)
    )
