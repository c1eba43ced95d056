"""Packed topics on a real broker: what lies on the log is gzip, whoever wrote it, and everybody can read it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import pytest
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.errors import UnsupportedCodecError
from aiokafka.protocol.fetch import FetchRequest
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from services.stint_cli.brokers import Brokers
from shared.events.topics import COMMANDS, EVENTS, OUTCOMES, TEXTS, Topic
from shared.kafka.clients import AIOKafkaConsumer, KafkaAddress, TopicPartition, end_consumer, lone_consumer
from shared.kafka.packing import packed, unpacked
from shared.kafka.quick_reading import fetch
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.waits import drained

CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")
NONE: Final = 0
GZIP: Final = 1
PRESSES: Final = [b'{"tenant":"demo","owner":"owner-%d"}' % number * 5 for number in range(20)]


async def batches_on(consumer: AIOKafkaConsumer, topic: str, partition: int = 0, offset: int = 0) -> list[memoryview]:
    """Return the batches of a partition, as they lie on the log."""
    place = TopicPartition(topic, partition)
    await consumer.end_offsets([place])
    client: Any = consumer._client
    asked = FetchRequest(50, 1, 1 << 20, READ_UNCOMMITTED, [(topic, [(partition, offset, 1 << 20)])])
    answer = await client.send(client.cluster.leader_for_partition(place), asked)
    held, found = memoryview(answer.topics[0][1][0][-1]), []
    while held:
        end = 12 + int.from_bytes(held[8:12], "big")
        found.append(held[:end])
        held = held[end:]
    return found


async def codecs_on(consumer: AIOKafkaConsumer, topic: str, partition: int = 0, offset: int = 0) -> list[int]:
    """Return the codec of each batch of a partition."""
    return [batch[22] & 7 for batch in await batches_on(consumer, topic, partition, offset)]


def written(
    kafka: KafkaAddress,
    topic: str,
    codec: str,
    values: Sequence[bytes],
    *,
    partition: int = 0,
    transaction: str | None = None,
) -> int:
    """Write one batch with librdkafka, as another program might. Return the offset of its last record."""
    options = {"bootstrap.servers": kafka.bootstrap_servers, "compression.type": codec, "linger.ms": 50}
    more = {"message.max.bytes": 1 << 28} | ({} if transaction is None else {"transactional.id": transaction})
    producer, refused, offsets = Producer(options | more), list[KafkaError](), list[int]()

    def acked(error: KafkaError | None, record: Message) -> None:
        if error is not None:
            refused.append(error)
        offsets.append(record.offset() or 0)

    if transaction is not None:
        producer.init_transactions(30)
        producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, partition=partition, on_delivery=acked)
    producer.flush(30)
    if transaction is not None:
        producer.commit_transaction(30)
    del producer  # so that its threads end, also when this raises
    if refused:
        raise KafkaException(refused[0])
    return offsets[-1]


@pytest.fixture
async def reader(deployment: Deployment) -> Any:  # noqa: ANN401 - aiokafka ships no types
    consumer = lone_consumer(deployment.kafka)
    await consumer.start()
    yield consumer
    await end_consumer(consumer)


async def made(deployment: Deployment, name: str, compression: str) -> str:
    async with Brokers(deployment.kafka) as brokers:
        await brokers.create([Topic(name, 1, {"compression.type": compression})], 1)
    return name


async def test_whatever_codec_a_foreign_batch_has_the_broker_keeps_gzip(
    deployment: Deployment, reader: AIOKafkaConsumer
) -> None:
    """Also those of a transaction. So a reader needs gzip and nothing else."""
    topic = await made(deployment, "packed-anew", "gzip")
    for codec in CODECS:
        await asyncio.to_thread(written, deployment.kafka, topic, codec, PRESSES)
    await asyncio.to_thread(written, deployment.kafka, topic, "zstd", PRESSES, transaction="a-stranger")
    assert set((await codecs_on(reader, topic))[: len(CODECS) + 1]) == {GZIP}
    records, _ = await fetch(reader, TopicPartition(topic, 0), 0, 500)
    assert [record.value for record in records] == PRESSES * (len(CODECS) + 1)


async def test_without_the_setting_a_foreign_codec_would_stop_our_readers(
    deployment: Deployment, reader: AIOKafkaConsumer
) -> None:
    """The control: `producer` is the broker's default, and aiokafka has zstd only with a package beside it."""
    topic = await made(deployment, "packed-as-it-came", "producer")
    await asyncio.to_thread(written, deployment.kafka, topic, "zstd", PRESSES)
    assert await codecs_on(reader, topic) != [GZIP]
    with pytest.raises(UnsupportedCodecError):
        await fetch(reader, TopicPartition(topic, 0), 0, 500)


async def test_presses_and_outcomes_lie_packed_and_texts_do_not(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str, reader: AIOKafkaConsumer
) -> None:
    kpart = deployment.partition_of(tenant, owner)
    begin = {
        topic: (await reader.end_offsets([TopicPartition(topic, kpart)]))[TopicPartition(topic, kpart)]
        for topic in (EVENTS, OUTCOMES, TEXTS)
    }
    assert (await api.start(owner, comment="a comment " * 50)).status_code == 201
    await drained(deployment)
    found = {topic: await codecs_on(reader, topic, kpart, offset) for topic, offset in begin.items()}
    assert found == {EVENTS: [GZIP], OUTCOMES: [GZIP], TEXTS: [NONE]}


async def test_the_broker_keeps_a_batch_that_we_have_packed_as_it_is(
    deployment: Deployment, reader: AIOKafkaConsumer
) -> None:
    """It packs with zlib, whose bytes are others, so one that it had packed anew would show: the control."""
    end = (await reader.end_offsets([TopicPartition(EVENTS, 0)]))[TopicPartition(EVENTS, 0)]
    for value in PRESSES[:2]:
        await deployment.producer.send_and_wait(EVENTS, value, partition=0)
    for batch in await batches_on(reader, EVENTS, 0, end):
        assert packed(bytearray(unpacked(batch)))[61:] == batch[61:]
    topic = await made(deployment, "packed-by-the-broker", "gzip")
    await asyncio.to_thread(written, deployment.kafka, topic, "none", PRESSES)
    theirs = await batches_on(reader, topic)
    assert [packed(bytearray(unpacked(batch)))[61:] == batch[61:] for batch in theirs] == [False] * len(theirs) != []


async def test_a_batch_that_would_take_the_memory_is_a_dead_letter_and_its_neighbours_are_judged(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    """Brokers bound what is packed: 32 MiB of zeros are 32 kB on the log, and a megabyte there is a gigabyte."""
    kpart = deployment.partition_of(tenant, owner)
    offset = await asyncio.to_thread(written, deployment.kafka, EVENTS, "gzip", [bytes(32 << 20)], partition=kpart)
    assert (await api.start(owner)).status_code == 201
    await drained(deployment)
    parked = await deployment.pool.fetch("SELECT source_offset FROM dead_letter WHERE kpart = $1", kpart)
    assert offset in [row["source_offset"] for row in parked]


async def test_a_topic_that_is_not_packed_refuses_what_unpacks_to_too_much(deployment: Deployment) -> None:
    """There the broker unpacks, and bounds what comes out. Other services write to the topic of commands."""
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        await asyncio.to_thread(written, deployment.kafka, COMMANDS, "gzip", [bytes(32 << 20)])
