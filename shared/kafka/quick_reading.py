"""Reading one partition with a request and its answer: for a reader that only wants what comes next.

aiokafka's fetcher (0.14.0) serves many partitions and callers: a task asks, another waits for the answer, a third is
woken to take the records. Where one loop reads one partition, each record had four wake-ups behind it, and cost as much
again as the request. Here the loop that takes the records asks for them itself.
With care: an upgrade of aiokafka. Compare `Fetcher._proc_fetch_request` with what it was.
"""

import asyncio
from typing import Any, Final

from aiokafka.consumer.fetcher import READ_UNCOMMITTED, PartitionRecords
from aiokafka.errors import (
    KafkaError,
    LeaderNotAvailableError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from shared.kafka.lenient_records import LenientRecords

_BYTES_AT_ONCE: Final = 1 << 20
_AFTER_AN_ERROR_SECONDS: Final = 0.05
# What does not pass by itself.
_FOR_THE_READER: Final = (OffsetOutOfRangeError, TopicAuthorizationFailedError)


async def fetch(consumer: Any, place: TopicPartition, offset: int, wait_ms: int) -> tuple[list[Any], int]:  # noqa: ANN401
    """Return records of a partition from an offset on, and the offset after them; none when `wait_ms` is over.

    The consumer is started, has been asked for offsets of the partition, and reads nothing itself. None either while
    the broker is away or the partition moves: whoever wants to know for how long asks for the end of the partition.
    Raises OffsetOutOfRangeError, TopicAuthorizationFailedError or RecordTooLargeError.
    """
    client: Any = consumer._client  # noqa: SLF001 - this room knows the insides of aiokafka
    try:
        held = LenientRecords(await _answer_of_leader(client, place, offset, wait_ms))
    except _FOR_THE_READER:
        raise
    except KafkaError:
        client.force_metadata_update()
        await asyncio.sleep(_AFTER_AN_ERROR_SECONDS)
        return [], offset
    if not held.has_next():
        if held.size_in_bytes() > 0:
            raise RecordTooLargeError(f"the record at {place.partition}:{offset} is larger than {_BYTES_AT_ONCE} bytes")
        return [], offset
    records = PartitionRecords(place, held, None, offset, None, None, True, READ_UNCOMMITTED)  # noqa: FBT003 - not ours
    return list(records), records.next_fetch_offset


async def _answer_of_leader(client: Any, place: TopicPartition, offset: int, wait_ms: int) -> bytes:  # noqa: ANN401
    leader = client.cluster.leader_for_partition(place)
    if leader is None or leader == -1:
        raise LeaderNotAvailableError
    asked = [(place.topic, [(place.partition, offset, _BYTES_AT_ONCE)])]
    response = await client.send(leader, FetchRequest(wait_ms, 1, _BYTES_AT_ONCE, READ_UNCOMMITTED, asked))
    ((_, ((_, code, _, *_, held),)),) = response.topics
    if code:
        raise for_code(code)
    records: bytes = held
    return records
