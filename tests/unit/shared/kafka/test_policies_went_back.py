"""The policies' topic is not the one that was read: an alarm, and a reader that is not caught up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import NotLeaderForPartitionError, OffsetOutOfRangeError
from structlog.testing import capture_logs

from shared.events.topics import POLICIES
from shared.kafka import policy_reader
from shared.kafka.clients import KafkaAddress, TopicPartition
from shared.kafka.policy_reader import PolicyReader
from tests.unit.shared.kafka.one_broker import batch

LOOK_SECONDS = 0.01


class Consumer:
    """A consumer that has handed out all that its topic holds, and its client, which reads the topic again.

    `said` is what the topic says in all its records, or why the broker does not answer.
    """

    def __init__(self, end: int, said: bytes | int = b"old") -> None:
        self.end = end
        self.said = said
        self.begin = 0
        self._client = self.cluster = self

    def leader_for_partition(self, _: TopicPartition) -> int:
        return 1

    def force_metadata_update(self) -> None: ...

    async def send(self, _: int, request: Any) -> Any:  # noqa: ANN401 - aiokafka ships no types
        ((_, ((_, offset, _),)),) = request.topics
        said = self.said if self.begin <= offset < self.end else OffsetOutOfRangeError.errno
        code, held = (said, b"") if isinstance(said, int) else (0, batch(said, first=offset))
        return SimpleNamespace(topics=[(POLICIES, [(0, code, self.end, self.end, 0, [], -1, held)])])

    async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(tps, self.end)

    async def position(self, _: TopicPartition) -> int:
        return self.end


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_reader, "LOOK_EVERY_SECONDS", LOOK_SECONDS)
    monkeypatch.setattr(policy_reader, "_LOOK_FOR_GAPS_SECONDS", LOOK_SECONDS)


@asynccontextmanager
async def looking(reader: PolicyReader, consumer: Consumer) -> AsyncIterator[list[Any]]:
    """Let a reader look at its consumer, and hand out what is logged meanwhile."""
    watching: Any = consumer
    with capture_logs() as logs:
        task = asyncio.ensure_future(reader._watch(watching))
        try:
            await some_looks()
            yield logs
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def some_looks() -> None:
    await asyncio.sleep(5 * LOOK_SECONDS)


async def read_up_to(end: int) -> PolicyReader:
    reader = PolicyReader(KafkaAddress(bootstrap_servers="nowhere:9092"))
    for offset in range(end):
        await taken(reader, offset)
    return reader


async def test_a_topic_that_ends_before_what_was_read_is_an_alarm_and_not_caught_up() -> None:
    reader, consumer = await read_up_to(3), Consumer(3)
    async with looking(reader, consumer) as logs:
        assert (reader.caught_up, alarms(logs)) == (True, [])
        consumer.end = 2  # made anew, and two documents are on it
        await some_looks()
        assert (reader.caught_up, reader.has_begun) == (False, True)
        assert alarms(logs)[0] == {"ends_at": 2, "read_to": 3}
        consumer.end = 3
        await some_looks()
        assert reader.caught_up


async def test_a_topic_that_becomes_shorter_while_it_is_read_again_goes_on_once_it_is_back() -> None:
    """What is read again lies beyond the new end. That is no other record, and the right topic mends it."""
    reader = await read_up_to(3)

    class Shrinks(Consumer):
        shrinks = True

        async def send(self, node_id: int, request: Any) -> Any:  # noqa: ANN401 - as above
            self.end, self.shrinks = (2 if self.shrinks else 3), False
            return await super().send(node_id, request)

    consumer = Shrinks(3)
    async with looking(reader, consumer) as logs:
        await some_looks()
        assert (reader.caught_up, alarms(logs)[0]) == (False, {"ends_at": 2, "read_to": 3})
        consumer.end = 3
        await some_looks()
        assert (reader.caught_up, all("ends_at" in alarm for alarm in alarms(logs))) == (True, True)


async def test_a_topic_made_anew_that_grew_past_what_was_read_is_an_alarm() -> None:
    """Its new documents were taken for the next ones. A process that began later knew others."""
    reader, consumer = await read_up_to(3), Consumer(3)
    async with looking(reader, consumer) as logs:
        consumer.end, consumer.said = 5, b"new"
        await taken(reader, 3, b"new")
        await some_looks()
        assert (reader.caught_up, alarms(logs)[0]) == (False, {"another_record_at": 2})
        await taken(reader, 4, b"new")
        assert reader.position == 3
        # What was read may be of either topic. So the right one does not mend it, and only a new process begins anew.
        consumer.end, consumer.said = 3, b"old"
        await some_looks()
        consumer.end = 5
        await some_looks()
        assert (reader.caught_up, alarms(logs)[-1]) == (False, {"another_record_at": 2})


async def test_a_topic_whose_first_records_were_deleted_is_an_alarm() -> None:
    reader, consumer = await read_up_to(3), Consumer(3)
    async with looking(reader, consumer) as logs:
        consumer.begin, consumer.end = 4, 5
        await some_looks()
        assert alarms(logs)[0] == {"another_record_at": 2}


async def test_a_topic_that_only_grows_is_no_alarm() -> None:
    reader, consumer = await read_up_to(3), Consumer(3)
    async with looking(reader, consumer) as logs:
        for end in range(4, 7):
            consumer.end = end
            await taken(reader, end - 1)
            await some_looks()
        assert (reader.caught_up, alarms(logs)) == (True, [])


async def test_a_record_that_cannot_be_read_again_now_is_no_alarm_until_it_can() -> None:
    reader, consumer = await read_up_to(3), Consumer(3)
    async with looking(reader, consumer) as logs:
        consumer.end, consumer.said = 4, NotLeaderForPartitionError.errno
        await taken(reader, 3, b"new")
        await asyncio.sleep(0.2)  # each look rests a little after such an answer
        assert (reader.caught_up, alarms(logs)) == (True, [])
        consumer.said = b"new"
        await asyncio.sleep(0.2)
        assert (reader.caught_up, alarms(logs)[0]) == (False, {"another_record_at": 2})


async def test_a_document_that_comes_while_the_end_is_asked_for_is_no_alarm() -> None:
    """The broker answers 3. Before the answer is here, the next document is in the book."""
    reader = await read_up_to(1)

    class Meanwhile(Consumer):
        async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
            answer = await super().end_offsets(tps)
            await taken(reader, self.end)
            self.end += 1
            return answer

    async with looking(reader, Meanwhile(1)) as logs:
        assert (reader.caught_up, alarms(logs)) == (True, [])


async def taken(reader: PolicyReader, offset: int, said: bytes = b"old") -> None:
    record: Any = SimpleNamespace(offset=offset, key=None, value=said, timestamp=0)
    await reader._take(record)


def alarms(logs: list[Any]) -> list[dict[str, Any]]:
    """Return what each alarm says beside its name."""
    said = [one for one in logs if one["log_level"] == "error"]
    assert all(one["event"] == "policies_went_back" for one in said)
    return [{name: what for name, what in one.items() if name not in {"event", "log_level"}} for one in said]
