"""`timer.replies.v1`: verdicts for the requests that wait. A lost one costs a lookup of its outcome, nothing else.

A press names the address of its reply, so an address may never have existed, or may be gone. Then that address is
dropped. The producer, which all replies share, is kept, and replaced only after a failure of its own.
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
from shared.process.logs import loggable

_log = structlog.get_logger()

# So many unsent records are in memory at most; a caller who is not answered asks again.
_UNSENT_MAX: Final = 1_000
# A topic of a service may take nothing for ten seconds, and must leave room for those of the others.
_UNSENT_TO_A_SERVICE_MAX: Final = 100
_MISSING_FOR_SECONDS: Final = 10.0
# Errors that a topic or a partition causes, and not the producer. For a missing partition aiokafka raises
# AssertionError.
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
            acked.add_done_callback(partial(self._on_ack, topic, partition))
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
        """Send a reply at once and without a task, if it has nothing to wait for. Nearly every reply has not."""
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
            # The ack is not awaited, because it says only whether the address is still good.
            sent = await producer.send(topic, value=value, partition=partition)
            sent.add_done_callback(partial(self._on_ack, topic, partition))
        except _OF_THE_ADDRESS as error:
            self._bad_address(topic, partition, error)
        except Exception as error:  # noqa: BLE001 - the API that waits for a lost reply looks the outcome up
            self._drop(type(error).__name__, topic)
            # A producer whose sender has failed once fails every send from then on.
            self._kept.broken(producer, loggable(error))

    def _on_ack(self, topic: str, partition: int, sent: "asyncio.Future[object]") -> None:
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
            # The topic is visible and may not be written, so a new look at its metadata would find nothing wrong.
            self._addresses.shun(topic, partition)

    def _drop(self, why: str, topic: str) -> None:
        self.dropped[why] += 1
        times = self.dropped[why]
        # Log the first, the tenth, the hundredth: one line would be overlooked, and a line for each would flood the
        # log.
        if times == 10 ** (len(str(times)) - 1):
            # A topic that we have not seen is text of a foreign record, so it is not logged.
            topic_if_known = {"topic": topic} if self._addresses.knows(topic) else {}
            _log.warning("reply_dropped", why=why, times=times, **topic_if_known)
