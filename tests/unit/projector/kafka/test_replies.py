"""Replies: a bad address costs its own answers, and a broken producer is replaced."""

import asyncio
from dataclasses import dataclass, field

import pytest
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    NotEnoughReplicasError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from structlog.testing import capture_logs

from services.projector.kafka.replies import KafkaReplies
from shared.events.topics import REPLIES
from shared.kafka.kept_producer import KeptProducer
from tests.support.fakes.in_hand import turns

THEIRS = "timer.replies.theirs"
ANSWER = [("r-1", b"{}")]


@dataclass
class Client:
    """What aiokafka's client knows of topics. `gone` is there no more."""

    gone: set[str] = field(default_factory=set)

    @property
    def cluster(self) -> "Client":
        return self

    async def fetch_all_metadata(self) -> "Client":
        return self

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return None if topic in self.gone or topic not in {REPLIES, THEIRS} else {0}


class Batch(list[bytes]):
    """What `create_batch` returns."""

    def append(self, *, timestamp: None, key: None, value: bytes) -> None:  # type: ignore[override]
        assert (timestamp, key) == (None, None)
        super().append(value)


@dataclass
class Producer:
    """A producer to which some topics are trouble: at the send, or at the ack."""

    client: Client = field(default_factory=Client)
    refused: dict[str, Exception] = field(default_factory=dict)
    unacked: dict[str, Exception] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    # Their batches are full, and no broker takes one.
    sick: set[str] = field(default_factory=set)
    # How often a reply went without a task.
    at_once: int = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def partitions_for(self, topic: str) -> set[int]:
        return self.client.partitions_for_topic(topic) or set()

    async def send(self, topic: str, *, value: bytes, partition: int) -> "asyncio.Future[None]":
        assert (value, partition) == (b'[{"request_id":"r-1","outcome":{}}]', 0)
        if topic in self.refused:
            raise self.refused[topic]
        if topic in self.sick:
            await asyncio.Event().wait()
        return self._taken(topic)

    def create_batch(self) -> Batch:
        return Batch()

    def hand_over(self, batch: Batch, topic: str, partition: int) -> "asyncio.Future[None] | None":
        assert (batch, partition) == ([b'[{"request_id":"r-1","outcome":{}}]'], 0)
        if topic in self.refused or topic in self.sick or self.client.partitions_for_topic(topic) is None:
            return None
        self.at_once += 1
        return self._taken(topic)

    def _taken(self, topic: str) -> "asyncio.Future[None]":
        self.sent.append(topic)
        acked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if topic in self.unacked:
            acked.set_exception(self.unacked[topic])
        else:
            acked.set_result(None)
        return acked


async def replies_on(producer: Producer, *topics: str) -> tuple[KafkaReplies, KeptProducer]:
    """Send one reply to each topic, one after the other."""
    kept = KeptProducer(lambda: producer, [REPLIES])
    keeping = asyncio.create_task(kept.run())
    await kept.get()
    replies = KafkaReplies(kept)
    for topic in topics:
        replies.send(topic, 0, ANSWER)
        await turns(10)
    keeping.cancel()
    return replies, kept


@pytest.mark.parametrize("error", [UnknownTopicOrPartitionError(), TopicAuthorizationFailedError(), AssertionError()])
@pytest.mark.parametrize("at_the_ack", [False, True])
async def test_a_bad_address_is_dropped_and_the_producer_stays(error: Exception, at_the_ack: bool) -> None:  # noqa: FBT001
    producer = Producer()
    (producer.unacked if at_the_ack else producer.refused)[THEIRS] = error
    replies, kept = await replies_on(producer, THEIRS, REPLIES)
    assert kept.there
    assert producer.sent[-1] == REPLIES
    assert replies.dropped == {type(error).__name__: 1}
    assert [replies._addresses.knows(topic) for topic in (REPLIES, THEIRS)] == [True, False]


async def test_replies_to_a_topic_that_is_known_go_at_once() -> None:
    producer = Producer()
    replies, _ = await replies_on(producer, REPLIES, REPLIES, REPLIES)
    assert (producer.sent, producer.at_once, replies.dropped) == ([REPLIES] * 3, 2, {})


async def test_a_bad_ack_of_a_reply_that_went_at_once_is_told() -> None:
    producer = Producer()
    kept = KeptProducer(lambda: producer, [REPLIES])
    keeping = asyncio.create_task(kept.run())
    await kept.get()
    replies = KafkaReplies(kept)
    for unacked in ({}, {THEIRS: TopicAuthorizationFailedError()}, {}):
        producer.unacked = unacked
        replies.send(THEIRS, 0, ANSWER)
        await turns(10)
    keeping.cancel()
    assert (producer.at_once, replies.dropped) == (1, {"TopicAuthorizationFailedError": 1, "no_such_address": 1})


async def test_a_topic_that_we_may_not_write_to_is_left_alone_for_a_while() -> None:
    producer = Producer(unacked={THEIRS: TopicAuthorizationFailedError()})
    replies, _ = await replies_on(producer, THEIRS, THEIRS, THEIRS)
    assert producer.sent == [THEIRS]
    assert replies.dropped == {"TopicAuthorizationFailedError": 1, "no_such_address": 2}


async def test_a_topic_that_was_deleted_is_forgotten() -> None:
    producer = Producer()
    kept = KeptProducer(lambda: producer, [REPLIES])
    keeping = asyncio.create_task(kept.run())
    await kept.get()
    replies = KafkaReplies(kept)
    for gone in (False, True):
        producer.client.gone = {THEIRS} if gone else set()
        replies.send(THEIRS, 0, ANSWER)
        await turns(10)
    keeping.cancel()
    assert (producer.sent, replies.dropped, kept.there) == ([THEIRS], {"no_such_address": 1}, True)


async def test_replies_to_one_sick_topic_leave_room_for_those_to_others() -> None:
    """Each may wait ten seconds, and so many as fit in memory may wait at one time."""
    producer = Producer(sick={THEIRS}, refused={REPLIES: KafkaTimeoutError()})
    replies, _ = await replies_on(producer, *[THEIRS] * 1_200)
    assert replies.dropped == {"too_many_unsent": 1_100}
    replies.send(REPLIES, 0, ANSWER)
    await turns(10)
    assert replies.dropped == {"too_many_unsent": 1_100, "KafkaTimeoutError": 1}
    for task in replies._sending:
        task.cancel()


@pytest.mark.parametrize("error", [LeaderNotAvailableError(), NotEnoughReplicasError()])
async def test_a_partition_that_takes_nothing_costs_no_producer(error: Exception) -> None:
    replies, kept = await replies_on(Producer(refused={THEIRS: error}), THEIRS)
    assert (kept.there, replies.dropped) == (True, {type(error).__name__: 1})


async def test_a_failure_of_the_producers_own_breaks_it() -> None:
    producer = Producer(refused={REPLIES: KafkaError("Unexpected error during batch delivery")})
    replies, kept = await replies_on(producer, REPLIES)
    assert not kept.there
    assert replies.dropped == {"KafkaError": 1}


async def test_an_address_that_nobody_has_seen_is_not_quoted() -> None:
    with capture_logs() as said:
        replies, _ = await replies_on(Producer(), "timer.replies.canary", "canary")
    assert replies.dropped == {"no_such_address": 1, "not_a_reply_topic": 1}
    assert "canary" not in str(said)
