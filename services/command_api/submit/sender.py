"""The sender: presses on their way to the log, in order, in batches, each with its fate before a deadline.

    QUEUED --- handed over ---> SENT --- ack ---------------------------> Acked
      |                          +------ error, or its time is up ------> Unacked, fate_unknown
      +------- its time is up, or it does not encode -------------------> Unacked, not_sent

A record is in one of these states from `send` until its fate is reported, once. A record that `send` itself refuses
(`overloaded`, `closing`) has no state. The lane of each partition is drawn at `_Lane`.

All sends of one event-loop tick go out in one batch per partition. One batch per partition is in flight, and the sends
that come meanwhile are the next, because aiokafka does not promise the order of two batches of one partition.
One callback hands over the batches of all partitions, and each ack is a callback of its own future: there is no task
for a partition, because a tick's presses lie on most of them.
With care: everything. A send of unknown fate is never cancelled and never repeated.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import structlog

from shared.events.value import value
from shared.kafka.clients import LOG_APPEND_TIME, AIOKafkaProducer
from shared.kafka.kept_producer import KeptProducer
from shared.process.ending import ended_within
from shared.process.logs import loggable

Header = tuple[str, bytes]

_RECORD_OVERHEAD_BYTES: Final = 100


@value
class Acked:
    """The log has the record. `log_time_ms` is the broker's time, None when it gave none; `offset` -1: unknown."""

    offset: int
    log_time_ms: int | None


@value
class Unacked:
    """No ack. `why`: `overloaded`, `not_sent`, `closing` (surely not on the log), or `fate_unknown`."""

    why: str


OnFate = Callable[[Acked | Unacked], None]
# Called with the times of each acked batch, in milliseconds: the broker's, ours at the send, ours at the ack.
AckTimes = Callable[[int, int, int], None]


class _Record:
    """One record until its fate is known. `on_fate` is called once, and then None."""

    __slots__ = ("give_up_at", "headers", "key", "on_fate", "sent", "size", "value")

    def __init__(self, key: bytes, value: bytes, headers: list[Header], on_fate: OnFate, give_up_at: float) -> None:
        self.key = key
        self.value = value
        self.headers = headers
        self.on_fate: OnFate | None = on_fate
        self.give_up_at = give_up_at
        self.sent = False
        self.size = len(key) + len(value) + sum(len(header) for _, header in headers) + _RECORD_OVERHEAD_BYTES


class _Flight:
    """A batch that was handed over, until its fate is known or it is given up."""

    __slots__ = ("producer", "records", "sent_at", "sent_ms")

    def __init__(self, producer: AIOKafkaProducer, records: list[_Record], sent_at: float) -> None:
        self.producer = producer
        self.records = records
        self.sent_at = sent_at
        self.sent_ms = time.time_ns() // 1_000_000


