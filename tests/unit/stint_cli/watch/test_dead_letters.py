"""Dead letters: which are news to the doctor, and how far back the log is read for those that are listed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest

from services.stint_cli.trouble import Trouble
from services.stint_cli.watch import dead_letters
from services.stint_cli.watch.dead_letters import bytes_of, list_commands, of_the_dead_letters
from services.stint_cli.watch.log import Held
from shared.events.topics import COMMANDS, DEAD, EVENTS


@dataclass
class Letters:
    """Stands in for Postgres and for the log of dead commands: these letters lie on each, by their age."""

    ages: list[timedelta]

    def _new(self, since: datetime) -> int:
        return sum(datetime.now(UTC) - age >= since for age in self.ages)

    async def fetchrow(self, _sql: str, since: datetime) -> Mapping[str, int]:
        return {"count": len(self.ages), "new": self._new(since)}

    async def since(self, topic: str, kpart: int, moment: datetime) -> int | None:
        assert (topic, kpart) == (DEAD, 0)
        return 7 + len(self.ages) - self._new(moment) if self._new(moment) else None

    async def held(self, topic: str, kparts: list[int]) -> Mapping[int, Held]:
        assert (topic, kparts) == (DEAD, [0])
        return {0: Held(7, 7 + len(self.ages))}


OLD: Final = timedelta(hours=24, minutes=1)
NEW: Final = timedelta(hours=23, minutes=59)


@pytest.mark.parametrize(
    ("events", "commands", "found", "advised"),
    [
        ([], [], "0 events (0 of the last day) and 0 commands (0 of the last day)", []),
        ([OLD], [OLD, OLD], "1 events (0 of the last day) and 2 commands (0 of the last day)", []),
        ([OLD, NEW], [OLD], "2 events (1 of the last day) and 1 commands (0 of the last day)", [EVENTS]),
        ([OLD], [OLD, NEW], "1 events (0 of the last day) and 2 commands (1 of the last day)", [COMMANDS]),
        ([NEW], [NEW], "1 events (1 of the last day) and 1 commands (1 of the last day)", [EVENTS, COMMANDS]),
    ],
)
async def test_a_dead_letter_is_wrong_for_a_day_whether_event_or_command(
    events: list[timedelta], commands: list[timedelta], found: str, advised: list[str]
) -> None:
    conn: Any = Letters(events)
    log: Any = Letters(commands)
    told = await of_the_dead_letters(conn, log)
    assert told.found == f"{found} could not be read"
    advice = told.advice or ""
    assert [topic for topic in (EVENTS, COMMANDS) if topic in advice] == advised
    assert advice.count("`stint dead-letters list`") == len(advised)


@dataclass
class Log:
    """Stands in for the log of dead commands: records at these offsets, of which two at most come in one read."""

    offsets: Collection[int]
    end: int
    read_offsets: list[int] = field(default_factory=list)

    async def require(self, _topic: str, _kpart: int) -> None:
        return None

    async def held(self, _topic: str, _kparts: list[int]) -> Mapping[int, Held]:
        return {0: Held(5, self.end)}

    async def read(self, _topic: str, kpart: int, offset: int, most: int) -> list[SimpleNamespace]:
        found = sorted(at for at in self.offsets if at >= offset)[: min(2, most)]
        self.read_offsets += found
        return [SimpleNamespace(partition=kpart, offset=at, timestamp=at, headers=[]) for at in found]


@pytest.mark.parametrize(
    ("offsets", "end", "most", "listed"),
    [
        (range(5, 5), 5, 9, []),
        (range(5, 15), 15, 4, [14, 13, 12, 11]),
        (range(5, 15), 15, 10, [14, 13, 12, 11, 10, 9, 8, 7, 6, 5]),
        (range(5, 15), 15, 99, [14, 13, 12, 11, 10, 9, 8, 7, 6, 5]),
        # Offsets without a record for readers: in between, and at the end.
        ([5, 6, 12], 15, 2, [12, 6]),
        ([5, 6, 12], 15, 99, [12, 6, 5]),
    ],
)
async def test_the_newest_dead_commands_are_read_and_no_others(
    offsets: Collection[int], end: int, most: int, listed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "_AT_ONCE", 3)
    log: Any = Log(offsets, end)
    assert [one.offset for one in await list_commands(log, most)] == listed
    if isinstance(offsets, range):
        assert sorted(log.read_offsets) == sorted(listed)


class Nothing:
    """Stands in for a log that has no record where it is asked for one."""

    async def require(self, topic: str, kpart: int) -> None:
        """Find the partition there."""

    async def first_from(self, topic: str, kpart: int, offset: int) -> None:
        """Find no record."""


@pytest.mark.parametrize(("topic", "hints"), [(EVENTS, True), (DEAD, False)])
async def test_a_place_without_a_record_may_be_that_of_a_command(topic: str, *, hints: bool) -> None:
    """The list has both kinds, and a place of a command was looked for among events, in a circle."""
    log: Any = Nothing()
    with pytest.raises(Trouble, match=f"^{topic} has no record at 0:2: look at `stint dead-letters list`") as end:
        await bytes_of(log, topic, 0, 2)
    assert str(end.value).endswith("needs --command.") is hints
