"""Packed batches: what readers get of them, and what they refuse to hold in memory."""

import gzip
import re
import zlib
from contextlib import nullcontext
from typing import Any

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c, encode_varint
from structlog.testing import capture_logs

from shared.kafka import packing
from shared.kafka.lenient_records import LenientRecords
from shared.kafka.packing import GrowsTooLargeError, packed, unpacked

HEADERS = [("ce_type", b"timer.stopped.v1"), ("reply", None)]


def batch(*values: bytes | None, codec: int = 0) -> bytearray:
    """Return a batch as a producer builds it, from offset 0 on."""
    builder = DefaultRecordBatchBuilder(
        2, codec, is_transactional=0, producer_id=7, producer_epoch=3, base_sequence=11, batch_size=1 << 30
    )
    for number, value in enumerate(values):
        builder.append(number, 1_700_000_000_000 + number, b"key", value, HEADERS)
    return bytearray(builder.build())


def around(stream: bytes, count: int) -> bytes:
    """Return a batch of `count` records with this stream for them, as a broker has it on the log."""
    head = bytearray(batch(b"")[:61])
    head[22] |= 1
    head[23:27] = (count - 1).to_bytes(4, "big")
    head[57:61] = count.to_bytes(4, "big")
    whole = head + stream
    whole[8:12] = (len(whole) - 12).to_bytes(4, "big")
    whole[17:21] = calc_crc32c(whole[21:]).to_bytes(4, "big")
    return bytes(whole)


def records_in(fetched: bytes) -> list[Any]:
    found, fetch = [], LenientRecords(fetched)
    while fetch.has_next():
        one = fetch.next_batch()
        assert one.validate_crc()
        found += [(each.offset, each.timestamp, each.key, each.value, list(each.headers)) for each in one]
    return found


PRESSES = [b'{"tenant":"demo"}' * 20, None, b'{"tenant":"demo"}' * 30]


def test_a_packed_batch_is_smaller_and_reads_the_same_by_aiokafka_alone() -> None:
    plain, small = batch(*PRESSES), packed(batch(*PRESSES))
    assert len(small) < len(plain) / 3
    ours, theirs = DefaultRecordBatch(bytes(plain)), DefaultRecordBatch(bytes(small))
    assert theirs.validate_crc()
    assert (theirs.producer_id, theirs.next_offset, theirs.compression_type) == (ours.producer_id, 3, 1)
    assert [(r.offset, r.timestamp, r.value, r.headers) for r in theirs] == [
        (r.offset, r.timestamp, r.value, r.headers) for r in ours
    ]


def test_a_packed_batch_reads_the_same_by_us() -> None:
    plain = bytes(batch(*PRESSES))
    assert records_in(bytes(packed(batch(*PRESSES))) + plain) == records_in(plain) * 2


def test_unpacked_it_has_the_bytes_that_it_had() -> None:
    plain = batch(*PRESSES)
    found = bytes(unpacked(memoryview(bytes(packed(bytearray(plain))))))
    assert (found[:17], found[21:]) == (bytes(plain[:17]), bytes(plain[21:]))


def test_what_would_not_become_smaller_stays_as_it_is() -> None:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    builder.append(0, 0, None, b"short", [])
    plain = bytearray(builder.build())
    assert packed(bytearray(plain)) == plain


def test_what_another_program_has_packed_is_read() -> None:
    """At aiokafka's own level, in several streams, and before bytes that are no gzip: as Java reads it."""
    assert records_in(bytes(batch(*PRESSES, codec=1))) == records_in(bytes(batch(*PRESSES)))
    plain = bytes(batch(*PRESSES)[61:])
    streams = gzip.compress(plain[:100]) + gzip.compress(plain[100:]) + b"no gzip"
    assert records_in(around(streams, 3)) == records_in(bytes(batch(*PRESSES)))


def test_a_malformed_header_name_in_a_packed_batch_costs_its_neighbours_nothing() -> None:
    plain = batch(b"a" * 300, b"b" * 300)
    plain[plain.index(b"ce_type") : plain.index(b"ce_type") + 2] = b"\xff\xfe"
    small = bytes(packed(plain))
    replaced = "\N{REPLACEMENT CHARACTER}" * 2 + "_type"
    assert [headers[0][0] for *_, headers in records_in(small)] == [replaced, "ce_type"]
    with pytest.raises(UnicodeDecodeError):  # the control
        list(DefaultRecordBatch(small))


