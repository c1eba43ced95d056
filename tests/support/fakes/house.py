"""The projector's loop at work on ports in hand, and a store whose next answers a test decides.

Where it differs: there is no consumer group. A test assigns the partitions, and time passes when a test says so.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from structlog.typing import EventDict

from services.projector.loop.partition.partition import Status
from services.projector.loop.projector import Projector
from services.projector.ports import Advance, Checkpoint, Found, Wanted
from shared.events.ids import partition_of, slot_of
from shared.events.outcome import Outcome, read_outcome
from shared.events.policies.book import PolicyBook
from tests.support.fakes.in_hand import (
    ClockInHand,
    EventsInHand,
    OutcomesInHand,
    PoliciesInHand,
    RepliesInHand,
    record,
    turns,
)
from tests.support.fakes.outcome_store import OutcomeStore
from tests.support.story.given import JERUSALEM, Told, book_of, paused, resumed, started

PARTITIONS: Final = 12
HOME: Final = partition_of(slot_of("acme", "dana"), PARTITIONS)
NEXT_DOOR: Final = partition_of(slot_of("acme", "noam"), PARTITIONS)


@dataclass
class MoodyStore(OutcomeStore):
    """An `OutcomeStore` that raises what a test has put in line: before a commit, after it, or at a checkpoint."""

    commit_raises: list[Exception] = field(default_factory=list)
    commit_then_raises: list[Exception] = field(default_factory=list)
    checkpoint_raises: list[Exception] = field(default_factory=list)
    prunes: list[bool | Exception] = field(default_factory=list)
    asked: list[Wanted] = field(default_factory=list)

    async def checkpoint(self, kpart: int) -> Checkpoint:
        if self.checkpoint_raises:
            raise self.checkpoint_raises.pop(0)
        return await super().checkpoint(kpart)

    async def read(self, wanted: Wanted) -> Found:
        self.asked.append(wanted)
        return await super().read(wanted)

    async def commit(self, advances: Sequence[Advance]) -> None:
        if self.commit_raises:
            raise self.commit_raises.pop(0)
        await super().commit(advances)
        if self.commit_then_raises:
            raise self.commit_then_raises.pop(0)

    async def prune(self, kpart: int) -> bool:
        said = self.prunes.pop(0) if self.prunes else await super().prune(kpart)
        if isinstance(said, Exception):
            raise said
        return said


@dataclass
class House:
    """A projector at work on ports in hand."""

    book: PolicyBook = field(default_factory=lambda: book_of(JERUSALEM))
    log: EventsInHand = field(default_factory=EventsInHand)
    outcomes: OutcomesInHand = field(default_factory=OutcomesInHand)
    replies: RepliesInHand = field(default_factory=RepliesInHand)
    store: MoodyStore = field(default_factory=MoodyStore)
    clock: ClockInHand = field(default_factory=ClockInHand)

    def __post_init__(self) -> None:
        self.policies = PoliciesInHand(self.book)
        self.projector = Projector(
            partitions=PARTITIONS,
            log=self.log,
            outcomes=self.outcomes,
            replies=self.replies,
            store=self.store,
            book=self.book,
            policies=self.policies,
            clock=self.clock,
        )

    async def hears(self, *told: Told, kpart: int = HOME) -> None:
        """Put presses on the log, and run the loop until it has nothing more to do."""
        begin = len(self.log.logs[kpart])
        self.log.append(kpart, *[record(press, begin + n) for n, press in enumerate(told)])
        await turns()

    def ends(self) -> asyncio.Future[None]:
        """Ask the loop to end."""
        return asyncio.ensure_future(self.projector.stop())

    def said(self, kpart: int = HOME) -> list[tuple[int, str, str | None]]:
        """Return what was kept: offset, verdict, rule."""
        outcomes = [read_outcome(body) for body in self.store.bodies[kpart]]
        return [(outcome.source_offset, outcome.verdict, outcome.rule) for outcome in outcomes]

    def bodies(self, kpart: int = HOME) -> list[Outcome]:
        """Return what was kept, whole."""
        return [read_outcome(body) for body in self.store.bodies[kpart]]

    def waited(self) -> list[float]:
        """Return how long the loop and the keeper waited each time. The waits of upkeep are not among them."""
        return self.clock.asked

    def state(self, kpart: int = HOME) -> tuple[Status, str]:
        partition = self.projector.keeper.ours[kpart]
        return partition.status, partition.reason


@asynccontextmanager
async def at_work(house: House, *kparts: int) -> AsyncIterator[House]:
    """Run a projector on some partitions until the block ends. Without any named, it gets dana's."""
    running = asyncio.ensure_future(house.projector.run())
    house.projector.keeper.assigned(kparts or [HOME])
    await turns()
    try:
        yield house
    finally:
        stopping = house.ends()
        await house.clock.passes(10)
        await stopping
        house.log.end_poll()
        await asyncio.wait_for(running, 5)


def alarms(logs: Sequence[EventDict]) -> list[dict[str, Any]]:
    """Return the log entries of level `error`: these are the alarms."""
    return [{k: v for k, v in entry.items() if k != "log_level"} for entry in logs if entry["log_level"] == "error"]


A_DAY: Final = (started("desk", at="09:00"), paused("desk", at="09:10"), resumed("desk", at="09:20"))
ACCEPTED: Final = [(0, "accepted", None), (1, "accepted", None), (2, "accepted", None)]
