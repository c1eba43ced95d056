"""A house in which partition 0 is recovered: a log, a judged stream and a store, each filled as far as a test says.

Where it differs: as `in_hand` and `outcome_store` do. No loop runs; a test calls `recover` by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from services.projector.domain.outcomes import Kept
from services.projector.loop.partition.recover import LogWentBackError, recover
from services.projector.ports import Advance, Checkpoint, Helpers
from shared.events.outcome import read_outcome
from tests.support.fakes.in_hand import EventsInHand, OutcomesInHand, records
from tests.support.fakes.outcome_store import OutcomeStore
from tests.support.story.given import Told, given, paused, resumed, started, stopped

DAY = (
    started("desk", at="09:00", key="k"),
    started("desk", at="09:00", logged="09:05", key="k"),  # known
    paused("desk", at="09:10"),
    started("desk", at="09:12"),  # its id is taken: void
    resumed("desk", at="09:20"),
    stopped("desk", at="09:30"),
)
KEPT = (0, 2, 4, 5)


@dataclass
class RecoveryHouse:
    """A log, a judged stream and a store, each filled as far as a test says."""

    log: EventsInHand = field(default_factory=EventsInHand)
    outcomes: OutcomesInHand = field(default_factory=OutcomesInHand)
    store: OutcomeStore = field(default_factory=OutcomeStore)
    skipped: list[tuple[int, str]] = field(default_factory=list)

    async def recovered(self, helpers: Helpers | None = None) -> Checkpoint:
        ports = self.log, self.outcomes, self.store
        return await recover(0, *ports, lambda *what: self.skipped.append(what), helpers)

    async def refuses(self, why: str) -> None:
        """Expect LogWentBackError, and that nothing was published."""
        stream = list(self.outcomes.streams[0])
        with pytest.raises(LogWentBackError, match=why):
            await self.recovered()
        assert self.outcomes.streams[0] == stream


def bodies(*told: Told) -> dict[int, bytes]:
    """Return the outcomes of a log, by the offset of their press."""
    story = given(*told)
    return {one.outcome.source_offset: one.body for one in story.answers if isinstance(one, Kept)}


async def a_house(
    told: Sequence[Told] = DAY, *, committed: int = 0, published: int = 0, stream: Sequence[int] = ()
) -> RecoveryHouse:
    """Return a house: presses below `committed` are in the store, the outcomes of `stream` on the judged stream."""
    house, said = RecoveryHouse(), bodies(*told)
    house.log.logs[0] = records(*told)
    house.outcomes.streams[0] = [said[offset] for offset in stream]
    if committed:
        last = told[committed - 1].logged(committed - 1)
        at = Checkpoint(0, committed, last.envelope.event_id, last.log_time, 1, published, len(stream))
        written = [Kept(read_outcome(body), body) for o, body in said.items() if o < committed]
        await house.store.commit([Advance(0, at, written)])
    return house


def where(at: Checkpoint) -> tuple[int, int, int]:
    return at.next_offset, at.published, at.outcomes_next
