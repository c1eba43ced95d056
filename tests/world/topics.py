"""Topics in memory: what Kafka keeps. The broker's clock dates the presses, to the millisecond.

Where they differ from Kafka: there are no replicas, no compaction, no sizes and no producer ids. Retention happens only
when a test moves `begins`.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from services.projector.ports import ToPublish
from shared.events.envelope import Headers
from tests.support.proof.checkers.history import Logged, source_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One record of the events, as the product reads it and as the checkers do."""

    offset: int
    timestamp: int
    key: bytes | None
    headers: Headers
    value: bytes | None


class EventTopic:
    """`timer.events.v1`. Offsets have holes where a foreign transaction was committed or aborted."""

    def __init__(self, partitions: int, dated: Callable[[int], int], holes: Callable[[], int] = lambda: 0) -> None:
        self.records: list[list[EventRecord]] = [[] for _ in range(partitions)]
        # Where each partition begins, after retention has deleted its first records.
        self.begins = [0] * partitions
        self.holes_at_end = [0] * partitions
        self._dated = dated
        self._holes = holes
        self._listeners: list[Callable[[int], None]] = []

    def end(self, kpart: int) -> int:
        """Return the offset of the next record, unless it leaves a hole."""
        return _end(self.records[kpart]) + self.holes_at_end[kpart]

    def append(self, kpart: int, key: bytes | None, headers: Headers, value: bytes | None) -> EventRecord:
        """Append one record and return it."""
        offset = self.end(kpart) + self._holes()
        self.holes_at_end[kpart] = 0
        record = EventRecord(offset, self._dated(kpart), key, tuple(headers), value)
        self.records[kpart].append(record)
        for ring in self._listeners:
            ring(kpart)
        return record

    def restore(self, logged: Logged) -> None:
        """Put back a record that was there once."""
        timestamp = (logged.log_time - _EPOCH) // _MS if logged.log_time is not None else 0
        record = EventRecord(logged.offset, timestamp, logged.key, logged.headers, logged.value)
        self.records[logged.partition].append(record)

    def listen(self, ring: Callable[[int], None]) -> None:
        """Have `ring` called with the partition of each record that comes."""
        self._listeners.append(ring)

    def silence(self, ring: Callable[[int], None]) -> None:
        """Call `ring` no more."""
        if ring in self._listeners:
            self._listeners.remove(ring)


@dataclass(frozen=True, slots=True)
class Published:
    """One record of the judged stream: an outcome, or a foreign record."""

    offset: int
    key: bytes | None
    value: bytes | None


class OutcomeTopic:
    """`timer.outcomes.v1`, with holes like the events. `judged`: offsets of the events whose outcomes are on it."""

    def __init__(self, partitions: int, holes: Callable[[], int] = lambda: 0) -> None:
        self.records: list[list[Published]] = [[] for _ in range(partitions)]
        self.judged: list[set[int]] = [set() for _ in range(partitions)]
        self.holes_at_end = [0] * partitions
        self._holes = holes

    def end(self, kpart: int) -> int:
        """Return the offset of the next record, unless it leaves a hole."""
        return _end(self.records[kpart]) + self.holes_at_end[kpart]

    def append(self, kpart: int, outcomes: Sequence[ToPublish]) -> int:
        """Append in order and return the offset after the last."""
        for outcome in outcomes:
            self.put(kpart, outcome.key, outcome.body)
            self.judged[kpart].add(outcome.source_offset)
        return self.end(kpart)

    def put(self, kpart: int, key: bytes | None, value: bytes | None) -> None:
        """Append one record, whatever it is."""
        self.records[kpart].append(Published(self.end(kpart) + self._holes(), key, value))
        self.holes_at_end[kpart] = 0

    def restore(self, record: Logged) -> None:
        """Put back a record that was there once."""
        self.records[record.partition].append(Published(record.offset, record.key, record.value))
        if (source_offset := source_of(record.value)) is not None:
            self.judged[record.partition].add(source_offset)


def _end(records: Sequence[EventRecord] | Sequence[Published]) -> int:
    return records[-1].offset + 1 if records else 0


class PolicyTopic:
    """`timer.policies.v1`: revision is offset."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes | None, bytes | None, datetime]] = []

    def append(self, key: bytes | None, value: bytes | None, log_time: datetime) -> int:
        """Append one record and return its offset."""
        self.records.append((key, value, log_time))
        return len(self.records) - 1


class Bell:
    """Wakes a task that waits for a record, or for a time."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Wait for the bell, at most so long."""
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        timer = loop.call_later(seconds, self.ring)
        try:
            await self._waiting
        finally:
            timer.cancel()
