"""One partition read with a request and its answer."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    KafkaConnectionError,
    NotLeaderForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    ReplicaNotAvailableError,
    TopicAuthorizationFailedError,
)
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition

from shared.kafka.quick_reading import QuickReader, fetch
from tests.support.fakes.in_hand import turns

PLACE = TopicPartition("timer.replies.v1", 3)


class Broker:
    """Stands in for a consumer and its client: answers each fetch with what the test has laid out."""

    def __init__(self, *answers: bytes | int | Exception, leader: int | None = 1) -> None:
        self.answers = list(answers)
        self.leader = leader
        self.asked: list[int] = []
        self.refreshed = 0
        self._client = self.cluster = self

    def leader_for_partition(self, place: TopicPartition) -> int | None:
        assert place == PLACE
        return self.leader

    def force_metadata_update(self) -> None:
        self.refreshed += 1

    async def send(self, node_id: int, request: Any) -> Any:  # noqa: ANN401 - aiokafka ships no types
        ((topic, ((partition, offset, _),)),) = request.topics
        assert (node_id, topic, partition) == (1, *PLACE)
        self.asked.append(offset)
        await asyncio.sleep(0)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        code, held = (answer, b"") if isinstance(answer, int) else (0, answer)
        return SimpleNamespace(topics=[(PLACE.topic, [(PLACE.partition, code, 99, 99, 0, [], -1, held)])])


def batch(*values: bytes, first: int = 0) -> bytes:
    """Return the bytes of one batch as they lie on the log from offset `first` on."""
    builder = DefaultRecordBatchBuilder(
        2, 0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=0, batch_size=1 << 20
    )
    for number, value in enumerate(values):
        builder.append(number, None, None, value, [])
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


async def read(broker: Broker, offset: int = 0) -> tuple[list[tuple[int, bytes]], int]:
    records, after = await fetch(broker, PLACE, offset, 500)
    return [(record.offset, record.value) for record in records], after


async def test_records_come_in_order_with_the_offset_after_them() -> None:
    broker = Broker(batch(b"a", b"b", first=7) + batch(b"c", first=9), b"")
    assert await read(broker, 7) == ([(7, b"a"), (8, b"b"), (9, b"c")], 10)
    assert await read(broker, 10) == ([], 10)
    assert broker.asked == [7, 10]


async def test_records_of_a_batch_before_the_offset_are_passed() -> None:
    """A broker answers with whole batches."""
    assert await read(Broker(batch(b"a", b"b", b"c", first=7)), 8) == ([(8, b"b"), (9, b"c")], 10)


@pytest.mark.parametrize("trouble", [KafkaConnectionError(), NotLeaderForPartitionError.errno])
async def test_a_broker_that_is_away_or_leads_no_more_is_asked_again_later(trouble: Exception | int) -> None:
    broker = Broker(trouble, batch(b"a", first=7))
    assert await read(broker, 7) == ([], 7)
    assert broker.refreshed == 1
    assert await read(broker, 7) == ([(7, b"a")], 8)


async def test_a_partition_without_a_leader_is_asked_for_later() -> None:
    broker = Broker(leader=-1)
    assert await read(broker, 7) == ([], 7)
    assert (broker.refreshed, broker.asked) == (1, [])


@pytest.mark.parametrize("error", [OffsetOutOfRangeError, TopicAuthorizationFailedError])
async def test_what_does_not_pass_by_itself_is_raised(error: Any) -> None:  # noqa: ANN401 - as above
    with pytest.raises(error):
        await read(Broker(error.errno))


async def test_a_record_that_does_not_fit_is_raised() -> None:
    with pytest.raises(RecordTooLargeError):
        await read(Broker(batch(b"a" * 100)[:50]))


class Members(Broker):
    """The same for a member of a group whose partitions have several leaders, and requests that the test answers."""

    def __init__(self, leaders: dict[int, int]) -> None:
        super().__init__()
        self._coordinator = self._subscription = self
        self.leaders = leaders
        self.requests: list[tuple[int, dict[int, int], asyncio.Future[list[Any]]]] = []
        self.polled = 0

    def check_errors(self) -> None: ...

    @contextmanager
    def fetch_context(self) -> Iterator[None]:
        yield
        self.polled += 1

    def leader_for_partition(self, place: TopicPartition) -> int | None:
        return self.leaders[place.partition]

    async def send(self, node_id: int, request: Any) -> Any:  # noqa: ANN401 - as above
        ((_, wanted),) = request.topics
        asked = {partition: offset for partition, offset, _ in wanted}
        self.requests.append((node_id, asked, asyncio.get_running_loop().create_future()))
        return SimpleNamespace(topics=[(PLACE.topic, await self.requests[-1][2])])

    @property
    def questions(self) -> list[tuple[int, dict[int, int]]]:
        return [(node_id, wanted) for node_id, wanted, _ in self.requests]

    def answer(self, nth: int, **held: bytes | int) -> None:
        """Answer a request: `p0=` and so on are the bytes of a partition, or its error; the others have nothing."""
        parts: list[Any] = []
        for partition in self.requests[nth][1]:
            what = held.get(f"p{partition}", b"")
            code, log = (what, b"") if isinstance(what, int) else (0, what)
            parts.append((partition, code, 99, 99, 0, [], -1, log))
        self.requests[nth][2].set_result(parts)


def reading(members: Members, **offsets: int) -> QuickReader:
    reader = QuickReader(members, PLACE.topic, 50)
    for partition, offset in offsets.items():
        reader.read_from(int(partition.removeprefix("p")), offset)
    return reader


async def polled(reader: QuickReader, within_seconds: float = 0.01) -> dict[int, list[tuple[int, bytes]]]:
    taken = await reader.poll(within_seconds)
    return {partition: [(record.offset, record.value) for record in records] for partition, records in taken.items()}


async def test_nothing_is_asked_while_the_loop_is_busy_with_what_came() -> None:
    """All that comes meanwhile is in the next answer. Asked for ahead, it would be what had come by then."""
    members = Members({0: 1, 1: 1})
    reader = reading(members, p0=7, p1=3)
    assert await polled(reader) == {}
    members.answer(0, p0=batch(b"a", first=7))
    assert await polled(reader) == {0: [(7, b"a")]}
    await turns()
    assert members.questions == [(1, {0: 7, 1: 3})]
    assert await polled(reader) == {}
    assert members.questions[1:] == [(1, {1: 3, 0: 8})]  # who has waited longest comes first


async def test_each_broker_is_asked_by_itself() -> None:
    members = Members({0: 1, 1: 2})
    reader = reading(members, p0=7, p1=3)
    await polled(reader)
    members.answer(1, p1=batch(b"b", first=3))
    assert await polled(reader) == {1: [(3, b"b")]}
    assert await polled(reader) == {}
    assert members.questions == [(1, {0: 7}), (2, {1: 3}), (2, {1: 4})]


@pytest.mark.parametrize("sought", [None, 5])
async def test_what_was_asked_before_a_hold_or_a_seek_is_dropped(sought: int | None) -> None:
    members = Members({0: 1, 1: 1})
    reader = reading(members, p0=7, p1=3)
    await polled(reader)
    reader.hold(0)
    if sought is not None:
        reader.read_from(0, sought)
    members.answer(0, p0=batch(b"a", first=7), p1=batch(b"b", first=3))
    assert await polled(reader) == {1: [(3, b"b")]}
    await polled(reader)
    assert members.questions[1] == (1, {1: 4} if sought is None else {0: 5, 1: 4})


async def test_a_position_that_the_log_does_not_hold_is_told_after_the_records_beside_it() -> None:
    members = Members({0: 1, 1: 1})
    reader = reading(members, p0=7, p1=3)
    await polled(reader)
    members.answer(0, p0=OffsetOutOfRangeError.errno, p1=batch(b"b", first=3))
    assert await polled(reader) == {1: [(3, b"b")]}
    with pytest.raises(OffsetOutOfRangeError) as lost:
        await polled(reader)
    assert lost.value.args[0] == {TopicPartition(PLACE.topic, 0): 7}
    # Once for each answer.
    assert await polled(reader) == {}


@pytest.mark.parametrize("sought", [None, 5])
async def test_an_error_of_a_partition_that_was_held_or_sought_since_is_not_told(sought: int | None) -> None:
    members = Members({0: 1, 1: 1})
    reader = reading(members, p0=7, p1=3)
    await polled(reader)
    members.answer(0, p0=OffsetOutOfRangeError.errno, p1=batch(b"b", first=3))
    assert await polled(reader) == {1: [(3, b"b")]}
    reader.hold(0)
    if sought is not None:
        reader.read_from(0, sought)
    assert await polled(reader) == {}


async def test_a_broken_record_is_told_after_the_records_beside_it() -> None:
    """And its position stays: no record is passed."""
    members = Members({0: 1, 1: 1})
    reader = reading(members, p0=7, p1=3)
    broken = bytearray(batch(b"a", first=7))
    broken[-3] ^= 0xFF
    await polled(reader)
    members.answer(0, p0=bytes(broken), p1=batch(b"b", first=3))
    assert await polled(reader) == {1: [(3, b"b")]}
    with pytest.raises(CorruptRecordException):
        await polled(reader)
    await polled(reader)
    assert members.questions[1:] == [(1, {0: 7, 1: 4})]


@pytest.mark.parametrize("code", [NotLeaderForPartitionError.errno, ReplicaNotAvailableError.errno, -1, 9999])
async def test_partitions_that_have_moved_are_looked_for_at_once_and_cost_the_others_no_wait(code: int) -> None:
    """Also while the others have records in each answer."""
    members = Members({0: 1, 1: 1})
    reader = reading(members, p0=7, p1=3)
    await polled(reader)
    members.answer(0, p0=code, p1=batch(b"b", first=3))
    async with asyncio.timeout(0.04):
        assert await polled(reader) == {1: [(3, b"b")]}
        assert members.refreshed == 1
        assert await polled(reader) == {}
        members.answer(1, p1=batch(b"c", first=4))
        assert await polled(reader) == {1: [(4, b"c")]}
    assert members.questions[1:] == [(1, {1: 4})]
    await asyncio.sleep(0.06)
    members.leaders[0] = 2
    await polled(reader)
    assert members.questions[2:] == [(2, {0: 7}), (1, {1: 5})]


async def test_a_member_that_reads_nothing_polls_all_the_same_and_wakes_when_it_reads() -> None:
    """The group takes the partitions of a member that does not poll."""
    members = Members({0: 1})
    reader = reading(members)
    assert await polled(reader) == {}
    assert members.polled == 1
    waiting = asyncio.ensure_future(polled(reader, 60))
    await turns()
    reader.read_from(0, 7)
    assert await waiting == {}
    await polled(reader)
    assert members.questions == [(1, {0: 7})]


async def test_a_partition_without_a_leader_is_looked_for_and_holds_up_no_other() -> None:
    members = Members({0: -1, 1: 1})
    reader = reading(members, p0=7, p1=3)
    for _ in range(3):
        await polled(reader)
    assert (members.questions, members.refreshed) == ([(1, {1: 3})], 1)
    members.leaders[0] = 2
    await polled(reader)
    assert members.questions[1:] == [(2, {0: 7})]


async def test_an_end_waits_for_no_answer() -> None:
    members = Members({0: 1})
    reader = reading(members, p0=7)
    await polled(reader)
    reader.end()
    await turns()
    assert members.requests[0][2].cancelled()
