"""The feed: an offset is committed when all of its round is settled, and never otherwise."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import structlog

from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.inbox.feed import CommandsFeed
from shared.events.topics import COMMANDS
from shared.kafka.clients import ConsumerRecord, KafkaAddress, KafkaError, TopicPartition
from tests.unit.command_api.fakes import ticks

# Who wrote the time of a record, as Kafka numbers it: CreateTime and LogAppendTime.
_BY_A_PRODUCER, _BY_THE_BROKER = 0, 1


@dataclass
class Consumer:
    """Keeps what is committed. `mine`: the partitions that the group gave it; `fails`: its commits do."""

    mine: tuple[int, ...] = (0, 1)
    fails: Exception | None = None
    committed: list[dict[int, int]] = field(default_factory=list)

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(COMMANDS, partition) for partition in self.mine}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.fails is not None:
            raise self.fails
        self.committed.append({tp.partition: offset for tp, offset in offsets.items()})


@dataclass
class Takes:
    """Takes commands when the test says so."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    bug: Exception | None = None
    taken: list[CommandRecord] = field(default_factory=list)

    async def take(self, record: CommandRecord, *, patient: bool) -> bool:
        await self.may.wait()
        if self.bug is not None:
            raise self.bug
        self.taken.append(record)
        return patient


def feed(takes: Takes) -> CommandsFeed:
    address = KafkaAddress(bootstrap_servers="nowhere:1")
    return CommandsFeed(address, "g", session_timeout_ms=6000, at_once=10, take=takes.take)


def records(*places: tuple[int, int]) -> list[ConsumerRecord]:
    return [
        ConsumerRecord(COMMANDS, partition, offset, 0, 0, b"k", b"{}", None, 1, 2, [("n", None)])
        for partition, offset in places
    ]


def taking(one: CommandsFeed, consumer: Any, *places: tuple[int, int]) -> "asyncio.Task[None]":  # noqa: ANN401 - a stand-in
    return asyncio.create_task(one._take_round(consumer, records(*places)))


async def test_a_round_is_committed_after_all_of_it_is_settled() -> None:
    takes, consumer = Takes(), Consumer()
    round_ = taking(feed(takes), consumer, (0, 4), (0, 5), (1, 9))
    await ticks()
    assert consumer.committed == []
    takes.may.set()
    await round_
    assert consumer.committed == [{0: 6, 1: 10}]
    taken = takes.taken[0]
    assert taken == CommandRecord(0, 4, b"k", b"{}", [("n", None)], taken.written_at)


async def test_a_command_has_the_time_that_its_broker_wrote() -> None:
    """One that is read again has the same, however long after."""
    written_at = await _written_at(1_772_352_000_123, _BY_THE_BROKER)
    assert written_at == datetime(2026, 3, 1, 8, 0, 0, 123_000, UTC)


@pytest.mark.parametrize(
    ("timestamp", "off"),
    [(-1, timedelta(days=-8)), (0, timedelta(days=-8)), ((1 << 63) - 1, timedelta(minutes=5))],
)
async def test_the_time_that_a_producer_wrote_is_held_to_what_a_topic_can_have(timestamp: int, off: timedelta) -> None:
    """Else a start that is dated 2020 would be taken from a record of 1970, and none from one of the year 9999."""
    before = datetime.now(UTC)
    written_at = await _written_at(timestamp, _BY_A_PRODUCER)
    assert before <= written_at - off <= datetime.now(UTC)


@pytest.mark.parametrize("timestamp", [-1, (1 << 63) - 1])
async def test_a_command_is_taken_whatever_its_record_says_of_the_time(timestamp: int) -> None:
    """No command may hold its partition up."""
    assert (await _written_at(timestamp, _BY_THE_BROKER)).year in {1970, 9999}


async def _written_at(timestamp: int, timestamp_type: int) -> datetime:
    takes = Takes()
    takes.may.set()
    [record] = records((0, 4))
    told = replace(record, timestamp=timestamp, timestamp_type=timestamp_type)
    await feed(takes)._take_round(cast("Any", Consumer()), [told])
    [taken] = takes.taken
    return taken.written_at


async def test_a_round_that_is_cut_off_is_not_committed() -> None:
    takes, consumer = Takes(), Consumer()
    round_ = taking(feed(takes), consumer, (0, 4))
    await ticks()
    round_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await round_
    assert consumer.committed == []


async def test_after_a_round_that_failed_nothing_is_taken_or_committed_until_it_is_read_again() -> None:
    takes, consumer = Takes(bug=TypeError("a bug")), Consumer()
    takes.may.set()
    one = feed(takes)
    with structlog.testing.capture_logs() as logs:
        await taking(one, consumer, (0, 4))
    assert [line["event"] for line in logs] == ["commands_round_failed"]
    takes.bug = None
    await taking(one, consumer, (0, 5))
    assert (takes.taken, consumer.committed) == ([], [])
    one._broker()  # the next consumer
    await taking(one, consumer, (0, 4), (0, 5))
    assert consumer.committed == [{0: 6}]


async def test_what_another_api_has_by_now_is_not_committed() -> None:
    takes, consumer = Takes(), Consumer(mine=(1,))
    takes.may.set()
    await taking(feed(takes), consumer, (0, 4), (1, 9))
    assert consumer.committed == [{1: 10}]


@pytest.mark.parametrize("error", [KafkaError("rebalancing"), TimeoutError()])
async def test_a_commit_that_fails_is_said_and_the_next_round_goes_on(error: Exception) -> None:
    """What was not committed is read again some day, and is known then."""
    takes, consumer = Takes(), Consumer(fails=error)
    takes.may.set()
    one = feed(takes)
    with structlog.testing.capture_logs() as logs:
        await taking(one, consumer, (0, 4))
    assert [line["event"] for line in logs] == ["commands_not_committed"]
    consumer.fails = None
    await taking(one, consumer, (0, 5))
    assert consumer.committed == [{0: 6}]


@dataclass
class Behind(Consumer):
    """A consumer whose partitions end at 1000, and stand at the next of `positions` at each look."""

    mine: tuple[int, ...] = (0,)
    positions: list[int] = field(default_factory=list)

    async def end_offsets(self, mine: set[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(mine, 1000)

    async def position(self, _: TopicPartition) -> int:
        if not self.positions:
            raise EOFError
        return self.positions.pop(0)


async def test_a_consumer_that_moves_is_kept_and_one_that_stands_still_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many looks its way takes: each new consumer costs the group a rebalance."""
    monkeypatch.setattr("services.command_api.inbox.feed._LOOK_EVERY_SECONDS", 0)
    with pytest.raises(EOFError):
        await feed(Takes())._watch(cast("Any", Behind(positions=list(range(0, 900, 20)))))
    with pytest.raises(EOFError):
        await feed(Takes())._watch(cast("Any", Behind(positions=[1000] * 9)))
    with pytest.raises(ConnectionError, match="partition 0 stalled at 20"):
        await feed(Takes())._watch(cast("Any", Behind(positions=[0, 20, 20, 40])))