def test_what_is_no_gzip_is_told_as_corrupt() -> None:
    with pytest.raises(CorruptRecordException):
        records_in(around(b"no gzip at all", 1))


def test_a_batch_that_grows_too_large_is_one_record_without_content_at_its_last_offset() -> None:
    bomb = around(gzip.compress(bytes(64 << 20)), 3)
    with capture_logs() as logs:
        assert records_in(bomb) == [(2, 1_700_000_000_000, None, None, [])]
    assert [(log["event"], log["offsets"]) for log in logs] == [("batch_not_unpacked", [0, 2])]


def test_a_megabyte_on_the_log_never_takes_more_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would unpack to a gigabyte. The control: without the bound, all that is packed is there."""
    bomb = memoryview(around(gzip.compress(bytes(64 << 20)), 1))
    assert len(bomb) < 1 << 16
    with pytest.raises(GrowsTooLargeError):
        unpacked(bomb)
    monkeypatch.setattr(packing, "NEVER_MORE_BYTES", 1 << 30)
    assert len(unpacked(bomb)) == 61 + (64 << 20)


@pytest.mark.parametrize(("unpacks_to", "streams"), [(1 << 20, 17), (0, 101)])
def test_many_small_streams_are_bounded_together(unpacks_to: int, streams: int) -> None:
    with pytest.raises(GrowsTooLargeError):
        unpacked(memoryview(around(gzip.compress(bytes(unpacks_to)) * streams, 1)))


def test_a_batch_of_too_many_records_is_not_unpacked() -> None:
    with pytest.raises(GrowsTooLargeError, match=re.escape("100001 records")):
        unpacked(memoryview(around(zlib.compress(b""), 100_001)))


def a_record(headers: int, says: int | None = None) -> bytes:
    """Return a record of headers without name and value, two bytes each, as the format has it. `says`: its length."""
    content = bytearray(5)  # attributes, how long after and behind the first; and no key, no value
    content[3:5] = b"\x01\x01"
    encode_varint(headers, content.append)
    content += b"\x00\x01" * headers
    record = bytearray()
    encode_varint(len(content) if says is None else says, record.append)
    return bytes(record + content)


def test_a_batch_of_too_many_headers_is_not_unpacked() -> None:
    """A thousand bytes on the log would be a million tuples in memory: 74 MB, and a quarter of a second."""
    bomb = around(gzip.compress(a_record(1_000_000)), 1)
    assert len(bomb) < 3000
    with capture_logs() as logs:
        assert records_in(bomb) == [(0, 1_700_000_000_000, None, None, [])]
    assert [log["why"] for log in logs] == ["it says that it holds 1000000 headers"]


@pytest.mark.parametrize("says", [0, -1, 4, 9])
def test_headers_of_a_record_that_lies_about_its_length_are_counted(says: int) -> None:
    """Aiokafka makes tuples of all of them before it finds the lie."""
    with pytest.raises(GrowsTooLargeError, match="600000 headers"):
        unpacked(memoryview(around(gzip.compress(a_record(600_000, says)), 1)))


@pytest.mark.parametrize("more", [0, 1])
def test_headers_of_all_records_are_counted_together(more: int) -> None:
    stream = gzip.compress(a_record(250_000) + a_record(0) + a_record(250_000 + more))
    with pytest.raises(GrowsTooLargeError) if more else nullcontext():
        assert len(unpacked(memoryview(around(stream, 3)))) > 1_000_000


@pytest.mark.parametrize(
    "records",
    [a_record(500_000)[:-1], a_record(500_000) + bytes(99)],
    ids=["cut", "then one that is shorter than it says"],
)
def test_a_large_batch_that_contradicts_itself_is_told_as_corrupt(records: bytes) -> None:
    """Its headers are counted up to there, and no further."""
    with pytest.raises(CorruptRecordException):
        records_in(around(gzip.compress(records), 9))


def test_other_batches_are_handed_on_as_they_are() -> None:
    for whole in (memoryview(bytes(batch(b"a"))), memoryview(b"short")):
        assert unpacked(whole) is whole
