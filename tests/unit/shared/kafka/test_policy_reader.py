"""The reader of policies: a consumer that stands still is replaced, and one that moves is not, however far behind."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.events.policies.book import NO_REVISION
from shared.kafka import policy_reader
from shared.kafka.clients import KafkaAddress
from shared.kafka.policy_reader import PolicyReader

END = 1_000


class EnoughError(Exception):
    """The test has seen what it wanted."""


class Consumer:
    """A consumer of a topic that ends at `END`: before each look, it brings the next of `offsets`."""

    def __init__(self, reader: PolicyReader, offsets: Iterator[int]) -> None:
        self._reader = reader
        self._offsets = offsets

    async def end_offsets(self, partitions: list[Any]) -> dict[Any, int]:
        offset = next(self._offsets, None)
        if offset is None:
            raise EnoughError
        await self._reader._take(cast("Any", SimpleNamespace(offset=offset, key=None, value=None, timestamp=0)))
        return dict.fromkeys(partitions, END)


async def watched(monkeypatch: pytest.MonkeyPatch, *offsets: int, knows: int = NO_REVISION) -> PolicyReader:
    """Return a reader after a look behind each offset. It has read up to `knows` from a consumer before."""
    monkeypatch.setattr(policy_reader, "_LOOK_FOR_GAPS_SECONDS", policy_reader.LOOK_EVERY_SECONDS / 2)
    monkeypatch.setattr("shared.kafka.policy_reader.asyncio.sleep", turn)
    # Nothing is on its way to the book, nothing is a gap, and no record is read again.
    monkeypatch.setattr(PolicyReader, "_pass_gap", turn)
    monkeypatch.setattr(policy_reader, "_holds", turn)
    reader = PolicyReader(KafkaAddress(bootstrap_servers="nowhere:1"))
    reader.book.position = knows
    with pytest.raises(EnoughError):
        await reader._watch(cast("Any", Consumer(reader, iter(offsets))))
    return reader


async def turn(*_: object) -> None:
    """Take no time."""


async def test_a_consumer_that_moves_is_kept_however_many_looks_its_way_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new consumer would begin at 0 again, and never get any further."""
    reader = await watched(monkeypatch, *range(0, 900, 20))
    assert not reader.has_begun


async def test_a_new_consumer_that_repeats_what_the_book_has_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = await watched(monkeypatch, *range(0, 500, 20), knows=900)
    assert reader.book.position == 900


async def test_a_consumer_that_stands_still_before_the_end_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionError, match="stalled at 20, behind 1000"):
        await watched(monkeypatch, 0, 20, 20, 40)


async def test_a_consumer_that_stands_at_the_end_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = await watched(monkeypatch, *[END - 1] * 10)
    assert reader.has_begun
