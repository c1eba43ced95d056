"""One idempotent producer, kept alive: a broken one is dropped and replaced.

After a batch failed, an idempotent producer's sequence numbers have a gap, and the broker refuses all that follows, for
good (aiokafka #1017). Records that the old producer still holds may be written for some seconds; then it is cut off.
Otherwise both would send again for ever, and each would land a copy. Senders of those records get no result, and
must treat them as of unknown fate.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from shared.kafka.clients import AIOKafkaProducer, end_producer
from shared.process.backoff import Setbacks
from shared.process.ending import ended_within

START_WITHIN_SECONDS: Final = 20.0
STOP_WITHIN_SECONDS: Final = 5.0
CUT_OFF_WITHIN_SECONDS: Final = 5.0
RETRY_AFTER_SECONDS: Final = 0.5


class KeptProducer:
    """A producer that is there, or will be. `run` makes the first one and each next one."""

    def __init__(self, make: Callable[[], AIOKafkaProducer], topics: Sequence[str]) -> None:
        self.partitions: dict[str, int] = {}
        self._make = make
        self._topics = topics
        self._current: AIOKafkaProducer | None = None
        self._there = asyncio.Event()
        self._broken = asyncio.Event()
        self._endings: set[asyncio.Task[bool]] = set()
        self._setbacks = Setbacks("producer_not_started")
        self._log = structlog.get_logger()

    @property
    def there(self) -> bool:
        """Whether there is a producer, and no sender has found it broken."""
        return self._current is not None

    @property
    def current(self) -> AIOKafkaProducer | None:
        """The producer; None while it is being replaced."""
        return self._current

    async def get(self) -> AIOKafkaProducer:
        """Return the producer; while it is being replaced, wait for the next."""
        while self._current is None:
            await self._there.wait()
        return self._current

    def broken(self, producer: AIOKafkaProducer, why: str) -> None:
        """Drop `producer`, if it is still the one in use."""
        if producer is self._current:
            self._log.error("producer_broken", why=why)
            self._current = None
            self._there.clear()
            self._broken.set()

    async def run(self) -> None:
        """Keep a producer, for ever."""
        while True:
            producer = self._make()
            if not await self._started(producer):
                await asyncio.sleep(RETRY_AFTER_SECONDS)
                continue
            self._broken.clear()
            self._current = producer
            self._there.set()
            self._log.info("producer_started", partitions=self.partitions)
            try:
                await self._broken.wait()
            finally:
                # Also when this task is cancelled, because `close` does not know of a broken producer.
                if self._current is not producer:
                    self._end(producer, "broken_producer")
            # A failure that comes back at once must not become a hot loop.
            await asyncio.sleep(RETRY_AFTER_SECONDS)

    async def close(self) -> None:
        """Flush and stop. Call after `run` was ended; a broker that is away cannot hold it up."""
        if self._current is not None:
            producer, self._current = self._current, None
            self._there.clear()
            self._end(producer, "producer")
        if self._endings:
            await asyncio.wait(self._endings)

    async def _started(self, producer: AIOKafkaProducer) -> bool:
        try:
            async with asyncio.timeout(START_WITHIN_SECONDS):
                await producer.start()
                # Known now, so that no send has to wait for metadata; and P is as many as the topic has.
                for topic in self._topics:
                    self._learn(topic, len(await producer.partitions_for(topic)))
        except asyncio.CancelledError:
            self._end(producer, "producer_not_started")
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the next try may do better
            self._setbacks.failed(error)
            # Cancelled meanwhile, it is ended all the same, and `close` waits for it.
            await asyncio.wait({self._end(producer, "producer_not_started")})
            return False
        self._setbacks.recovered()
        return True

    def _learn(self, topic: str, partitions: int) -> None:
        # P is for life: with another one, an owner's next presses would go to a partition without the owner's timers.
        known = self.partitions.setdefault(topic, partitions)
        if known != partitions:
            raise RuntimeError(f"{topic} had {known} partitions and has {partitions} now")

    def _end(self, producer: AIOKafkaProducer, what: str) -> asyncio.Task[bool]:
        # It flushes what it still can, beside the new one.
        stopping = end_producer(producer, STOP_WITHIN_SECONDS)
        ending = asyncio.ensure_future(ended_within(STOP_WITHIN_SECONDS + CUT_OFF_WITHIN_SECONDS, stopping, what))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return ending
