"""The sender: presses on their way to the log, in order, in batches, each with its fate before a deadline.

All sends of one event-loop tick go out in one batch per partition. One batch per partition is in flight, and the sends
that come meanwhile are the next, because aiokafka does not promise the order of two batches of one partition.
With care: everything. A send of unknown fate is never cancelled and never repeated.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from shared.kafka.clients import AIOKafkaProducer
from shared.kafka.kept_producer import KeptProducer
from shared.process.ending import ended_within
from shared.process.logs import told

Header = tuple[str, bytes]

_BROKERS_TIME: Final = 1
_RECORD_OVERHEAD_BYTES: Final = 100


@dataclass(frozen=True, slots=True)
class Acked:
    """The log has the record. `log_time_ms` is the broker's time, None when it gave none; `offset` -1: unknown."""

    offset: int
    log_time_ms: int | None


@dataclass(frozen=True, slots=True)
class Unacked:
    """No ack. `why`: `overloaded`, `not_sent`, `closing` (surely not on the log), or `fate_unknown`."""

    why: str


OnFate = Callable[[Acked | Unacked], None]
# Called with the times of each acked batch, in milliseconds: the broker's, ours at the send, ours at the ack.
AckTimes = Callable[[int, int, int], None]


class _Record:
    """One record until its fate is told. `told` is called once, and then None."""

    __slots__ = ("give_up_at", "headers", "key", "sent", "size", "told", "value")

    def __init__(self, key: bytes, value: bytes, headers: list[Header], told: OnFate, give_up_at: float) -> None:
        self.key = key
        self.value = value
        self.headers = headers
        self.told: OnFate | None = told
        self.give_up_at = give_up_at
        self.sent = False
        self.size = len(key) + len(value) + sum(len(header) for _, header in headers) + _RECORD_OVERHEAD_BYTES


