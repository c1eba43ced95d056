"""How far the APIs have come in `timer.commands.v1`: what waits, what was deleted unsettled, and which API reads it.

committed < begin                commands were deleted, after seven days, before any API had settled them
committed < end, and moves       commands are settled, round by round
committed < end, and stays       they are stuck, or no API has the partition
committed = end                  all is settled
"""

from dataclasses import dataclass

from services.stint_cli.brokers import Brokers
from services.stint_cli.watch.log import LogReader
from services.stint_cli.watch.places.moves import watched
from shared.events.topics import COMMANDS


@dataclass(frozen=True, slots=True)
class Unsettled:
    """One partition of the commands. `committed` None: none was ever settled. `reader` None: no API has it."""

    partition: int
    begin: int
    end: int
    committed: int | None
    reader: str | None

    @property
    def next(self) -> int:
        """The offset of the command that is settled next. A group without a commit begins at the beginning."""
        return self.begin if self.committed is None else max(self.begin, self.committed)

    @property
    def lag(self) -> int:
        """How many offsets are not settled yet."""
        return max(0, self.end - self.next)

    @property
    def lost(self) -> int:
        """How many offsets were deleted before they were settled."""
        return 0 if self.committed is None else max(0, self.begin - self.committed)


class CommandPartitions:
    """Looks at all partitions of the commands."""

    def __init__(self, log: LogReader, brokers: Brokers, group: str) -> None:
        self._log = log
        self._brokers = brokers
        self._group = group

    async def watch(self, partitions: int) -> tuple[list[Unsettled], set[int]]:
        """Return where every partition stands, and which of them have work and do none of it."""
        places, staying = await watched(
            lambda: self._look(partitions),
            has_work=lambda place: place.lag > 0,
            moved=lambda now, was: now.next != was.next,
        )
        # An end offset proves no record: the last offsets may be control records of a transaction.
        return list(places.values()), {
            number
            for number in staying
            if await self._log.first_from(COMMANDS, number, places[number].next) is not None
        }

    async def _look(self, partitions: int) -> dict[int, Unsettled]:
        committed = await self._brokers.committed(self._group, COMMANDS)
        # After the commits: a command that comes between the two is lag.
        held = await self._log.held(COMMANDS, range(partitions))
        readers = await self._brokers.members(self._group, COMMANDS)
        return {
            number: Unsettled(number, at.begin, at.end, committed.get(number), readers.get(number))
            for number, at in held.items()
        }
