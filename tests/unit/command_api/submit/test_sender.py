"""The sender: order, batches, fates and bounds, over a producer that answers when the test says so."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.command_api.submit.sender import Acked, Sender, Unacked
from shared.kafka.kept_producer import KeptProducer
from tests.unit.command_api.fakes import LOG_TIME_MS, FakeProducer, ticks

TOPIC = "events"


@dataclass
class Wired:
    sender: Sender
    producers: list[FakeProducer]
    fates: dict[bytes, list[Acked | Unacked]] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)

    @property
    def producer(self) -> FakeProducer:
        return self.producers[-1]

    def send(self, *values: bytes, partition: int = 0) -> None:
        for value in values:
            fates = self.fates.setdefault(value, [])
            self.sender.send(TOPIC, partition, b"key", value, [("ce_id", b"1")], fates.append)

    def producer_is_broken(self) -> None:
        self.sender._kept.broken(self.producer, "a test")

    def fine(self) -> bool:
        return self.sender.fine

    @property
    def batches(self) -> list[list[bytes]]:
        return [sent.values for sent in self.producer.sent]


@asynccontextmanager
async def wired(
    room: int = 100, records_max: int = 100, bytes_max: int = 100_000, make: Callable[[], FakeProducer] | None = None
) -> AsyncIterator[Wired]:
    producers: list[FakeProducer] = []
    times: list[int] = []

    def made() -> FakeProducer:
        producers.append(FakeProducer(room) if make is None else make())
        return producers[-1]

    kept = KeptProducer(made, [TOPIC])
    keeping = asyncio.create_task(kept.run())
    sender = Sender(
        kept,
        publish_within_seconds=5.0,
        stalled_after_seconds=30.0,
        records_max=records_max,
        bytes_max=bytes_max,
        ack_times=lambda log_time_ms, *_: times.append(log_time_ms),
    )
    await ticks()
    try:
        yield Wired(sender, producers, times=times)
    finally:
        keeping.cancel()
        for producer in producers:
            for sent in producer.sent:
                if not sent.future.done():
                    sent.future.cancel()
        await ticks()


def later(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_the_sends_of_one_tick_are_one_batch_per_partition() -> None:
    async with wired() as it:
        it.send(b"a", b"b", b"c")
        it.send(b"x", partition=1)
        await ticks()
        assert it.batches == [[b"a", b"b", b"c"], [b"x"]]


async def test_each_record_hears_its_own_offset_and_the_brokers_time() -> None:
    async with wired() as it:
        it.send(b"a", b"b")
        await ticks()
        it.producer.sent[0].ack(offset=41)
        await ticks()
        assert it.fates == {b"a": [Acked(41, LOG_TIME_MS)], b"b": [Acked(42, LOG_TIME_MS)]}
        assert it.times == [LOG_TIME_MS]


async def test_records_sent_during_a_batch_are_the_next_in_order() -> None:
    async with wired() as it:
        it.send(b"a")
        await ticks()
        for value in (b"b", b"c", b"d"):
            it.send(value)
            await ticks()
        assert it.batches == [[b"a"]]
        it.producer.sent[0].ack(offset=0)
        await ticks()
        assert it.batches == [[b"a"], [b"b", b"c", b"d"]]


async def test_a_full_batch_goes_and_the_rest_is_the_next() -> None:
    async with wired(room=2) as it:
        it.send(b"a", b"b", b"c")
        await ticks()
        assert it.batches == [[b"a", b"b"]]
        it.producer.sent[0].ack(offset=0)
        await ticks()
        assert it.batches == [[b"a", b"b"], [b"c"]]


async def test_a_busy_partition_does_not_hold_up_another() -> None:
    async with wired() as it:
        it.send(b"a")
        await ticks()
        it.send(b"b", partition=1)
        await ticks()
        assert it.batches == [[b"a"], [b"b"]]


async def test_an_ack_says_when_broker_time_or_offset_is_missing() -> None:
    async with wired() as it:
        it.send(b"a")
        await ticks()
        it.producer.sent[0].ack(offset=7, log_time_ms=123, timestamp_type=0)
        await ticks()
        it.send(b"b", b"c")
        await ticks()
        it.producer.sent[1].ack(offset=-1, log_time_ms=-1, timestamp_type=0)
        await ticks()
        assert it.fates == {b"a": [Acked(7, None)], b"b": [Acked(-1, None)], b"c": [Acked(-1, None)]}
        assert it.times == []


async def test_a_send_in_flight_at_the_deadline_has_unknown_fate() -> None:
    """A record that still waits for its batch then is never sent."""
    async with wired() as it:
        it.send(b"a")
        await ticks()
        it.send(b"b")
        await ticks()
        it.sender.sweep(later(4.9))
        assert it.fates == {b"a": [], b"b": []}
        it.sender.sweep(later(5.1))
        assert it.fates == {b"a": [Unacked("fate_unknown")], b"b": [Unacked("not_sent")]}
        it.producer.sent[0].ack(offset=0)
        await ticks()
        # The late ack changes nothing, and the record that was reported as "not sent" is never sent.
        assert it.fates == {b"a": [Unacked("fate_unknown")], b"b": [Unacked("not_sent")]}
        assert it.batches == [[b"a"]]


async def test_a_producer_whose_batch_failed_is_replaced() -> None:
    """The next records go to the new one."""
    async with wired() as it:
        it.send(b"a")
        await ticks()
        it.send(b"b")
        assert it.fine()
        it.producer.sent[0].future.set_exception(RuntimeError("OutOfOrderSequenceNumber"))
        await ticks()
        assert it.fates[b"a"] == [Unacked("fate_unknown")]
        assert not it.fine()
        await asyncio.sleep(0.6)  # the pause between two producers
        assert len(it.producers) == 2
        assert it.producers[0].stopped
        assert it.batches == [[b"b"]]
        assert it.fine()


async def test_an_expired_batch_costs_its_producer_and_frees_the_lane() -> None:
    async with wired() as it:
        it.send(b"a")
        await ticks()
        assert it.fine()
        it.sender.sweep(later(31))
        await ticks()
        assert it.fates[b"a"] == [Unacked("fate_unknown")]
        await asyncio.sleep(0.6)
        it.send(b"b")
        await ticks()
        assert it.batches == [[b"b"]]
        # The old producer may still write it. No task waits for that, and nothing breaks.
        it.producers[0].sent[0].ack(offset=0)
        await ticks()
        assert it.fates[b"a"] == [Unacked("fate_unknown")]


async def test_a_send_beyond_the_bounds_is_refused_at_once() -> None:
    async with wired(records_max=2) as it:
        it.send(b"a", b"b", b"c")
        assert it.fates[b"c"] == [Unacked("overloaded")]
        await ticks()
        it.producer.sent[0].ack(offset=0)
        await ticks()
        it.send(b"d")
        assert it.fates[b"d"] == []
    async with wired(bytes_max=400) as it:
        it.send(b"a" * 250, b"b" * 250)
        assert it.fates[b"b" * 250] == [Unacked("overloaded")]


async def test_a_record_given_up_counts_until_it_has_landed() -> None:
    async with wired(records_max=1) as it:
        it.send(b"a")
        await ticks()
        it.sender.sweep(later(6))
        it.send(b"b")
        assert it.fates[b"b"] == [Unacked("overloaded")]
        it.producer.sent[0].ack(offset=0)
        await ticks()
        it.send(b"c")
        assert it.fates[b"c"] == []


async def test_one_record_that_cannot_be_written_does_not_stop_its_lane() -> None:
    async with wired() as it:
        it.send(b"a", b"poison", b"b")
        await ticks()
        assert it.fates[b"poison"] == [Unacked("not_sent")]
        assert it.batches == [[b"a", b"b"]]


async def test_a_listener_that_raises_does_not_disturb_its_neighbours() -> None:
    def raising(_: Acked | Unacked) -> None:
        raise RuntimeError("a bug")

    async with wired() as it:
        it.sender.send(TOPIC, 0, b"key", b"a", [], raising)
        it.send(b"b")
        await ticks()
        it.producer.sent[0].ack(offset=0)
        await ticks()
        assert it.fates[b"b"] == [Acked(1, LOG_TIME_MS)]
        it.send(b"c")
        await ticks()
        assert it.batches[1:] == [[b"c"]]


async def test_a_closing_sender_takes_nothing_more_and_awaits_its_acks() -> None:
    async with wired() as it:
        it.send(b"a")
        await ticks()
        closing = asyncio.create_task(it.sender.close(grace_seconds=5))
        await ticks()
        it.send(b"b")
        assert it.fates[b"b"] == [Unacked("closing")]
        it.producer.sent[0].ack(offset=3)
        await closing
        assert it.fates[b"a"] == [Acked(3, LOG_TIME_MS)]


async def test_an_end_whose_grace_is_over_tells_everybody() -> None:
    async with wired() as it:
        it.send(b"a")
        await ticks()
        it.send(b"b")
        await it.sender.close(grace_seconds=0.05)
        assert it.fates == {b"a": [Unacked("fate_unknown")], b"b": [Unacked("not_sent")]}


async def test_a_producer_that_has_to_wait_is_waited_for_apart() -> None:
    """It has lost its metadata: its partition waits, another goes, and what comes meanwhile is the next batch."""
    async with wired() as it:
        it.producer.lost = True
        it.send(b"a")
        await ticks(2)
        it.send(b"b")
        it.send(b"x", partition=1)
        await ticks()
        assert sorted(it.batches) == [[b"a"], [b"x"]]
        for sent in tuple(it.producer.sent):
            sent.ack(offset=0)
        await ticks()
        assert it.batches[-1] == [b"b"]
        assert it.fates[b"a"] == [Acked(0, LOG_TIME_MS)]


async def test_what_waits_for_a_producer_goes_to_the_next_in_one_batch() -> None:
    async with wired() as it:
        it.producer_is_broken()
        it.send(b"a")
        await ticks()
        it.send(b"b")
        it.send(b"x", partition=1)
        await asyncio.sleep(0.6)  # the pause between two producers
        assert it.batches == [[b"a", b"b"], [b"x"]]


async def test_an_end_waits_for_nothing_when_nothing_is_on_its_way() -> None:
    async with wired() as it:
        it.send(b"a")
        await ticks()
        it.producer.sent[0].ack(offset=0)
        await ticks()
        async with asyncio.timeout(1):
            await it.sender.close(grace_seconds=60)
