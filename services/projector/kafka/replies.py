"""`timer.replies.v1`: verdicts for whoever waits. A lost one costs its caller a look at the outcome, nothing else."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

import structlog

from shared.events.outcome import join_replies
from shared.events.topics import REPLIES_PREFIX
from shared.kafka.clients import AIOKafkaProducer
from shared.kafka.kept_producer import KeptProducer
from shared.process.logs import told

_log = structlog.get_logger()

# So many unsent records are in memory at most; a caller who is not answered asks again.
_UNSENT_MAX: Final = 1_000
_MISSING_FOR_SECONDS: Final = 10.0
_MISSING_MAX: Final = 1_000


class KafkaReplies:
    """Sends replies on a producer of their own, so that they never wait behind an ack of all replicas."""

    def __init__(self, producer: KeptProducer) -> None:
        self.dropped: Counter[str] = Counter()
        self._kept = producer
        self._sending: set[asyncio.Task[None]] = set()
        self._partitions: dict[str, frozenset[int]] = {}
        self._missing_until: dict[str, float] = {}

    def send(self, topic: str, partition: int, answers: Sequence[tuple[str, bytes]]) -> None:
        """Send one record to one API process. Returns at once; an address that leads nowhere is counted."""
        if not topic.startswith(REPLIES_PREFIX):
            self._drop("not_a_reply_topic", topic)
        elif len(self._sending) >= _UNSENT_MAX:
            self._drop("too_many_unsent", topic)
        else:
            task = asyncio.ensure_future(self._send(topic, partition, join_replies(answers)))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, topic: str, partition: int, value: bytes) -> None:
        if not self._kept.there:
            self._drop("no_producer", topic)
            return
        producer = await self._kept.get()
        try:
            if partition not in await self._partitions_of(topic, producer):
                self._drop("no_such_address", topic)
                return
            # The broker's ack is not awaited: nothing would be done about a missing one.
            await producer.send(topic, value=value, partition=partition)
        except Exception as error:  # noqa: BLE001 - a lost reply is looked up by who waits for it
            self._drop(type(error).__name__, topic)
            # A producer whose sender has failed once fails every send from then on.
            self._kept.broken(producer, told(error))

    async def _partitions_of(self, topic: str, producer: AIOKafkaProducer) -> frozenset[int]:
        known = self._partitions.get(topic)
        if known is not None:
            return known
        now = asyncio.get_running_loop().time()
        if self._missing_until.get(topic, 0.0) > now:
            return frozenset()
        # Asked of all topics at once: asking for one that does not exist would wait for it to appear.
        metadata = await producer.client.fetch_all_metadata()
        found = metadata.partitions_for_topic(topic)
        if not found:
            if len(self._missing_until) >= _MISSING_MAX:
                self._missing_until.clear()
            self._missing_until[topic] = now + _MISSING_FOR_SECONDS
            return frozenset()
        return self._partitions.setdefault(topic, frozenset(found))

    def _drop(self, why: str, topic: str) -> None:
        self.dropped[why] += 1
        times = self.dropped[why]
        # The first, the tenth, the hundredth: once would be overlooked, and each would be a flood.
        if times == 10 ** (len(str(times)) - 1):
            _log.warning("reply_dropped", why=why, topic=topic[:80], times=times)
