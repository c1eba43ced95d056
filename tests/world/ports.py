"""The ports of a projector in the world: Kafka and Postgres with their habits and their faults.

Where they differ: as `topics`, `group` and `database` do. Each call takes a random moment, passes the numbered points
of its process, and may fail as the plan says.
"""

import asyncio
import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from services.projector.ports import Advance, Checkpoint, Found, RawRecord, Span, ToPublish, Wanted
from shared.events.outcome import join_replies
from tests.world.topics import Bell, EventRecord

if TYPE_CHECKING:
    from tests.world.process import Process

_POLL_SECONDS: Final = 2.0
_LATE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.05
_FROZEN_SECONDS: Final = 15.0
STRANGE_REPLIES: Final = (
    None,
    b"",
    b"not json",
    b"{}",
    b'[{"request_id":1}]',
    b'[{"request_id":"r","outcome":{"v":2}}]',
)


class Consumer:
    """`ports.EventLog`: the events, as a member of the group reads them."""

    def __init__(self, process: "Process") -> None:
        self.positions: dict[int, int] = {}
        self._held: set[int] = set()
        # Records that were fetched before a seek, and are handed out after it.
        self._stale: dict[int, list[EventRecord]] = {}
        self._process = process
        self._world = process.world
        self._bell = Bell()
        self._world.events.listen(self._hear)

    def close(self) -> None:
        """Read nothing more."""
        self._world.events.silence(self._hear)

    def _hear(self, kpart: int) -> None:
        if kpart in self.positions and kpart not in self._held:
            self._bell.ring()

    def assign(self, kparts: list[int]) -> None:
        """Begin with every partition paused, and sought to 0."""
        self._stale.clear()
        self.positions = dict.fromkeys(kparts, 0)
        self._held = set(kparts)

    async def poll(self) -> dict[int, Sequence[RawRecord]]:
        await self._process.point("poll")
        if not (records := self._take()):
            await self._bell.wait(_POLL_SECONDS)
            self._process.live()
            records = self._take()
        if records:
            await self._process.point("poll with records in hand")
        return records

    def _take(self) -> dict[int, Sequence[RawRecord]]:
        chance, left = self._world.chance, self._world.plan.batch_max
        found: dict[int, Sequence[RawRecord]] = {}
        if self._world.kafka_away:
            return found
        readable = [kpart for kpart in self.positions if kpart not in self._held]
        for kpart in chance.sample(readable, len(readable)):
            if stale := self._stale.pop(kpart, []):
                found[kpart] = stale
                continue
            events, position = self._world.events, self.positions[kpart]
            if not events.begins[kpart] <= position <= events.end(kpart):
                self._process.displaced([kpart], "position_out_of_range")
            elif left > 0 and (there := _from(events.records[kpart], position)):
                found[kpart] = there[: chance.randint(1, left)]
                left -= len(found[kpart])
                self.positions[kpart] = found[kpart][-1].offset + 1
        return found

    def hold(self, kpart: int) -> None:
        if kpart in self.positions:
            self._held.add(kpart)

    def read_from(self, kpart: int, offset: int) -> None:
        if kpart in self.positions:
            if offset < self.positions[kpart] and self._world.happens("stale_fetch"):
                self._stale[kpart] = _from(self._world.events.records[kpart], offset)[1:3]
            self.positions[kpart] = offset
            self._held.discard(kpart)
            self._bell.ring()

    async def span(self, kpart: int) -> Span:
        await self._reach("span of the events")
        events = self._world.events
        return Span(events.begins[kpart], events.end(kpart))

    async def first_from(self, kpart: int, offset: int) -> EventRecord | None:
        await self._reach("record before the checkpoint")
        events = self._world.events
        return next(iter(_from(events.records[kpart], max(offset, events.begins[kpart]))), None)

    async def _reach(self, name: str) -> None:
        await self._process.point(name)
        if self._world.kafka_away or self._world.happens("kafka_read_failed"):
            raise ConnectionError("the broker does not answer")


def _from(records: list[EventRecord], offset: int) -> list[EventRecord]:
    return records[bisect_left(records, offset, key=lambda record: record.offset) :]


