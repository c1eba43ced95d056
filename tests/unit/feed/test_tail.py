"""The tail: one consumer, replaced when it is lost or stuck, and a window that a log which went back ends."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from services.feed import tail as tails
from services.feed.tail import Tail
from services.feed.window.position import FeedPlace
from shared.events.topics import OUTCOMES, PARTITIONS_MAX
from shared.kafka.clients import ConsumerRecord, KafkaAddress, TopicPartition
from tests.support.story.judged import outcome_bytes


class FakeConsumer:
    """A consumer of a log in memory, as far as the tail uses one. `stuck`: it hands out nothing, without an error."""

    def __init__(self, log: "FakeLog") -> None:
        self._log = log
        self._at: dict[TopicPartition, int] = {}
        self._client = SimpleNamespace(fetch_all_metadata=self._metadata, close=self.stop)

    async def _metadata(self) -> Any:  # noqa: ANN401 - aiokafka's
        partitions = set(range(len(self._log.records)))
        return SimpleNamespace(partitions_for_topic=lambda _: partitions)

    async def start(self) -> None:
        if self._log.away:
            raise ConnectionError("away")

    async def stop(self) -> None:
        self._log.stopped += 1

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self._at = dict.fromkeys(partitions, 0)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._at[tp] = offset

    async def position(self, tp: TopicPartition) -> int:
        return self._at[tp]

    async def beginning_offsets(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(tps, 0)

    async def end_offsets(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: len(self._log.records[tp.partition]) for tp in tps}

    async def getmany(self, **_: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0.001)
        if self._log.stuck:
            return {}
        polled = {}
        for tp, at in self._at.items():
            records = self._log.records[tp.partition]
            if at > len(records):
                raise ConnectionError("out of range")
            if at < len(records):
                polled[tp] = [record_at(tp.partition, offset, records[offset]) for offset in range(at, len(records))]
                self._at[tp] = len(records)
        return polled


def record_at(partition: int, offset: int, value: bytes) -> Any:  # noqa: ANN401 - aiokafka ships no types
    return ConsumerRecord(OUTCOMES, partition, offset, offset, 0, None, value, None, 0, len(value), ())


class FakeLog:
    def __init__(self, partitions: int = 2) -> None:
        self.records: list[list[bytes]] = [[] for _ in range(partitions)]
        self.away = False
        self.stuck = False
        self.stopped = 0

    def write(self, partition: int, *values: bytes) -> None:
        self.records[partition] += values


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> FakeLog:
    log = FakeLog()
    monkeypatch.setattr(tails, "lone_consumer", lambda *_, **__: FakeConsumer(log))
    monkeypatch.setattr(tails, "_RETRY_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(tails, "_LOOK_EVERY_SECONDS", 0.02)
    return log


class Running:
    """A tail that runs until the test ends."""

    def __init__(self, outcomes_max: int = 100) -> None:
        self.tail = Tail(KafkaAddress(bootstrap_servers="nowhere"), bytes_max=1 << 30, outcomes_max=outcomes_max)

    async def __aenter__(self) -> Tail:
        self._task = asyncio.create_task(self.tail.run())
        return self.tail

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})


async def until_frontier(tail: Tail, *ends: int) -> None:
    async with asyncio.timeout(5):
        while tail.window is None or [place.next for place in tail.window.frontier] != list(ends):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_it_reads_the_past_and_then_what_comes(log: FakeLog) -> None:
    log.write(0, *[outcome_bytes(n) for n in range(5)])
    async with Running(outcomes_max=4) as tail:
        await until_frontier(tail, 5, 0)
        assert tail.window is not None
        assert (len(tail.window), tail.window.begin[0].next) == (4, 1)
        log.write(1, outcome_bytes(0))
        await until_frontier(tail, 5, 1)
        assert tail.reading


async def test_it_waits_for_a_topic_and_a_broker_that_are_not_there_yet(log: FakeLog) -> None:
    log.away, log.records = True, []
    with structlog.testing.capture_logs() as said:
        async with Running() as tail:
            await asyncio.sleep(0.05)
            assert not tail.reading
            log.away = False
            await asyncio.sleep(0.05)
            log.records = [[outcome_bytes(0)]]
            await until_frontier(tail, 1)
    assert [one["event"] for one in said if one["log_level"] == "error"] == ["feed_tail_lost", "feed_tail_lost"]


async def test_a_consumer_that_is_stuck_is_replaced_and_the_window_stays(log: FakeLog) -> None:
    async with Running() as tail:
        await until_frontier(tail, 0, 0)
        window, log.stuck = tail.window, True
        log.write(0, outcome_bytes(0))
        async with asyncio.timeout(5):
            while log.stopped == 0:  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(0.005)
        log.stuck = False
        await until_frontier(tail, 1, 0)
        assert tail.window is window


async def test_a_log_that_went_back_ends_the_window_and_another_is_filled(log: FakeLog) -> None:
    """Its positions mean nothing on the new log: streams end, and their readers hear 410."""
    log.write(0, outcome_bytes(0), outcome_bytes(1))
    with structlog.testing.capture_logs() as said:
        async with Running() as tail:
            await until_frontier(tail, 2, 0)
            old = tail.window
            assert old is not None
            log.records = [[outcome_bytes(7)], []]
            await until_frontier(tail, 1, 0)
            assert old.closed
            assert tail.window is not None
            assert tail.window.frontier == (FeedPlace(1, 8), FeedPlace(0, 0))
    assert "feed_log_went_back" in [one["event"] for one in said]


async def test_a_record_that_is_no_outcome_is_passed_with_an_alarm(log: FakeLog) -> None:
    with structlog.testing.capture_logs() as said:
        async with Running() as tail:
            await until_frontier(tail, 0, 0)
            log.write(0, outcome_bytes(0), b"strange", outcome_bytes(2))
            await until_frontier(tail, 3, 0)
            assert tail.window is not None
            assert len(tail.window) == 2
    assert [one["offset"] for one in said if one["event"] == "outcome_record_skipped"] == [1]


@pytest.mark.parametrize(("partitions", "says"), [(PARTITIONS_MAX, 0), (PARTITIONS_MAX + 1, 1)])
async def test_a_deployment_with_too_many_partitions_is_read_and_says_so(
    log: FakeLog, partitions: int, says: int
) -> None:
    """It was made before there was a bound, and P is for life. Its positions may be longer than a gateway takes."""
    log.records = [[] for _ in range(partitions)]
    with structlog.testing.capture_logs() as said:
        async with Running() as tail:
            await until_frontier(tail, *[0] * partitions)
    assert [one["partitions"] for one in said if one["event"] == "feed_positions_long"] == [partitions] * says
