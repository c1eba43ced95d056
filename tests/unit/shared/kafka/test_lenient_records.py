"""Records with header names that are not UTF-8: aiokafka would raise out of the fetch, at every attempt."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from shared.kafka.lenient_records import LenientRecords


def a_fetch() -> bytes:
    """Return a batch of three records. The second has a header name of two bytes that are not UTF-8."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=16_384,
    )
    for offset, name in enumerate(("ce_type", "zz", "ce_type")):
        builder.append(offset, timestamp=0, key=b"k", value=b"v%d" % offset, headers=[(name, b"said")])
    return bytes(builder.build()).replace(b"zz", b"\xff\xfe")


def records_of(fetch: LenientRecords) -> list[tuple[int, bytes, list[tuple[str, bytes]]]]:
    found = []
    while fetch.has_next():
        found += [(record.offset, record.value, list(record.headers)) for record in fetch.next_batch()]
    return found


def test_a_malformed_header_name_leaves_its_neighbours_readable() -> None:
    assert records_of(LenientRecords(a_fetch())) == [
        (0, b"v0", [("ce_type", b"said")]),
        (1, b"v1", [("\N{REPLACEMENT CHARACTER}" * 2, b"said")]),
        (2, b"v2", [("ce_type", b"said")]),
    ]


def test_aiokafka_by_itself_still_gives_the_whole_batch_up() -> None:
    """The control: if this fails one day, `shared.kafka.lenient_records` can go."""
    with pytest.raises(UnicodeDecodeError):
        list(MemoryRecords(a_fetch()).next_batch())


def test_a_lenient_batch_still_answers_the_fetcher() -> None:
    batch = LenientRecords(a_fetch()).next_batch()
    assert (batch.is_control_batch, batch.next_offset, batch.base_offset) == (False, 3, 0)
