"""A member's partitions, read with a request to each broker and its answer."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    NotLeaderForPartitionError,
    OffsetOutOfRangeError,
    ReplicaNotAvailableError,
)
from aiokafka.structs import TopicPartition

from shared.kafka import quick_reading
from shared.kafka.quick_reading import MAX_RECORDS, MAX_RECORDS_BYTES, QuickReader
from tests.support.fakes.in_hand import turns
from tests.unit.shared.kafka.one_broker import PLACE, Broker, batch


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
    await turns()  # what was answered is there, however long the machine does something else
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


MOVED = [NotLeaderForPartitionError.errno, ReplicaNotAvailableError.errno, -1, 9999]


async def one_has_moved(code: int) -> tuple[Members, QuickReader]:
    """Return a reader of two partitions: one answer has this error for the first, and a record of the second."""
    members = Members({0: 1, 1: 1})
    reader = reading(members, p0=7, p1=3)
    await polled(reader)
    members.answer(0, p0=code, p1=batch(b"b", first=3))
    return members, reader


@pytest.mark.parametrize("code", MOVED)
async def test_partitions_that_have_moved_are_looked_for_at_once_and_cost_the_others_no_wait(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the others have records in each answer."""
    monkeypatch.setattr(quick_reading, "_AFTER_AN_ERROR_SECONDS", 60)
    members, reader = await one_has_moved(code)
    async with asyncio.timeout(20):
        assert await polled(reader) == {1: [(3, b"b")]}
        assert members.refreshed == 1
        assert await polled(reader) == {}
        members.answer(1, p1=batch(b"c", first=4))
        assert await polled(reader) == {1: [(4, b"c")]}
    assert members.questions[1:] == [(1, {1: 4})]


@pytest.mark.parametrize("code", MOVED)
async def test_a_partition_that_has_moved_is_read_again_after_its_rest(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_reading, "_AFTER_AN_ERROR_SECONDS", 0.01)
    members, reader = await one_has_moved(code)
    assert await polled(reader) == {1: [(3, b"b")]}
    await asyncio.sleep(0.02)  # at least: the rest is over
    members.leaders[0] = 2
    await polled(reader)
    assert members.questions[1:] == [(2, {0: 7}), (1, {1: 4})]


async def test_a_member_that_reads_nothing_polls_all_the_same_and_wakes_when_it_reads() -> None:
    """The group takes the partitions of a member that does not poll."""
    members = Members({0: 1})
    reader = reading(members)
    assert await polled(reader) == {}
    assert members.polled == 1
    waiting = asyncio.ensure_future(reader.poll(60))
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


def singles(count: int, first: int = 0) -> bytes:
    """Return so many batches of one record, as one client makes them."""
    return b"".join(batch(b"%d" % offset, first=offset) for offset in range(first, first + count))


async def test_a_poll_is_bounded_and_what_an_answer_has_more_comes_first_in_the_next() -> None:
    """Packed, an answer may hold ten times the presses that a session has time for."""
    members = Members({0: 1, 1: 1})
    reader = reading(members, p0=0, p1=3)
    await polled(reader)
    members.answer(0, p0=singles(MAX_RECORDS + 2), p1=batch(b"b", first=3))
    first = await polled(reader)
    assert [(partition, len(records)) for partition, records in first.items()] == [(0, MAX_RECORDS)]
    rest = [(offset, b"%d" % offset) for offset in (MAX_RECORDS, MAX_RECORDS + 1)]
    assert await polled(reader) == {0: rest, 1: [(3, b"b")]}
    await polled(reader)
    assert members.questions[1:] == [(1, {0: MAX_RECORDS + 2, 1: 4})]  # nothing was asked before


async def test_a_poll_is_bounded_in_bytes_too() -> None:
    members = Members({0: 1})
    reader = reading(members, p0=0)
    await polled(reader)
    members.answer(0, p0=batch(b"a" * MAX_RECORDS_BYTES) + batch(b"b", first=1))
    assert [len(records) for records in (await polled(reader)).values()] == [1]
    assert await polled(reader) == {0: [(1, b"b")]}


@pytest.mark.parametrize("sought", [None, MAX_RECORDS])
async def test_what_an_answer_has_more_is_dropped_with_a_hold_or_a_seek(sought: int | None) -> None:
    """Also with a seek to the very next one: the log may hold another record there by now."""
    members = Members({0: 1, 1: 1})
    reader = reading(members, p0=0, p1=3)
    await polled(reader)
    members.answer(0, p0=singles(MAX_RECORDS + 2))
    await polled(reader)
    reader.hold(0)
    if sought is not None:
        reader.read_from(0, sought)
    assert await polled(reader) == {}
    assert members.questions[1:] == [(1, {1: 3} if sought is None else {1: 3, 0: sought})]


async def test_records_before_a_broken_one_are_read() -> None:
    members = Members({0: 1})
    reader = reading(members, p0=0)
    await polled(reader)
    broken = bytearray(batch(b"a", first=5))
    broken[-3] ^= 0xFF
    members.answer(0, p0=singles(5) + broken)
    assert [len(records) for records in (await polled(reader)).values()] == [5]
    await polled(reader)
    assert members.questions[1:] == [(1, {0: 5})]
    members.answer(1, p0=bytes(broken))
    with pytest.raises(CorruptRecordException):
        await polled(reader)


async def test_a_broken_record_far_behind_costs_no_record_before_it() -> None:
    members = Members({0: 1})
    reader = reading(members, p0=0)
    await polled(reader)
    broken = bytearray(batch(b"a", first=MAX_RECORDS))
    broken[-3] ^= 0xFF
    members.answer(0, p0=singles(MAX_RECORDS) + broken)
    assert [len(records) for records in (await polled(reader)).values()] == [MAX_RECORDS]
    with pytest.raises(CorruptRecordException):
        await polled(reader)
    await polled(reader)
    assert members.questions[1:] == [(1, {0: MAX_RECORDS})]
