"""aiokafka's producer woken by callbacks, over a broker that answers when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from aiokafka.errors import KafkaError, NotLeaderForPartitionError
from aiokafka.structs import PartitionMetadata, TopicPartition

from shared.events.topics import EVENTS, OUTCOMES, TEXTS
from shared.kafka import quick_reading
from shared.kafka.clients import KafkaAddress, quick_producer
from shared.kafka.quick_reading import fetch
from tests.support.fakes.in_hand import turns
from tests.support.stack.until import eventually

TOPIC = "timer.replies.v1"


class Broker:
    """Takes requests, and answers each when the test says so."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.sent: list[dict[str, bytes]] = []
        self.answers: list[asyncio.Future[Any]] = []
        self.refreshed = 0

    async def send(self, node_id: int, request: Any) -> Any:  # noqa: ANN401 - aiokafka ships no types
        assert node_id == 1
        self.sent.append({topic: bytes(held) for topic, parts in request._topics for _, held in parts})
        self.asked.append([partition for _, parts in request._topics for partition, _ in parts])
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]

    def answer(self, nth: int, error: int = 0) -> None:
        took: list[Any] = [(partition, error, 7, -1, 0, [], None) for partition in dict.fromkeys(self.asked[nth])]
        self.answers[nth].set_result(SimpleNamespace(API_VERSION=8, topics=[(topic, took) for topic in self.sent[nth]]))


@asynccontextmanager
async def sending(*led: int, leaderless: tuple[int, ...] = ()) -> AsyncIterator[tuple[Any, Broker]]:
    """Give a producer whose sender runs, and the broker that leads these partitions."""
    producer, broker = quick_producer(KafkaAddress(bootstrap_servers="127.0.0.1:9")), Broker()
    leaders = dict.fromkeys(led, 1) | dict.fromkeys(leaderless, -1)
    producer.client.cluster._partitions[TOPIC] = {
        partition: PartitionMetadata(TOPIC, partition, leader, [1], [1], 0) for partition, leader in leaders.items()
    }
    producer.client.send = broker.send
    await producer._sender.start()
    await turns()
    yield producer, broker
    for answer in broker.answers:
        answer.cancel()
    producer._message_accumulator._batches.clear()
    producer._message_accumulator._pending_batches.clear()
    await producer.stop()


def handed_over(producer: Any, partition: int) -> "asyncio.Future[Any]":  # noqa: ANN401 - as above
    batch = producer.create_batch()
    batch.append(timestamp=None, key=None, value=b"a")
    acked: asyncio.Future[Any] = producer.hand_over(batch, TOPIC, partition)
    return acked


async def test_the_batches_of_one_tick_are_one_request() -> None:
    async with sending(0, 1) as (producer, broker):
        acked = [handed_over(producer, partition) for partition in (0, 1)]
        await turns()
        assert broker.asked == [[0, 1]]
        broker.answer(0)
        await turns()
        assert [each.result().offset for each in acked] == [7, 7]


async def test_one_request_is_in_flight_and_the_next_goes_when_it_ends() -> None:
    async with sending(0, 1) as (producer, broker):
        handed_over(producer, 0)
        await turns()
        waiting = [handed_over(producer, partition) for partition in (0, 1)]
        await turns()
        assert broker.asked == [[0]]
        broker.answer(0)
        await turns()
        assert broker.asked == [[0], [0, 1]]
        assert not any(each.done() for each in waiting)


async def test_a_batch_that_its_leader_refuses_goes_again() -> None:
    async with sending(0) as (producer, broker):
        acked = handed_over(producer, 0)
        await turns()
        producer.client.force_metadata_update = lambda: asyncio.get_running_loop().create_future()
        broker.answer(0, NotLeaderForPartitionError.errno)

        async def asked_again() -> bool:
            return len(broker.asked) == 2

        await eventually(asked_again, "the batch goes again", within_seconds=5)
        broker.answer(1)
        await turns()
        assert acked.result().offset == 7


async def test_a_partition_without_a_leader_waits_for_metadata() -> None:
    async with sending(leaderless=(0,)) as (producer, broker):
        asked: list[asyncio.Future[bool]] = []

        def refresh() -> "asyncio.Future[bool]":
            asked.append(asyncio.get_running_loop().create_future())
            return asked[-1]

        producer.client.force_metadata_update = refresh
        handed_over(producer, 0)
        await turns()
        assert (len(asked), broker.asked) == (1, [])
        producer.client.cluster._partitions[TOPIC][0] = PartitionMetadata(TOPIC, 0, 1, [1], [1], 0)
        asked[0].set_result(True)
        await turns()
        assert broker.asked == [[0]]


