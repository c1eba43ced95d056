"""An API process: the product's submitter and waiters, on a sender and reads that lead into the world.

Where it differs from the API: there are no HTTP, no dialects, no tokens and no desk. The sender is not the product's.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn, assert_never, cast
from uuid import UUID

from services.command_api.desk.commands import Answer, Asked, Caller, PressTimer, StartTimer, TimerCommand
from services.command_api.desk.desk import Reads
from services.command_api.desk.rows import OutcomeRow, ReadsAwayError
from services.command_api.submit.presses import Presses
from services.command_api.submit.replies import ReplyReader, Waiters
from services.command_api.submit.sender import Acked, OnFate, Sender, Unacked
from shared.events.idempotency import keyed_event_id
from shared.events.ids import TimerIds
from shared.events.outcome import digest_of_body
from shared.events.policies.book import PolicyBook
from shared.events.topics import EVENTS, TEXTS
from shared.process.clock import Now
from tests.world.world import World

_SWEEP_SECONDS: Final = 0.25
_WAIT_SECONDS: Final = 2.0
_EXPIRY_SECONDS: Final = 30.0
_GIVES_UP_SECONDS: Final = 5.0
LATE_SECONDS: Final = 20.0
_WAITERS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A record of the replies."""

    offset: int
    value: bytes | None


def _no_consumer() -> NoReturn:
    raise AssertionError("the world delivers replies itself")


class Office:
    """One replica of the API. `skew` is how far its clock is off."""

    def __init__(self, world: World, number: int, skew: timedelta) -> None:
        self.world = world
        self.number = number
        self.book = PolicyBook()
        self._skew = skew
        # In order: when the process dies, the calls are cancelled in the order in which they came.
        self._calls: dict[asyncio.Task[Answer], None] = {}
        self._open()
        world.spawn(self._sweep())

    def _open(self) -> None:
        self._waiters = Waiters(_WAITERS_MAX)
        self._presses = Presses(
            sender=cast("Sender", Post(self.world)),
            waiters=self._waiters,
            reply_partition=self.number,
            policies=self.book,
            reads=cast("Reads", Window(self.world)),
            now=self.now,
            expiry_seconds=_EXPIRY_SECONDS,
        )
        self._presses._ids = cast("TimerIds", Ids(self.world, self.now))
        reader = ReplyReader(_no_consumer, self._waiters)
        self.world.mailboxes[self.number] = lambda record: reader._take(_Delivered(0, record))

    def now(self) -> datetime:
        """Return what this machine's clock shows."""
        return self.world.now() + self._skew

    async def submit(self, command: TimerCommand, caller: Caller, key: str) -> Answer | None:
        """Return the answer, or None if the process died before it."""
        self._read_policies()
        pressing = self._presses.submit(Asked(command, caller, "native", key, _WAIT_SECONDS))
        call: asyncio.Task[Answer] = self.world.spawn(pressing)
        self._calls[call] = None
        if self.world.happens("api_killed"):
            self.world.loop.call_later(self.world.chance.random() * 0.2, self._kill)
        await asyncio.wait([call])
        self._calls.pop(call)
        return None if call.cancelled() else call.result()

    def _kill(self) -> None:
        """End at once with all calls that wait, and start again with an empty memory."""
        for call in tuple(self._calls):
            call.cancel()
        self._open()

    def _read_policies(self) -> None:
        records = self.world.policies.records
        for offset in range(self.book.position + 1, len(records)):
            self.book.apply(offset, *records[offset])

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._waiters.sweep(self.world.loop.now)


class Ids:
    """Draws ids like `TimerIds`. Sometimes it draws an id that another process has drawn in the same moment."""

    def __init__(self, world: World, now: Now) -> None:
        self._world = world
        self._own = TimerIds(now, world.chance.getrandbits)
        self._drawn: set[int] = set()

    def draw(self, slot: int) -> int:
        """Return an id that this process has not drawn before."""
        others = self._world.drawn.get(slot)
        if others is not None and others not in self._drawn and self._world.happens("same_id_drawn"):
            drawn = others
        else:
            drawn = self._own.draw(slot)
        self._drawn.add(drawn)
        self._world.drawn[slot] = drawn
        return drawn


class Post:
    """In the place of `Sender`: a send may be lost, late, doubled, or of unknown fate."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.partitions = {EVENTS: world.plan.partitions, TEXTS: world.plan.partitions}

    def send(
        self, topic: str, partition: int, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]], told: OnFate
    ) -> None:
        """Send one press. `told` is called once."""
        world, later = self._world, self._world.loop.call_later
        land = self._land if topic == EVENTS else self._land_text
        send = (partition, key, tuple(headers), value)
        if world.kafka_away or world.happens("send_lost"):
            later(_GIVES_UP_SECONDS, told, Unacked("fate_unknown"))
        elif world.happens("send_unknown"):
            world.on_their_way += 1
            later(world.soon(), land, *send, None)
            later(_GIVES_UP_SECONDS, told, Unacked("fate_unknown"))
        elif world.happens("send_late"):
            world.on_their_way += 1
            later(_GIVES_UP_SECONDS, told, Unacked("fate_unknown"))
            later(world.chance.random() * LATE_SECONDS, land, *send, None)
        else:
            world.on_their_way += 1
            later(world.soon(), land, *send, told)
            if world.happens("send_doubled"):
                world.on_their_way += 1
                later(world.soon(), land, *send, None)

    def _land(
        self, partition: int, key: bytes, headers: tuple[tuple[str, bytes], ...], value: bytes, told: OnFate | None
    ) -> None:
        self._world.on_their_way -= 1
        record = self._world.events.append(partition, key, headers, value)
        if told is not None:
            without = self._world.happens("ack_without_time")
            told(Acked(record.offset, None if without else record.timestamp))

    def _land_text(self, partition: int, key: bytes, _: object, value: bytes, told: OnFate | None) -> None:
        self._world.on_their_way -= 1
        record = self._world.texts.append(partition, key, value)
        if told is not None:
            told(Acked(record.offset, 0))


class Window:
    """The read model, in which the submitter looks once after it has waited in vain."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def outcome(self, tenant: str, event_id: UUID, kpart: int | None) -> OutcomeRow | None:
        """Return the newest outcome of an event id."""
        database = self._world.database
        if database.away:
            raise ReadsAwayError
        rows = [r for r in database.tables.rows["outcome"].values() if r[2] == event_id and r[3] == tenant]
        rows = [r for r in rows if kpart is None or r[0] == kpart]
        if not rows:
            return None
        kpart_, source_offset, _, _, log_time, body = max(rows)
        return OutcomeRow(kpart_, source_offset, event_id, digest_of_body(body), log_time.astimezone(UTC), body)


def event_id_of(command: TimerCommand, caller: Caller, key: str) -> UUID:
    """Return the event id that a press has under its key."""
    match command:
        case StartTimer(owner=owner):
            return keyed_event_id(caller.tenant, caller.client, "owner", owner, key)
        case PressTimer(timer_id=timer_id):
            return keyed_event_id(caller.tenant, caller.client, "timer", str(timer_id), key)
        case _:
            assert_never(command)
