"""The feed of texts: a consumer that stands still is replaced, and one that moves is not, however far behind."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from services.projector.texts import feed
from services.projector.texts.feed import TextsFeed
from services.projector.texts.projection import Texts
from shared.events.topics import TEXTS
from shared.kafka.clients import KafkaAddress, TopicPartition

PLACE = TopicPartition(TEXTS, 0)


class Behind:
    """A consumer whose partition ends at 1000, and stands at the next of `positions` at each look.

    `meanwhile` happens after an end was told and before all are.
    """

    def __init__(self, *positions: int, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._positions = list(positions)
        self._meanwhile = meanwhile

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def end_offsets(self, mine: set[TopicPartition]) -> dict[TopicPartition, int]:
        self._meanwhile()
        return dict.fromkeys(mine, 1000)

    async def position(self, _: TopicPartition) -> int:
        if not self._positions:
            raise EOFError
        return self._positions.pop(0)


async def watched(*positions: int) -> None:
    await watched_from(0, *positions)


async def watched_from(kept: int, *positions: int, then: int | None = None) -> None:
    """Watch a consumer. `then`: what is kept up to while the ends are asked."""
    texts = Texts(cast("Any", None))
    texts._moved_to[0] = kept
    reader = TextsFeed(KafkaAddress(bootstrap_servers="nowhere:1"), "g", 6000, texts)
    reader._kept[0] = kept

    def keep() -> None:
        texts._moved_to[0] = reader._kept[0] = then or kept

    await reader._watch(cast("Any", Behind(*positions, meanwhile=keep)))


async def test_a_consumer_that_moves_is_kept_and_one_that_stands_still_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many looks its way takes: each new consumer costs the group a rebalance."""
    monkeypatch.setattr("services.projector.texts.feed._LOOK_EVERY_SECONDS", 0)
    with pytest.raises(EOFError):
        await watched(*range(0, 900, 20))
    with pytest.raises(EOFError):
        await watched(*[1000] * 9)
    with pytest.raises(ConnectionError, match="partition 0 stalled"):
        await watched(0, 20, 20, 40)


async def test_a_topic_that_ends_before_what_was_kept_of_it_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.projector.texts.feed._LOOK_EVERY_SECONDS", 0)
    with capture_logs() as said, pytest.raises(ConnectionError, match="ends before what was kept"):
        await watched_from(1001, 1000)
    assert [(line["event"], line["partitions"]) for line in said] == [("texts_went_back", [0])]
    for then in (None, 1001):
        with capture_logs() as said, pytest.raises(EOFError):
            await watched_from(1000, 1000, then=then)
        assert said == []


class Unread:
    """Texts whose positions Postgres does not tell the first few times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def next_offsets(self, partitions: list[int]) -> dict[int, int]:
        self.failures -= 1
        if self.failures >= 0:
            raise OSError("away")
        return dict.fromkeys(partitions, 7)


async def test_positions_that_cannot_be_read_for_long_are_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their partitions were not read, and no look at them said so: it looks at those whose position is known."""
    monkeypatch.setattr(feed, "_RETRY_AFTER_SECONDS", 0.02)
    monkeypatch.setattr(feed, "_PASSING_SECONDS", 0.05)
    positions = feed._Positions(cast("Any", Unread(10)), {})
    with capture_logs() as said:
        assert await positions._known([0, 1]) == {0: 7, 1: 7}
    told = [(one["log_level"], one["event"]) for one in said]
    assert told == [("warning", "text_positions_not_read"), ("error", "text_positions_not_read")]


async def test_two_batches_begin_a_tenth_of_a_second_apart_and_the_first_at_once() -> None:
    """However few texts a batch has, it is a transaction. Nobody waits for a text."""
    loop = asyncio.get_running_loop()
    kept_at: list[float] = []

    class Kept:
        async def keep(self, _: Sequence[object]) -> None:
            kept_at.append(loop.time())

    reader = TextsFeed(KafkaAddress(bootstrap_servers="nowhere:1"), "g", 6000, cast("Any", Kept()))
    begun = loop.time()
    for _ in range(2):
        await reader._take([])
    assert kept_at[0] - begun < feed._BATCH_EVERY_SECONDS <= kept_at[1] - begun
