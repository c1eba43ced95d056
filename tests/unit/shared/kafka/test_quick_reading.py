"""One partition read with a request and its answer."""

from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    NotLeaderForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.record.util import calc_crc32c

from shared.kafka.quick_reading import fetch
from tests.unit.shared.kafka.one_broker import PLACE, Broker, batch


def remade(lies: bytes, at: int, said: bytes) -> bytes:
    """Return a batch with other bytes in its head, and the checksum of what it says now."""
    changed = lies[:at] + said + lies[at + len(said) :]
    checksum: int = calc_crc32c(changed[21:])
    return changed[:17] + checksum.to_bytes(4, "big") + changed[21:]


async def read(broker: Broker, offset: int = 0) -> tuple[list[tuple[int, bytes]], int]:
    records, after = await fetch(broker, PLACE, offset, 500)
    return [(record.offset, record.value) for record in records], after


async def test_records_come_in_order_with_the_offset_after_them() -> None:
    broker = Broker(batch(b"a", b"b", first=7) + batch(b"c", first=9), b"")
    assert await read(broker, 7) == ([(7, b"a"), (8, b"b"), (9, b"c")], 10)
    assert await read(broker, 10) == ([], 10)
    assert broker.asked == [7, 10]


async def test_records_of_a_batch_before_the_offset_are_passed() -> None:
    """A broker answers with whole batches."""
    assert await read(Broker(batch(b"a", b"b", b"c", first=7)), 8) == ([(8, b"b"), (9, b"c")], 10)


async def test_the_end_of_a_transaction_is_no_record() -> None:
    control = remade(batch(b"x", first=8), 21, b"\x00\x20")
    assert await read(Broker(batch(b"a", first=7) + control + batch(b"b", first=9)), 7) == ([(7, b"a"), (9, b"b")], 10)
    assert await read(Broker(control), 8) == ([], 9)


async def test_what_compaction_took_from_a_batchs_end_is_passed() -> None:
    shortened = remade(batch(b"a", b"b", first=7), 23, (5).to_bytes(4, "big"))
    assert await read(Broker(shortened), 7) == ([(7, b"a"), (8, b"b")], 13)
    assert await read(Broker(shortened), 9) == ([], 13)


@pytest.mark.parametrize("trouble", [KafkaConnectionError(), NotLeaderForPartitionError.errno])
async def test_a_broker_that_is_away_or_leads_no_more_is_asked_again_later(trouble: Exception | int) -> None:
    broker = Broker(trouble, batch(b"a", first=7))
    assert await read(broker, 7) == ([], 7)
    assert broker.refreshed == 1
    assert await read(broker, 7) == ([(7, b"a")], 8)


async def test_a_partition_without_a_leader_is_asked_for_later() -> None:
    broker = Broker(leader=-1)
    assert await read(broker, 7) == ([], 7)
    assert (broker.refreshed, broker.asked) == (1, [])


@pytest.mark.parametrize("error", [OffsetOutOfRangeError, TopicAuthorizationFailedError])
async def test_what_does_not_pass_by_itself_is_raised(error: Any) -> None:  # noqa: ANN401 - as above
    with pytest.raises(error):
        await read(Broker(error.errno))


async def test_a_record_that_does_not_fit_is_raised() -> None:
    with pytest.raises(RecordTooLargeError):
        await read(Broker(batch(b"a" * 100)[:50]))
