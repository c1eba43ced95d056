"""Packed batches: the records of a batch as one gzip stream, which each client of Kafka can read by itself.

aiokafka (0.14.0) packs at gzip's slowest level, each topic of a producer alike, and unpacks whatever a batch grows to.
Brokers bound what is packed, and a megabyte of zeros unpacks to a thousand. So batches are packed and unpacked here.
Never: lower one of the bounds `NEVER_MORE_…`, because what was read once must be read the same for ever.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiokafka.errors import CorruptRecordException
from aiokafka.record.util import calc_crc32c, decode_varint_py
from isal import isal_zlib

# Sixteen times what a broker takes by default in one batch. Our own grow to 256 KiB (`clients.MAX_BATCH_BYTES`).
NEVER_MORE_BYTES: Final = 16 * 1024 * 1024
# About as many as the shortest records that fit, not packed, into a batch that a broker takes.
NEVER_MORE_RECORDS: Final = 100_000
# The same of headers: the shortest takes two bytes, and some 70 of memory.
NEVER_MORE_HEADERS: Final = 500_000
_HEADER_BYTES_MIN: Final = 2
# A producer writes one stream. Java reads several as if they were one.
_STREAMS_MAX: Final = 100

# A batch (format 2): where its parts lie, in bytes.
_INT32: Final = struct.Struct(">i")
_LENGTH_AT: Final = 8
_COUNTED_FROM: Final = 12
_MAGIC_AT: Final = 16
_CRC: Final = struct.Struct(">I")
_CRC_AT: Final = 17
_CRC_FROM: Final = 21
# The low byte of the attributes: its lowest three bits name the codec.
_CODEC_AT: Final = 22
_CODEC: Final = 0x07
_IS_GZIP: Final = 0x01
_COUNT_AT: Final = 57
_RECORDS_AT: Final = 61

# The higher levels of this library save next to nothing more.
_LEVEL: Final = 1
_GZIP: Final = 16 + isal_zlib.MAX_WBITS

_log = structlog.get_logger()


class GrowsTooLargeError(Exception):
    """A batch would unpack to more than we hold in memory."""


@dataclass(frozen=True, slots=True)
class NotUnpacked:
    """Stands for the records of a batch that grows too large: one without content, which nobody can read as a press.

    It has the last offset, so that readers go on after the batch. They know logs with gaps.
    """

    offset: int
    timestamp: int
    timestamp_type: int
    key: None = None
    value: None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    checksum: None = None


def packed(batch: bytearray) -> bytearray:
    """Return a finished batch packed, or as it is when that would save nothing."""
    records = isal_zlib.compress(memoryview(batch)[_RECORDS_AT:], _LEVEL, _GZIP)
    if _RECORDS_AT + len(records) >= len(batch):
        return batch
    small = batch[:_RECORDS_AT] + records
    small[_CODEC_AT] |= _IS_GZIP
    _INT32.pack_into(small, _LENGTH_AT, len(small) - _COUNTED_FROM)
    _CRC.pack_into(small, _CRC_AT, calc_crc32c(small[_CRC_FROM:]))
    return small


def unpacked(batch: memoryview) -> memoryview:
    """Return a batch as it is before it is packed, except for its sum; one that is not packed with gzip as it is.

    Raises GrowsTooLargeError, and CorruptRecordException for what is no gzip.
    """
    if len(batch) < _RECORDS_AT or batch[_MAGIC_AT] != 2 or batch[_CODEC_AT] & _CODEC != _IS_GZIP:  # noqa: PLR2004 - the format
        return batch
    (count,) = _INT32.unpack_from(batch, _COUNT_AT)
    if count > NEVER_MORE_RECORDS:
        raise GrowsTooLargeError(f"it says that it holds {count} records")
    large = bytearray(batch[:_RECORDS_AT])
    for part in _parts(batch[_RECORDS_AT:]):
        large += part
        if len(large) > _RECORDS_AT + NEVER_MORE_BYTES:
            raise GrowsTooLargeError(f"it unpacks to more than {NEVER_MORE_BYTES} bytes")
    # Our own batches are too small to hold so many, so no record of them is looked at here.
    if len(large) > _RECORDS_AT + NEVER_MORE_HEADERS * _HEADER_BYTES_MIN:
        headers = _headers_in(large, count)
        if headers > NEVER_MORE_HEADERS:
            raise GrowsTooLargeError(f"it says that it holds {headers} headers")
    large[_CODEC_AT] &= ~_CODEC
    _INT32.pack_into(large, _LENGTH_AT, len(large) - _COUNTED_FROM)
    return memoryview(large)


def stand_in(batch: Any, why: GrowsTooLargeError) -> NotUnpacked:  # noqa: ANN401 - aiokafka ships no types
    """Return what readers get for a batch that grows too large. Operators read why in the log."""
    last = batch.next_offset - 1
    _log.error("batch_not_unpacked", offsets=[batch.base_offset, last], why=str(why))
    return NotUnpacked(last, batch.max_timestamp, batch.timestamp_type)


def _headers_in(batch: bytearray, records: int) -> int:
    """Return how many headers the records have by what they say, up to the first that contradicts itself.

    aiokafka reads the headers of that one too, and then raises.
    """
    headers, begins = 0, _RECORDS_AT
    with suppress(IndexError, ValueError):
        for _ in range(records):
            length, at = decode_varint_py(batch, begins)
            begins = at + length
            _since, at = decode_varint_py(batch, at + 1)  # behind the attributes
            _behind, at = decode_varint_py(batch, at)
            for _part in ("key", "value"):
                size, at = decode_varint_py(batch, at)
                at += max(size, 0)
            count, at = decode_varint_py(batch, at)
            headers += min(max(count, 0), (len(batch) - at) // _HEADER_BYTES_MIN)
            if at > begins:
                break
    return headers


def _parts(packed_records: memoryview) -> Iterator[bytes]:
    """Yield what each of the streams unpacks to, at most a byte too much of each. What follows the last is passed."""
    rest: bytes | memoryview = packed_records
    for nth in range(_STREAMS_MAX):
        unpacking = isal_zlib.decompressobj(_GZIP)
        try:
            yield unpacking.decompress(rest, NEVER_MORE_BYTES + 1)
        except isal_zlib.error as error:  # type: ignore[misc] # its types call this class an instance
            if nth == 0:
                raise CorruptRecordException(f"a batch is no gzip: {error}") from None
            return
        rest = unpacking.unused_data
        if not rest:
            return
    raise GrowsTooLargeError(f"it is more than {_STREAMS_MAX} streams")
