"""The policies' topic is not the one that was read: an alarm, and a reader that is not caught up."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.kafka import policy_reader
from shared.kafka.clients import KafkaAddress, TopicPartition
from shared.kafka.policy_reader import PolicyReader

LOOK_SECONDS = 0.01


class Consumer:
    """A consumer that has handed out all that its topic holds."""

    def __init__(self, end: int) -> None:
        self.end = end

    async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(tps, self.end)

    async def position(self, _: TopicPartition) -> int:
        return self.end


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_reader, "LOOK_EVERY_SECONDS", LOOK_SECONDS)
    monkeypatch.setattr(policy_reader, "_LOOK_FOR_GAPS_SECONDS", LOOK_SECONDS)


async def test_a_topic_that_ends_before_what_was_read_is_an_alarm_and_not_caught_up() -> None:
    reader, consumer = PolicyReader(KafkaAddress(bootstrap_servers="nowhere:9092")), Consumer(3)
    for offset in range(3):
        await taken(reader, offset)
    watching: Any = consumer
    with capture_logs() as logs:
        task = asyncio.ensure_future(reader._watch(watching))
        await asyncio.sleep(5 * LOOK_SECONDS)
        assert (reader.caught_up, alarms(logs)) == (True, [])
        consumer.end = 2  # made anew, and two documents are on it
        await asyncio.sleep(5 * LOOK_SECONDS)
        assert (reader.caught_up, reader.has_begun) == (False, True)
        assert alarms(logs)[0] == ("policies_went_back", 2, 3)
        consumer.end = 3
        await asyncio.sleep(5 * LOOK_SECONDS)
        assert reader.caught_up
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_document_that_comes_while_the_end_is_asked_for_is_no_alarm() -> None:
    """The broker answers 3. Before the answer is here, the next document is in the book."""
    reader = PolicyReader(KafkaAddress(bootstrap_servers="nowhere:9092"))

    class Meanwhile(Consumer):
        async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
            answer = await super().end_offsets(tps)
            await taken(reader, self.end)
            self.end += 1
            return answer

    await taken(reader, 0)
    watching: Any = Meanwhile(1)
    with capture_logs() as logs:
        task = asyncio.ensure_future(reader._watch(watching))
        await asyncio.sleep(5 * LOOK_SECONDS)
        assert (reader.caught_up, alarms(logs)) == (True, [])
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def taken(reader: PolicyReader, offset: int) -> None:
    record: Any = SimpleNamespace(offset=offset, key=None, value=None, timestamp=0)
    await reader._take(record)


def alarms(logs: list[Any]) -> list[tuple[str, int, int]]:
    return [(one["event"], one["ends_at"], one["read_to"]) for one in logs if one["log_level"] == "error"]