class _Lane:
    """One partition of one topic: its queue, and the batch that is in flight.

        IDLE --- send ---> DUE (until the next tick, or until a producer is there) ---> IN FLIGHT
         ^                  ^                                                            |
         |                  +-------- acked, failed or stalled, more queued -------------+
         +--------------------------- acked, failed or stalled, none queued -------------+

    acked       each record's fate is Acked, with its offset
    failed      the producer raised: each record's fate is `fate_unknown`, and the producer is replaced
    stalled     no ack for `stalled_after_seconds`: as failed, and a later ack is ignored
    overdue     a record's own deadline moves no lane: queued, its fate is `not_sent` and it is never sent; in flight,
                its fate is `fate_unknown`, and the batch is waited for

    Never: two batches in flight, a record sent twice, a fate reported twice.
    """

    __slots__ = ("flight", "partition", "queue", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.queue: deque[_Record] = deque()
        self.flight: _Flight | None = None


class Sender:
    """Sends records and reports the fate of each within `publish_within_seconds` and one sweep."""

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
        # Records whose fate is not reported yet, oldest first. All have the same time, so the first expires first.
        self._pending: dict[_Record, None] = {}
        self._unacked_records = 0
        self._unacked_bytes = 0
        # Lanes with a queue and nothing in flight, in the order in which they became so.
        self._due: dict[_Lane, None] = {}
        self._woken = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._idle: asyncio.Event = asyncio.Event()
        self._log = structlog.get_logger()

    @property
    def partitions(self) -> dict[str, int]:
        """How many partitions each topic has; empty until the broker was reached."""
        return self._kept.partitions

    @property
    def fine(self) -> bool:
        """Whether a press sent now can be expected to be acked in time."""
        late = self._loop.time() - self._publish_within_seconds
        return self._kept.there and all(
            lane.flight is None or lane.flight.sent_at > late for lane in self._lanes.values()
        )

    @property
    def unacked_records(self) -> int:
        """How many records are on their way, also those that were given up and may still land."""
        return self._unacked_records

    @property
    def unacked_bytes(self) -> int:
        """The same in bytes."""
        return self._unacked_bytes

    def send(
        self, topic: str, partition: int, key: bytes, value: bytes, headers: list[Header], on_fate: OnFate
    ) -> None:
        """Queue one record. `on_fate` is called exactly once, perhaps before this returns."""
        if self._closing:
            on_fate(Unacked("closing"))
            return
        record = _Record(key, value, headers, on_fate, self._loop.time() + self._publish_within_seconds)
        if self._unacked_records >= self._records_max or self._unacked_bytes + record.size > self._bytes_max:
            on_fate(Unacked("overloaded"))
            return
        self._unacked_records += 1
        self._unacked_bytes += record.size
        self._pending[record] = None
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = _Lane(topic, partition)
        lane.queue.append(record)
        if lane.flight is None:
            self._is_due(lane)

    def sweep(self, now: float) -> None:
        """Report the fate of overdue records, and replace a producer whose batch has expired without an ack."""
        overdue = []
        for record in self._pending:
            if record.give_up_at > now:
                break
            overdue.append(record)
        if overdue:
            sent = sum(record.sent for record in overdue)
            self._log.warning("acks_overdue", fate_unknown=sent, not_sent=len(overdue) - sent)
        for record in overdue:
            # A record that was not handed over never will be, so its caller may safely retry.
            self._report(record, Unacked("fate_unknown" if record.sent else "not_sent"))
        for lane in self._lanes.values():
            if (flight := lane.flight) is not None and now - flight.sent_at > self._stalled_after_seconds:
                self._failed(lane, flight, "stalled")

    async def close(self, grace_seconds: float) -> None:
        """Take no more sends, and wait for those on their way, at most `grace_seconds`."""
        self._closing = True
        if not self._is_idle():
            await ended_within(grace_seconds, self._idle.wait(), "sends")
        for record in list(self._pending):
            self._report(record, Unacked("fate_unknown" if record.sent else "not_sent"))

    def _is_due(self, lane: _Lane) -> None:
        self._due[lane] = None
        if not self._woken:
            # In the next tick, so that the batches have all sends of this tick.
            self._woken = True
            self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        self._woken = False
        producer = self._kept.current
        if producer is None:
            self._woken = True
            self._run(self._wake_with_a_producer())
            return
        due, self._due = self._due, {}
        for lane in due:
            records, batch = self._fill(lane, producer)
            if records:
                self._ship(lane, producer, batch, records)
        self._look_whether_idle()

    async def _wake_with_a_producer(self) -> None:
        await self._kept.get()
        self._wake()

    def _fill(self, lane: _Lane, producer: AIOKafkaProducer) -> tuple[list[_Record], Any]:
        batch = producer.create_batch()
        records: list[_Record] = []
        while lane.queue:
            record = lane.queue[0]
            if record.on_fate is None:  # given up before it was sent
                self._forget([lane.queue.popleft()])
                continue
            try:
                fits = batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
            except Exception:  # noqa: BLE001 - a bug in one record must not stop its lane
                self._log.exception("record_unsendable", topic=lane.topic)
                self._report(record, Unacked("not_sent"))
                continue
            if fits is None:
                break  # full: the rest is the next batch
            lane.queue.popleft()
            records.append(record)
        batch.close()
        return records, batch

    def _ship(self, lane: _Lane, producer: AIOKafkaProducer, batch: Any, records: list[_Record]) -> None:  # noqa: ANN401 - aiokafka has no types
        for record in records:
            record.sent = True
        lane.flight = flight = _Flight(producer, records, self._loop.time())
        sending = producer.hand_over(batch, lane.topic, lane.partition)
        if sending is None:
            self._run(self._hand_over_late(lane, flight, batch))
        else:
            sending.add_done_callback(partial(self._landed, lane, flight))

    async def _hand_over_late(self, lane: _Lane, flight: _Flight, batch: Any) -> None:  # noqa: ANN401 - as above
        try:
            # Handing over waits only if metadata was lost. Until it returns, nothing is on its way.
            async with asyncio.timeout(self._publish_within_seconds):
                sending = await flight.producer.send_batch(batch, lane.topic, partition=lane.partition)
        except Exception as error:  # noqa: BLE001 - this producer's sequence has a gap now
            self._failed(lane, flight, loggable(error))
        else:
            sending.add_done_callback(partial(self._landed, lane, flight))

    def _landed(self, lane: _Lane, flight: _Flight, sending: "asyncio.Future[Any]") -> None:
        error = ConnectionError("cancelled") if sending.cancelled() else sending.exception()
        if lane.flight is not flight:  # given up as stalled
            return
        if error is not None:
            self._failed(lane, flight, loggable(error))
        else:
            self._acked(flight.records, sending.result(), flight.sent_ms)
            self._free(lane, flight)

    def _failed(self, lane: _Lane, flight: _Flight, why: str) -> None:
        self._kept.broken(flight.producer, why)
        for record in flight.records:
            self._report(record, Unacked("fate_unknown"))
        self._free(lane, flight)

    def _free(self, lane: _Lane, flight: _Flight) -> None:
        lane.flight = None
        self._forget(flight.records)
        if lane.queue:
            self._is_due(lane)
        self._look_whether_idle()

    def _acked(self, records: list[_Record], metadata: Any, sent_ms: int) -> None:  # noqa: ANN401 - as above
        # aiokafka gives our own time when the broker gave none, and offset -1 when the broker no longer knows.
        log_time_ms = (
            metadata.timestamp if metadata.timestamp_type == LOG_APPEND_TIME and metadata.offset >= 0 else None
        )
        if log_time_ms is not None:
            self._ack_times(log_time_ms, sent_ms, time.time_ns() // 1_000_000)
        for index, record in enumerate(records):
            self._report(record, Acked(metadata.offset + index if metadata.offset >= 0 else -1, log_time_ms))

    def _report(self, record: _Record, fate: Acked | Unacked) -> None:
        on_fate, record.on_fate = record.on_fate, None
        if on_fate is None:
            return
        del self._pending[record]
        try:
            on_fate(fate)
        except Exception:  # noqa: BLE001 - a bug in one callback must not cost the others their answers
            self._log.exception("told_failed")

    def _forget(self, records: list[_Record]) -> None:
        self._unacked_records -= len(records)
        self._unacked_bytes -= sum(record.size for record in records)

    def _is_idle(self) -> bool:
        return all(lane.flight is None and not lane.queue for lane in self._lanes.values())

    def _look_whether_idle(self) -> None:
        if self._closing and self._is_idle():
            self._idle.set()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def send_and_wait(
    sender: Sender, topic: str, partition: int, key: bytes, value: bytes, headers: list[Header]
) -> Acked | Unacked:
    """Send one record and return its fate."""
    fate: asyncio.Future[Acked | Unacked] = asyncio.get_running_loop().create_future()

    def resolve(known: Acked | Unacked) -> None:
        if not fate.done():  # its caller may have gone
            fate.set_result(known)

    sender.send(topic, partition, key, value, headers, resolve)
    return await fate
