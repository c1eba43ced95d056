"""Addresses: what was added is found when it is named, and what is missing is asked for seldom."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.errors import KafkaError, NotEnoughReplicasError
from structlog.testing import capture_logs

from shared.events.topics import DEAD
from shared.kafka.foreign_topics import ForeignTopics
from shared.kafka.kept_producer import KeptProducer
from shared.kafka.post import Post

THEIRS = "timer.replies.theirs"


@dataclass
class Cluster:
    """What is known of topics."""

    topics: dict[str, set[int]]

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return self.topics.get(topic)


@dataclass
class Producer:
    """A producer whose client knows less than the brokers do. It is its own client."""

    there: dict[str, set[int]]
    cluster: Cluster = field(default_factory=lambda: Cluster({DEAD: {0}}))
    asked: int = 0
    acks: list[Exception] = field(default_factory=list)
    sent: list[tuple[str, int]] = field(default_factory=list)

    @property
    def client(self) -> "Producer":
        return self

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def fetch_all_metadata(self) -> Cluster:
        self.asked += 1
        await asyncio.sleep(0)
        return Cluster(self.there)

    async def partitions_for(self, topic: str) -> set[int]:
        return self.cluster.topics.setdefault(topic, set(self.there.get(topic, ())))

    async def force_metadata_update(self) -> None:
        self.cluster.topics |= {topic: set(self.there[topic]) for topic in self.cluster.topics.keys() & self.there}

    async def send(self, topic: str, *, partition: int, **_: object) -> "asyncio.Future[None]":
        # As aiokafka's own.
        assert partition in self.cluster.topics[topic], "Unrecognized partition"
        acked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.acks:
            acked.set_exception(self.acks.pop())
        else:
            self.sent.append((topic, partition))
            acked.set_result(None)
        return acked


async def post_on(producer: Producer) -> tuple[Post, KeptProducer]:
    kept = KeptProducer(lambda: producer, [DEAD])
    keeping = asyncio.create_task(kept.run())
    await kept.get()
    keeping.cancel()
    return Post(kept), kept


async def test_a_partition_that_was_just_added_leads_somewhere() -> None:
    """Before, the client's own look at its topics had to come round, in up to 30 seconds."""
    producer = Producer({THEIRS: {0}})
    post, _ = await post_on(producer)
    assert await post.leads_somewhere(THEIRS, 0)
    producer.there[THEIRS] = {0, 1}
    assert await post.leads_somewhere(THEIRS, 1)
    assert await post.send(THEIRS, 1, b"{}")
    assert (producer.sent, producer.asked) == ([(THEIRS, 1)], 2)


async def test_what_is_missing_is_not_asked_for_again_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    producer: Any = Producer({THEIRS: {0}})
    topics = ForeignTopics(10.0)
    assert await topics.exists(producer, THEIRS, 0)
    assert [await topics.exists(producer, THEIRS, 7) for _ in range(3)] == [False] * 3
    assert producer.asked == 2
    later = asyncio.get_running_loop().time() + 11
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: later)
    producer.there[THEIRS].add(7)
    assert await topics.exists(producer, THEIRS, 7)


async def test_all_who_ask_at_one_time_ask_once() -> None:
    producer: Any = Producer({THEIRS: {0}})
    topics = ForeignTopics(10.0)
    asking = [topics.exists(producer, f"timer.replies.{number}", 0) for number in range(50)]
    assert await asyncio.gather(topics.exists(producer, THEIRS, 0), *asking) == [True, *[False] * 50]
    assert producer.asked == 1


@pytest.mark.parametrize(
    ("error", "stays"), [(NotEnoughReplicasError(), True), (KafkaError("its sender failed"), False)]
)
async def test_a_record_that_a_broker_refuses_costs_no_producer(error: Exception, stays: bool) -> None:  # noqa: FBT001 - a column
    """The control is a failure of the producer's own, after which each of its sends fails."""
    producer = Producer({THEIRS: {0}}, acks=[error])
    post, kept = await post_on(producer)
    with capture_logs(), pytest.raises(ConnectionError):
        await post.send(THEIRS, 0, b"{}")
    assert kept.there is stays