class Stream:
    """`ports.OutcomeLog`: the judged stream."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._world = process.world

    async def span(self, kpart: int) -> Span:
        await self._reach("span of the outcomes")
        return Span(0, self._world.outcomes.end(kpart))

    async def read(self, kpart: int, start: int, end: int) -> Sequence[tuple[int, bytes | None]]:
        await self._reach("catch up")
        there = [(r.offset, r.value) for r in self._world.outcomes.records[kpart] if start <= r.offset < end]
        return there[: self._world.chance.randint(1, max(1, self._world.plan.batch_max))]

    async def publish(self, kpart: int, outcomes: Sequence[ToPublish]) -> int:
        await self._reach("before publish")
        world, topic, batch = self._world, self._world.outcomes, list(outcomes)
        if world.happens("publish_lost"):
            raise ConnectionError("nothing was appended")
        if world.happens("publish_torn"):
            topic.append(kpart, batch[: world.chance.randrange(len(batch) + 1)])
            raise ConnectionError("some was appended, and no ack came")
        if world.happens("publish_late"):
            world.on_their_way += 1
            world.loop.call_later(world.chance.random() * _LATE_SECONDS, self._land, kpart, batch)
            raise ConnectionError("no ack came; it will land later")
        end = topic.append(kpart, batch)
        if world.happens("publish_unknown"):
            raise ConnectionError("all was appended, and no ack came")
        await self._process.point("after publish")
        return end

    def _land(self, kpart: int, batch: list[ToPublish]) -> None:
        self._world.on_their_way -= 1
        self._world.outcomes.append(kpart, batch)

    async def _reach(self, name: str) -> None:
        await self._process.point(name)
        if self._world.kafka_away or self._world.happens("kafka_read_failed"):
            raise ConnectionError("the broker does not answer")


class Replies:
    """`ports.Replies`: verdicts for the offices. A reply may be lost, doubled, forged or strange."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._world = process.world

    def send(self, topic: str, partition: int, answers: Sequence[tuple[str, bytes]]) -> None:
        del topic
        world = self._world
        if self._process.dead or world.kafka_away or world.happens("reply_lost"):
            return
        if world.happens("strange_reply"):
            self._deliver(partition, world.chance.choice(STRANGE_REPLIES))
        if world.happens("reply_forged"):
            self._deliver(partition, join_replies([(id_, _of_another_press(body)) for id_, body in answers]))
        for _ in range(1 + world.happens("reply_doubled")):
            world.loop.call_later(world.soon(), self._deliver, partition, join_replies(answers))

    def _deliver(self, partition: int, record: bytes | None) -> None:
        if (hear := self._world.mailboxes.get(partition)) is not None:
            hear(record)


def _of_another_press(body: bytes) -> bytes:
    """Return a verdict on another press, to be sent under the request id of this one."""
    said = json.loads(body)
    no: dict[str, object] = {
        "event_id": str(UUID(int=0xF)),
        "verdict": "refused",
        "rule": "R07",
        "timer": None,
        "changed": [],
    }
    return json.dumps(said | no).encode()


class Policies:
    """`ports.PolicyProgress`: how far this process has read them."""

    def __init__(self, process: "Process") -> None:
        self._process = process

    async def reach(self, policy_rev: int, seconds: float) -> bool:
        await self._process.point("policies")
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self._process.book.position < policy_rev:
            if loop.time() >= until:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    async def end(self) -> int:
        await self._process.point("end of the policies")
        if self._process.world.kafka_away:
            raise ConnectionError("the broker does not answer")
        return len(self._process.world.policies.records)


class Time:
    """`ports.Clock`: virtual, like all time here."""

    def __init__(self, process: "Process") -> None:
        self._process = process

    def monotonic(self) -> float:
        return self._process.world.loop.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Store:
    """`ports.Store`: one database for all processes. It may be away, frozen, or break off after a commit."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._world = process.world
        self._database = process.world.database

    async def checkpoint(self, kpart: int) -> Checkpoint:
        await self._reach("load the checkpoint")
        return self._database.tables.checkpoint[kpart]

    async def read(self, wanted: Wanted) -> Found:
        await self._reach("before read")
        found = self._database.tables.read(wanted)
        await self._process.point("after read")
        return found

    async def commit(self, advances: Sequence[Advance]) -> None:
        world, database = self._world, self._database
        await self._reach("before commit", "commit_lost")
        transaction = await database.begin(advance.to.kpart for advance in advances)
        try:
            database.stage(transaction, advances)
            await self._process.point("inside commit")
            database.commit(transaction, advances)
        finally:
            database.end(transaction)
        if world.happens("commit_unknown"):
            raise ConnectionError("committed, and the connection broke before it said so")
        await self._process.point("after commit")

    async def unpublished(self, kpart: int, published: int, limit: int) -> Sequence[ToPublish]:
        await self._reach("before unpublished")
        return self._database.tables.unpublished(kpart, published, limit)

    async def save_progress(self, ats: Sequence[Checkpoint]) -> Mapping[int, bool]:
        await self._reach("save progress")
        stands = {at.kpart: self._database.save_progress(at) for at in ats}
        return {kpart: there for kpart, there in stands.items() if there is not None}

    async def prune(self, kpart: int) -> bool:
        await self._reach("prune")
        pruned = self._database.prune(kpart, self._world.now())
        self._world.fired["pruned"] += pruned
        return pruned > 0

    async def _reach(self, name: str, fault: str = "read_failed") -> None:
        await self._process.point(name)
        self._database.reach()
        if self._world.happens(fault):
            raise ConnectionError("the connection broke")
        if self._world.happens("store_froze"):
            await asyncio.sleep(self._world.chance.random() * _FROZEN_SECONDS)
            raise TimeoutError("no answer came in time")