class _Lane:
    """One partition of one topic: its queue, and the batch that is in flight.

        IDLE --- send ---> FILLING (takes a producer, makes a batch) ---> IN FLIGHT
         ^                    ^                                              |
         |                    +---- acked, failed or stalled, more queued ---+
         +----------------------- acked, failed or stalled, none queued -----+

    acked       each record is told its offset
    failed      the producer raised: each record is told `fate_unknown`, and the producer is replaced
    stalled     no ack for `stalled_after_seconds`: as failed
    overdue     a record's own deadline moves no lane: queued, the record is told `not_sent` and never sent; in flight,
                it is told `fate_unknown`, and the batch is waited for

    Never: two batches in flight, a record sent twice, a fate told twice.
    """

    __slots__ = ("landed", "partition", "producer", "queue", "running", "sent_at", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.queue: deque[_Record] = deque()
        self.running = False
        self.landed: asyncio.Future[Any] | None = None
        self.producer: AIOKafkaProducer | None = None
        self.sent_at = 0.0


class Sender:
    """Sends records and tells the fate of each within `publish_within_seconds` and one sweep."""

    def __init__(
        self,
        kept: KeptProducer,
        *,
        publish_within_seconds: float,
        stalled_after_seconds: float,
        records_max: int,
        bytes_max: int,
        ack_times: AckTimes,
    ) -> None:
        self._kept = kept
        self._publish_within_seconds = publish_within_seconds
        self._stalled_after_seconds = stalled_after_seconds
        self._records_max = records_max
        self._bytes_max = bytes_max
        self._ack_times = ack_times
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[tuple[str, int], _Lane] = {}
        # Records whose fate is not told yet, oldest first. All have the same time, so the first expires first.
        self._untold: dict[_Record, None] = {}
        self._unacked_records = 0
        self._unacked_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._log = structlog.get_logger()

    @property
    def partitions(self) -> dict[str, int]:
        """How many partitions each topic has; empty until the broker was reached."""
        return self._kept.partitions

    @property
    def fine(self) -> bool:
        """Whether a press sent now can be expected to be acked in time."""
        late = self._loop.time() - self._publish_within_seconds
        return self._kept.there and all(lane.landed is None or lane.sent_at > late for lane in self._lanes.values())

    @property
    def unacked_records(self) -> int:
        """How many records are on their way, also those that were given up and may still land."""
        return self._unacked_records

    @property
    def unacked_bytes(self) -> int:
        """The same in bytes."""
        return self._unacked_bytes

    def send(self, topic: str, partition: int, key: bytes, value: bytes, headers: list[Header], told: OnFate) -> None:
        """Queue one record. `told` is called exactly once, perhaps before this returns."""
        if self._closing:
            told(Unacked("closing"))
            return
        record = _Record(key, value, headers, told, self._loop.time() + self._publish_within_seconds)
        if self._unacked_records >= self._records_max or self._unacked_bytes + record.size > self._bytes_max:
            told(Unacked("overloaded"))
            return
        self._unacked_records += 1
        self._unacked_bytes += record.size
        self._untold[record] = None
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = _Lane(topic, partition)
        lane.queue.append(record)
        if not lane.running:
            # The task starts in the next tick, so its first batch has all sends of this tick.
            lane.running = True
            task = self._loop.create_task(self._drain(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def sweep(self, now: float) -> None:
        """Tell the fate of overdue records, and replace a producer whose batch has expired without an ack."""
        overdue = []
        for record in self._untold:
            if record.give_up_at > now:
                break
            overdue.append(record)
        if overdue:
            sent = sum(record.sent for record in overdue)
            self._log.warning("acks_overdue", fate_unknown=sent, not_sent=len(overdue) - sent)
        for record in overdue:
            # A record that was not handed over never will be, so its caller may safely retry.
            self._tell(record, Unacked("fate_unknown" if record.sent else "not_sent"))
        for lane in self._lanes.values():
            if lane.landed is not None and now - lane.sent_at > self._stalled_after_seconds and not lane.landed.done():
                self._kept.broken(lane.producer, "stalled")
                lane.landed.set_exception(TimeoutError("stalled"))

    async def close(self, grace_seconds: float) -> None:
        """Take no more sends, and wait for those on their way, at most `grace_seconds`."""
        self._closing = True
        if self._tasks:
            await ended_within(grace_seconds, asyncio.wait(self._tasks), "sends")
        for record in list(self._untold):
            self._tell(record, Unacked("fate_unknown" if record.sent else "not_sent"))

    async def _drain(self, lane: _Lane) -> None:
        try:
            while lane.queue:
                producer = await self._kept.get()
                records, batch = self._fill(lane, producer)
                if records:
                    await self._ship(lane, producer, batch, records)
        finally:
            # No await since the queue was empty, so no record was queued in between.
            lane.running = False

    def _fill(self, lane: _Lane, producer: AIOKafkaProducer) -> tuple[list[_Record], Any]:
        batch = producer.create_batch()
        records: list[_Record] = []
        while lane.queue:
            record = lane.queue[0]
            if record.told is None:  # given up before it was sent
                self._landed([lane.queue.popleft()])
                continue
            try:
                fits = batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
            except Exception:  # noqa: BLE001 - a bug in one record must not stop its lane
                self._log.exception("record_unsendable", topic=lane.topic)
                self._tell(record, Unacked("not_sent"))
                continue
            if fits is None:
                break  # full: the rest is the next batch
            lane.queue.popleft()
            records.append(record)
        batch.close()
        return records, batch

    async def _ship(self, lane: _Lane, producer: AIOKafkaProducer, batch: Any, records: list[_Record]) -> None:  # noqa: ANN401 - aiokafka has no types
        for record in records:
            record.sent = True
        sent_ms = time.time_ns() // 1_000_000
        lane.landed, lane.producer, lane.sent_at = self._loop.create_future(), producer, self._loop.time()
        try:
            # Handing over waits only if metadata was lost. Until it returns, nothing is on its way.
            async with asyncio.timeout(self._publish_within_seconds):
                sending = await producer.send_batch(batch, lane.topic, partition=lane.partition)
            sending.add_done_callback(_lands_in(lane.landed))
            metadata = await lane.landed
        except Exception as error:  # noqa: BLE001 - this producer's sequence has a gap now
            self._kept.broken(producer, told(error))
            for record in records:
                self._tell(record, Unacked("fate_unknown"))
        else:
            self._acked(records, metadata, sent_ms)
        finally:
            lane.landed = lane.producer = None
            self._landed(records)

    def _acked(self, records: list[_Record], metadata: Any, sent_ms: int) -> None:  # noqa: ANN401 - as above
        # aiokafka gives our own time when the broker gave none, and offset -1 when the broker no longer knows.
        log_time_ms = metadata.timestamp if metadata.timestamp_type == _BROKERS_TIME and metadata.offset >= 0 else None
        if log_time_ms is not None:
            self._ack_times(log_time_ms, sent_ms, time.time_ns() // 1_000_000)
        for index, record in enumerate(records):
            self._tell(record, Acked(metadata.offset + index if metadata.offset >= 0 else -1, log_time_ms))

    def _tell(self, record: _Record, fate: Acked | Unacked) -> None:
        told, record.told = record.told, None
        if told is None:
            return
        del self._untold[record]
        try:
            told(fate)
        except Exception:  # noqa: BLE001 - a bug in one callback must not cost the others their answers
            self._log.exception("told_failed")

    def _landed(self, records: list[_Record]) -> None:
        self._unacked_records -= len(records)
        self._unacked_bytes -= sum(record.size for record in records)


def _lands_in(landed: "asyncio.Future[Any]") -> Callable[["asyncio.Future[Any]"], None]:
    def land(sending: "asyncio.Future[Any]") -> None:
        error = None if sending.cancelled() else sending.exception()
        if landed.done():  # given up as stalled
            return
        if sending.cancelled():
            landed.set_exception(ConnectionError("cancelled"))
        elif error is not None:
            landed.set_exception(error)
        else:
            landed.set_result(sending.result())

    return land
