"""Submission wired to parts in hand: a sender whose fates the test tells, and a store with one row or none.

Where they differ: a send takes no time, and nothing is judged. A test gives each verdict by itself.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.command_api.desk.commands import Answer, Asked, Caller, Command, StartTimer
from services.command_api.desk.rows import OutcomeRow, ReadsAwayError
from services.command_api.submit.presses import Presses
from services.command_api.submit.replies import Waiters
from services.command_api.submit.sender import Acked, Unacked
from shared.events.envelope import tolerant
from shared.events.ids import slot_of
from shared.events.outcome import Outcome
from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policy import Policy, Preset
from shared.events.topics import EVENTS, TEXTS
from tests.support.story.outcomes import outcome
from tests.unit.command_api.fakes import ticks

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
CALLER = Caller("acme", "desk", "machine")
START = StartTimer(owner="dana")
SLOT = slot_of("acme", "dana")
ACK = Acked(offset=5, log_time_ms=NOW_MS)


@dataclass
class SentRecord:
    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: dict[str, str]
    on_fate: Callable[[Acked | Unacked], None]


def request_of(record: SentRecord) -> str:
    """Return the id of the request that waits for the verdict on a record."""
    return record.headers["reply"].partition("/")[2]


@dataclass
class FakeSender:
    """Keeps its records; the test tells their fates."""

    partitions: dict[str, int] = field(default_factory=lambda: {EVENTS: 12, TEXTS: 12})
    sent: list[SentRecord] = field(default_factory=list)

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        headers: list[tuple[str, bytes]],
        on_fate: Callable[[Acked | Unacked], None],
    ) -> None:
        self.sent.append(SentRecord(topic, partition, key, value, tolerant(headers), on_fate))


@dataclass
class FakeReads:
    row: OutcomeRow | None = None
    away: bool = False
    looked: list[tuple[str, UUID, int | None]] = field(default_factory=list)

    async def outcome(self, tenant: str, event_id: UUID, kpart: int | None) -> OutcomeRow | None:
        self.looked.append((tenant, event_id, kpart))
        if self.away:
            raise ReadsAwayError
        return self.row


class Wired:
    def __init__(self, waiters_max: int = 100) -> None:
        self.sender = FakeSender()
        self.reads = FakeReads()
        self.waiters = Waiters(waiters_max)
        self.book = PolicyBook()
        record = PolicyRecord(
            replaces=None, set_by="t", set_at=NOW, document=Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")
        )
        self.book.apply(4, b"acme", record.model_dump_json(by_alias=True).encode(), NOW)
        parts: Any = {"sender": self.sender, "reads": self.reads, "waiters": self.waiters, "policies": self.book}
        self.presses = Presses(**parts, reply_partition=9, now=lambda: NOW, expiry_seconds=30)

    def submit(
        self, command: Command = START, key: str | None = None, wait: float = 2.0, tenant: str = "acme"
    ) -> "asyncio.Task[Answer]":
        caller = Caller(tenant, "desk", "machine")
        return asyncio.create_task(self.presses.submit(Asked(command, caller, "native", key, wait)))

    async def nth(self, number: int) -> SentRecord:
        await ticks()
        assert len(self.sender.sent) == number
        return self.sender.sent[-1]

    def reply(self, record: SentRecord, **said: Any) -> Outcome:  # noqa: ANN401
        given = outcome(event_id=record.headers["ce_id"], subject=int(record.key), **said)
        self.waiters.answer(request_of(record), given)
        return given

    def overdue(self) -> None:
        self.waiters.sweep(asyncio.get_running_loop().time() + 100)
