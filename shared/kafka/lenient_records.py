"""A patch of aiokafka: what would stop a reader of a partition for good is read another way.

aiokafka 0.14.0 decodes header names as UTF-8. When one does not decode, it raises out of the whole fetch, at every
attempt. Brokers take such a record. Here the batch is decoded once more with replaced letters. The reader can then park
one record and go on. A packed batch is unpacked by `packing`, within bounds of memory that aiokafka does not have.
With care: an upgrade of aiokafka. Its fetcher looks its record class up in its own module, and there we put ours.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from shared.kafka.packing import GrowsTooLargeError, stand_in, unpacked


class _Name(bytes):
    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        del errors
        return super().decode(encoding, "replace")


class _LenientBuffer(bytearray):
    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - as bytearray's own: an int, or bytes for a slice
        part = super().__getitem__(index)
        return _Name(part) if isinstance(index, slice) else part


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc] # aiokafka ships no types
    """A batch decoded in Python, slowly. Header names are the only text that this code decodes."""

    def __init__(self, buffer: memoryview) -> None:
        super().__init__(buffer)
        self._buffer: bytearray = _LenientBuffer(buffer)


class _FallbackBatch:
    """A batch unpacked by us, decoded by aiokafka's fast code, and by ours when the fast code raises."""

    def __init__(self, batch: Any, raw: memoryview) -> None:  # noqa: ANN401 - aiokafka ships no types
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the batch has
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            plain = unpacked(self._raw)
        except GrowsTooLargeError as too_large:
            return iter([stand_in(self._batch, too_large)])
        batch = self._batch if plain is self._raw else DefaultRecordBatch(plain)
        try:
            return iter(list(batch))
        except UnicodeDecodeError:
            return iter(_LenientBatch(plain))


class LenientRecords(_MemoryRecordsPy):  # type: ignore[misc] # aiokafka ships no types
    """What one fetch returned for one partition, batch by batch."""

    def next_batch(self) -> Any:  # noqa: ANN401 - aiokafka ships no types
        """Return the next batch, or None."""
        raw = self._next_slice
        batch = super().next_batch()
        return None if batch is None else _FallbackBatch(batch, raw)


def read_leniently() -> None:
    """Patch aiokafka, for every consumer of this process."""
    fetcher.MemoryRecords = LenientRecords
