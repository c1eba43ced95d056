"""`timer.replies.v1`: verdicts for the requests that wait. A lost one costs a lookup of its outcome, nothing else.

An address comes from a press, so it may lead nowhere, or lead nowhere any more. Then the address is dropped, and the
producer, which all callers share, is kept: only a failure of its own breaks it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog
from aiokafka.errors import BrokerResponseError, KafkaTimeoutError, TopicAuthorizationFailedError

from shared.events.outcome import join_replies
from shared.events.topics import REPLIES, REPLIES_PREFIX
from shared.kafka.foreign_topics import ForeignTopics
from shared.kafka.kept_producer import KeptProducer
from shared.process.logs import told

_log = structlog.get_logger()

# So many unsent records are in memory at most; a caller who is not answered asks again.
_UNSENT_MAX: Final = 1_000
# A topic of a service may take nothing for ten seconds, and must leave room for those of the others.
_UNSENT_TO_A_SERVICE_MAX: Final = 100
_MISSING_FOR_SECONDS: Final = 10.0
# What a topic is to blame for, or a partition, and no producer. A partition that is gone is an assertion of aiokafka's.
_OF_THE_ADDRESS: Final = (AssertionError, BrokerResponseError, KafkaTimeoutError)


class KafkaReplies:
    """Sends replies on a producer of their own, so that they never wait behind an ack of all replicas."""

    def __init__(self, producer: KeptProducer) -> None:
        self.dropped: Counter[str] = Counter()
        self._kept = producer
        self._sending: set[asyncio.Task[None]] = set()
        self._unsent: Counter[str] = Counter()
        self._addresses = ForeignTopics(_MISSING_FOR_SECONDS)

    def send(self, topic: str, partition: int, answers: Sequence[tuple[str, bytes]]) -> None:
        """Send one record to one API process. Returns at once; an address that leads nowhere is counted."""
        if not topic.startswith(REPLIES_PREFIX):
            self._drop("not_a_reply_topic", topic)
            return
        value = join_replies(answers)
        if self._addresses.knows(topic) and (acked := self._hand_over(topic, partition, value)) is not None:
            acked.add_done_callback(partial(self._told, topic, partition))
        elif self._full(topic):
            self._drop("too_many_unsent", topic)
        else:
            self._unsent[topic] += 1
            task = asyncio.ensure_future(self._send(topic, partition, value))
            self._sending.add(task)
            task.add_done_callback(partial(self._sent, topic))

    def _full(self, topic: str) -> bool:
        of_topic = self._unsent[topic]
        if topic == REPLIES:
            return of_topic >= _UNSENT_MAX
        of_services = self._unsent.total() - self._unsent[REPLIES]
        return of_topic >= _UNSENT_TO_A_SERVICE_MAX or of_services >= _UNSENT_MAX

    def _sent(self, topic: str, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._unsent[topic] -= 1
        if not self._unsent[topic]:
            del self._unsent[topic]  # a name that a foreign record may have made up

    def _hand_over(self, topic: str, partition: int, value: bytes) -> "asyncio.Future[object] | None":
        """Send at once what has nothing to wait for, and needs no task: nearly every reply."""
        producer = self._kept.current
        if producer is None:
            return None
        batch = producer.create_batch()
        batch.append(timestamp=None, key=None, value=value)
        acked: asyncio.Future[object] | None = producer.hand_over(batch, topic, partition)
        return acked

    async def _send(self, topic: str, partition: int, value: bytes) -> None:
        if not self._kept.there:
            self._drop("no_producer", topic)
            return
        producer = await self._kept.get()
        try:
            if not await self._addresses.exists(producer, topic, partition):
                self._drop("no_such_address", topic)
                return
            # The broker's ack is not awaited: it holds nobody up, and says only whether the address is still good.
            sent = await producer.send(topic, value=value, partition=partition)
            sent.add_done_callback(partial(self._told, topic, partition))
        except _OF_THE_ADDRESS as error:
            self._bad_address(topic, partition, error)
        except Exception as error:  # noqa: BLE001 - the API that waits for a lost reply looks the outcome up
            self._drop(type(error).__name__, topic)
            # A producer whose sender has failed once fails every send from then on.
            self._kept.broken(producer, told(error))

    def _told(self, topic: str, partition: int, sent: "asyncio.Future[object]") -> None:
        if sent.cancelled() or (error := sent.exception()) is None:
            return
        if isinstance(error, _OF_THE_ADDRESS):
            self._bad_address(topic, partition, error)
        else:
            self._drop(type(error).__name__, topic)

    def _bad_address(self, topic: str, partition: int, error: BaseException) -> None:
        self._drop(type(error).__name__, topic)
        self._addresses.doubt(topic)
        if isinstance(error, TopicAuthorizationFailedError):
            # It is there for all to see, so looking at it again would find nothing wrong.
            self._addresses.shun(topic, partition)

    def _drop(self, why: str, topic: str) -> None:
        self.dropped[why] += 1
        times = self.dropped[why]
        # The first, the tenth, the hundredth: once would be overlooked, and each would be a flood.
        if times == 10 ** (len(str(times)) - 1):
            # A topic that we have not seen is text of a foreign record.
            said = {"topic": topic} if self._addresses.knows(topic) else {}
            _log.warning("reply_dropped", why=why, times=times, **said)
