"""The projector's ports, held in one hand: logs that are lists, a clock that moves when told, and trouble on demand.

They try the branches of the loop one at a time. Faults that come together are tried in `tests/world`.
Where they differ: a call fails only when a test says so, and takes no time. There is no group, no transaction, no
second process, and a publish is never torn or doubled.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from services.projector.ports import RawRecord, Span, ToPublish
from shared.events.codec import write_body
from shared.events.envelope import encode_headers
from shared.events.policies.book import PolicyBook
from tests.support.story.given import Told
from tests.support.story.presses import Record

_TURNS: Final = 60
GAP: Final = b"no record lies here"
NULL: Final = b"a record without a value lies here"
_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def record(told: Told, offset: int) -> Record:
    """Return the record that carries a press."""
    press = told.logged(offset)
    timestamp = (press.log_time - _UNIX_EPOCH) // timedelta(milliseconds=1)
    return Record(offset, timestamp, list(encode_headers(press.envelope)), write_body(press.event))


def records(*told: Told) -> list[Record]:
    """Return a log of presses, from offset 0."""
    return [record(press, offset) for offset, press in enumerate(told)]


async def turns(count: int = _TURNS) -> None:
    """Run the tasks of the event loop for so many turns."""
    for _ in range(count):
        await asyncio.sleep(0)


@dataclass
class EventsInHand:
    """`ports.EventLog`. A partition is read after `read_from`, and is not read while it is held.

    Offsets may have gaps; `ends` gives the end of a log whose last offsets hold no record. A poll waits without limit.
    """

    logs: dict[int, list[Record]] = field(default_factory=lambda: defaultdict(list))
    begins: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    at_once: int = 100
    broken: Exception | None = None
    first_from_raises: list[Exception] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def append(self, kpart: int, *more: Record) -> None:
        """Put records at the end of a partition."""
        self.logs[kpart] += more
        self._more.set()

    async def poll(self) -> dict[int, Sequence[RawRecord]]:
        while not (found := self._take()):
            self._more.clear()
            await self._more.wait()
            if not self.positions:
                return {}
        return found

    def end_poll(self) -> None:
        """Return nothing from a poll that waits."""
        self.positions.clear()
        self._more.set()

    def _take(self) -> dict[int, Sequence[RawRecord]]:
        found: dict[int, Sequence[RawRecord]] = {}
        for kpart, position in self.positions.items():
            if batch := [one for one in self.logs[kpart] if one.offset >= position][: self.at_once]:
                found[kpart] = batch
                self.positions[kpart] = batch[-1].offset + 1
        return found

    def hold(self, kpart: int) -> None:
        self.positions.pop(kpart, None)

    def read_from(self, kpart: int, offset: int) -> None:
        self.positions[kpart] = offset
        self._more.set()

    async def span(self, kpart: int) -> Span:
        if self.broken is not None:
            raise self.broken
        log = self.logs[kpart]
        return Span(self.begins.get(kpart, 0), self.ends.get(kpart, log[-1].offset + 1 if log else 0))

    async def first_from(self, kpart: int, offset: int) -> RawRecord | None:
        if self.broken is not None:
            raise self.broken
        if self.first_from_raises:
            raise self.first_from_raises.pop(0)
        return next((one for one in self.logs[kpart] if one.offset >= offset), None)


@dataclass
class OutcomesInHand:
    """`ports.OutcomeLog`. `at_once` records are read at a time. When it is `broken`, a publish writes nothing.

    A GAP in a stream is an offset without a record, a NULL is a record without a value.
    """

    streams: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    begins: dict[int, int] = field(default_factory=dict)
    keys: list[bytes | None] = field(default_factory=list)
    at_once: int = 100
    broken: Exception | None = None

    async def span(self, kpart: int) -> Span:
        return Span(self.begins.get(kpart, 0), len(self.streams[kpart]))

    async def read(self, kpart: int, start: int, end: int) -> Sequence[tuple[int, bytes | None]]:
        there = [(offset, body) for offset, body in enumerate(self.streams[kpart]) if body is not GAP]
        return [(offset, None if body is NULL else body) for offset, body in there if start <= offset < end][
            : self.at_once
        ]

    async def publish(self, kpart: int, outcomes: Sequence[ToPublish]) -> int:
        if self.broken is not None:
            raise self.broken
        self.streams[kpart] += [outcome.body for outcome in outcomes]
        self.keys += [outcome.key for outcome in outcomes]
        return len(self.streams[kpart])


@dataclass
class StuckStream(OutcomesInHand):
    """A judged stream that acks nothing before `lets_go`."""

    unstuck: asyncio.Event = field(default_factory=asyncio.Event)

    def lets_go(self) -> None:
        """Ack what was published so far, and all that follows."""
        self.unstuck.set()

    async def publish(self, kpart: int, outcomes: Sequence[ToPublish]) -> int:
        await self.unstuck.wait()
        return await super().publish(kpart, outcomes)


@dataclass
class RepliesInHand:
    """`ports.Replies`: what was sent, by topic and partition. No reply is lost."""

    sent: list[tuple[str, int, list[tuple[str, bytes]]]] = field(default_factory=list)

    def send(self, topic: str, partition: int, answers: Sequence[tuple[str, bytes]]) -> None:
        self.sent.append((topic, partition, list(answers)))


@dataclass
class ClockInHand:
    """`ports.Clock`. A sleeper wakes when the test has let enough time pass, and never by itself.

    `asked` are the waits of the loop and the keeper; what goes on beside them waits in `by_upkeep`.
    """

    now: float = 0.0
    asked: list[float] = field(default_factory=list)
    by_upkeep: list[float] = field(default_factory=list)
    _sleepers: list[tuple[float, asyncio.Event]] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        task = asyncio.current_task()
        upkeep = task is not None and task.get_name().startswith("upkeep")
        (self.by_upkeep if upkeep else self.asked).append(seconds)
        waker = asyncio.Event()
        self._sleepers.append((self.now + seconds, waker))
        await waker.wait()

    async def passes(self, seconds: float) -> None:
        """Let time pass, and wake the sleepers whose time has come."""
        await turns()
        self.now += seconds
        due = [waker for until, waker in self._sleepers if until <= self.now]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self.now]
        for waker in due:
            waker.set()
        await turns()


@dataclass
class PoliciesInHand:
    """`ports.PolicyProgress`: a revision is reached when the test has read the book that far."""

    book: PolicyBook
    # Which revision, and for how many seconds.
    asked: list[tuple[int, float]] = field(default_factory=list)
    # Where the topic ends: further on than anything that a test names, unless it says otherwise.
    ends_at: int = 1 << 40
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def reach(self, policy_rev: int, seconds: float) -> bool:
        self.asked.append((policy_rev, seconds))
        await self._moved.wait()
        self._moved.clear()
        return self.book.position >= policy_rev

    async def end(self) -> int:
        return self.ends_at

    def look(self) -> None:
        """Wake the callers of `reach`: each looks at the book once more, as when its time is over."""
        self._moved.set()