async def test_a_partition_without_a_leader_is_looked_for_once_however_much_goes_to_others() -> None:
    """Each look ends in one drain. With a look for each drain they would pile up, and all drain at each answer."""
    async with sending(1, leaderless=(0,)) as (producer, broker):
        asked: list[asyncio.Future[bool]] = []

        def refresh() -> "asyncio.Future[bool]":
            # As aiokafka's own: the same future until the metadata is there.
            if not asked or asked[-1].done():
                asked.append(asyncio.get_running_loop().create_future())
            return asked[-1]

        producer.client.force_metadata_update = refresh
        handed_over(producer, 0)
        for number in range(20):
            handed_over(producer, 1)
            await turns()
            broker.answer(number)
            await turns()
        producer._sender._drain = Mock(wraps=producer._sender._drain)
        asked[0].set_result(True)
        await turns()
        assert (producer._sender._drain.call_count, len(asked)) == (1, 1)

        async def looked_again() -> bool:
            return len(asked) == 2

        await eventually(looked_again, "it is looked for again", within_seconds=5)
        assert producer._sender._drain.call_count == 2


async def test_a_partition_that_has_no_leader_for_long_is_looked_for_at_the_pace_of_retries() -> None:
    """Else each answer would begin the next look, and a service's sick topic would take the loop of the projector."""
    async with sending(leaderless=(0,)) as (producer, _):
        looks = 0

        def refresh() -> "asyncio.Future[bool]":
            nonlocal looks
            looks += 1
            found: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            found.set_result(True)
            return found

        producer.client.force_metadata_update = refresh
        handed_over(producer, 0)
        await asyncio.sleep(0.3)
        assert 2 <= looks <= 7


async def test_a_bug_of_its_own_fails_all_that_waits_and_all_that_comes() -> None:
    async with sending(0, 1) as (producer, broker):
        acked = handed_over(producer, 0)
        await turns()
        broker.answers[0].set_exception(RuntimeError("no error of Kafka's"))
        await turns()
        assert isinstance(acked.exception(), KafkaError)
        assert producer.hand_over(producer.create_batch(), TOPIC, 1) is None
        with pytest.raises(KafkaError):
            await producer.send(TOPIC, value=b"a", partition=1)


async def test_an_ending_sender_waits_for_the_request_in_flight() -> None:
    async with sending(0) as (producer, broker):
        acked = handed_over(producer, 0)
        await turns()
        ending = asyncio.ensure_future(producer._sender.close())
        await turns()
        assert not ending.done()
        broker.answer(0)
        await ending
        assert acked.result().offset == 7


def handed_over_to(topic: str, producer: Any) -> None:  # noqa: ANN401 - as above
    producer.client.cluster._partitions[topic] = producer.client.cluster._partitions[TOPIC]
    batch = producer.create_batch()
    batch.append(timestamp=None, key=None, value=b"a" * 500)
    assert producer.hand_over(batch, topic, 0) is not None


async def test_a_batch_is_packed_for_the_topics_that_are_packed_and_once_for_all_its_sendings() -> None:
    async with sending(0) as (producer, broker):
        for topic in (EVENTS, OUTCOMES, TEXTS, TOPIC):
            handed_over_to(topic, producer)
        await turns()
        first = broker.sent[0]
        assert {topic: len(sent) < 200 for topic, sent in first.items()} == {
            EVENTS: True, OUTCOMES: True, TEXTS: False, TOPIC: False,
        }  # fmt: skip
        producer.client.force_metadata_update = lambda: asyncio.get_running_loop().create_future()
        broker.answer(0, NotLeaderForPartitionError.errno)

        async def sent_again() -> bool:
            return len(broker.sent) == 2

        await eventually(sent_again, "the batches go again", within_seconds=5)
        assert broker.sent[1] == first


async def _asked_beside_a_reply() -> list[str]:
    """Hand a reply over and ask for more in one turn. Return what went out, in order."""
    went: list[str] = []
    async with sending(0) as (producer, broker):
        send = broker.send

        async def told(node_id: int, request: Any) -> Any:  # noqa: ANN401 - as above
            went.append("reply")
            return await send(node_id, request)

        async def fetched(*_: object) -> Any:  # noqa: ANN401 - as above
            went.append("fetch")
            return SimpleNamespace(topics=[])

        producer.client.send = told
        client = SimpleNamespace(cluster=SimpleNamespace(leader_for_partition=lambda _: 1), send=fetched)
        handed_over(producer, 0)
        await fetch(SimpleNamespace(_client=client), TopicPartition(EVENTS, 0), 0, 500)
        await turns()
    return went


async def test_what_is_handed_over_goes_out_before_more_is_asked_for() -> None:
    assert await _asked_beside_a_reply() == ["reply", "fetch"]


async def test_a_request_in_the_same_turn_goes_out_before_a_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(quick_reading, "others_first", AsyncMock())
    assert await _asked_beside_a_reply() == ["fetch", "reply"]
