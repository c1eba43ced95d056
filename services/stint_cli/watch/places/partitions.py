"""Where each partition stands: its log, its checkpoint, its judged stream, and whether a projector has it.

next_offset < begin, or > end    the log is not the one that was folded
outcomes_next < begin, or > end  the judged stream is not the one that was read and written
next_offset < end, and moves     it catches up
next_offset < end, and stays     it is stuck, or no projector has it
next_offset = end                all is judged
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg

from services.stint_cli.brokers import Brokers
from services.stint_cli.store import query
from services.stint_cli.watch.log import Held, LogReader
from services.stint_cli.watch.places.moves import watched
from shared.events.topics import EVENTS, OUTCOMES

# As far as the unpublished outcomes of a partition are counted.
UNPUBLISHED_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Watched:
    """One partition at one moment. `projector` None: no projector has it.

    `next_offset` is its place on the log, `outcomes_next` that on the judged stream. None: it has no checkpoint.
    `published` is the offset on the log of the first press whose outcome may not be on the judged stream yet.
    """

    kpart: int
    log: Held
    stream: Held
    next_offset: int | None
    outcomes_next: int | None
    published: int | None
    unpublished: int
    projector: str | None

    @property
    def lag(self) -> int:
        """How many offsets are not folded yet."""
        return 0 if self.next_offset is None else max(0, self.log.end - self.next_offset)

    @property
    def went_back(self) -> bool:
        """Whether the log holds no longer, or not yet, what was folded from it."""
        return self.next_offset is not None and not self.log.begin <= self.next_offset <= self.log.end

    @property
    def stream_went_back(self) -> bool:
        """Whether the judged stream holds no longer, or not yet, what was read from it or written to it."""
        return self.outcomes_next is not None and not self.stream.begin <= self.outcomes_next <= self.stream.end

    @property
    def has_work(self) -> bool:
        """Whether a projector has something to do here."""
        return self.lag > 0 or self.unpublished > 0

    def moved_since(self, before: "Watched") -> bool:
        """Return whether the work here became less, or other work, since an earlier moment."""
        return (self.next_offset, self.published) != (before.next_offset, before.published)


class Partitions:
    """Looks at all partitions of a deployment."""

    def __init__(self, conn: asyncpg.Connection, log: LogReader, brokers: Brokers, group: str) -> None:
        self._conn = conn
        self._log = log
        self._brokers = brokers
        self._group = group

    async def watch(self, partitions: int) -> tuple[list[Watched], set[int]]:
        """Return where every partition stands, and which of them have work and do none of it."""
        places, staying = await watched(
            lambda: self._look(partitions),
            has_work=lambda place: place.has_work and not place.went_back and not place.stream_went_back,
            moved=Watched.moved_since,
        )
        stuck = {kpart for kpart in staying if places[kpart].unpublished or await self._has_a_record(places[kpart])}
        return list(places.values()), stuck

    async def _look(self, partitions: int) -> dict[int, Watched]:
        folded = {row["kpart"]: row for row in await self._conn.fetch(query("checkpoints"), UNPUBLISHED_MAX)}
        # After the checkpoints: a press that comes between the two is lag, and no log that went back.
        held = await self._log.held(EVENTS, range(partitions))
        judged = await self._log.held(OUTCOMES, range(partitions))
        projectors = await self._brokers.members(self._group, EVENTS)
        return {
            kpart: _place(kpart, held[kpart], judged[kpart], folded.get(kpart), projectors)
            for kpart in range(partitions)
        }

    async def _has_a_record(self, place: Watched) -> bool:
        # An end offset proves no record: the last offsets may be control records of a transaction.
        return await self._log.first_from(EVENTS, place.kpart, place.next_offset or 0) is not None


def _place(kpart: int, held: Held, judged: Held, row: asyncpg.Record | None, projectors: Mapping[int, str]) -> Watched:
    return Watched(
        kpart=kpart,
        log=held,
        stream=judged,
        next_offset=None if row is None else row["next_offset"],
        outcomes_next=None if row is None else row["outcomes_next"],
        published=None if row is None else row["published"],
        unpublished=0 if row is None else row["unpublished"],
        projector=projectors.get(kpart),
    )
