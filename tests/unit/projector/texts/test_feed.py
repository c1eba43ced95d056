"""The feed of texts: a consumer that stands still is replaced, and one that moves is not, however far behind."""

from typing import Any, cast

import pytest

from services.projector.texts.feed import TextsFeed
from shared.events.topics import TEXTS
from shared.kafka.clients import KafkaAddress, TopicPartition

PLACE = TopicPartition(TEXTS, 0)


class Behind:
    """A consumer whose partition ends at 1000, and stands at the next of `positions` at each look."""

    def __init__(self, *positions: int) -> None:
        self._positions = list(positions)

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def end_offsets(self, mine: set[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(mine, 1000)

    async def position(self, _: TopicPartition) -> int:
        if not self._positions:
            raise EOFError
        return self._positions.pop(0)


async def watched(*positions: int) -> None:
    feed = TextsFeed(KafkaAddress(bootstrap_servers="nowhere:1"), "g", 6000, cast("Any", None))
    feed._kept[0] = 0
    await feed._watch(cast("Any", Behind(*positions)))


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
