"""While the policies of the past are read: a document is there already, and a later record may have replaced it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.command_api.desk.commands import Asked, NotRecorded, StartTimer
from services.command_api.desk.desk import Desk
from services.command_api.submit.presses import Presses
from services.command_api.submit.replies import Waiters
from shared.events.policies.book import PolicyRecord
from shared.events.policy import Policy, Preset
from shared.kafka.clients import KafkaAddress
from shared.kafka.policy_reader import PolicyReader
from tests.support.fakes.desks import MACHINE, NOON, Clerk
from tests.unit.command_api.fakes import ticks
from tests.unit.command_api.submit.wired import FakeReads, FakeSender

FIRST, SECOND = "America/New_York", "Asia/Jerusalem"
ON_THE_TOPIC = 2
START_PATH = "/v2/timer/start"
LOCAL = {"owner": "7", "start_time": "2026-03-01T04:00:00"}


class Consumer:
    """A consumer of a topic that ended behind both documents when the process began."""

    async def end_offsets(self, partitions: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(partitions, ON_THE_TOPIC)

    async def position(self, _: object) -> int:
        return 0


@dataclass
class Window(Clerk):
    """A clerk whose policies are those of a real reader."""

    reader: PolicyReader | None = None

    def desk(self) -> Desk:
        assert self.reader is not None
        return replace(super().desk(), policies=self.reader)


@asynccontextmanager
async def reading() -> AsyncIterator[PolicyReader]:
    """Yield a reader that has applied the first of two documents of one tenant."""
    reader = PolicyReader(KafkaAddress(bootstrap_servers="nowhere:9092"))
    applies(reader, 0, FIRST, replaces=None)
    watching = asyncio.create_task(reader._watch(Consumer()))
    try:
        await ticks()
        yield reader
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def applies(reader: PolicyReader, offset: int, zone: str, replaces: int | None) -> None:
    document = Policy(preset=Preset.NATIVE, zone=zone)
    record = PolicyRecord(replaces=replaces, set_by="office", set_at=NOON, document=document)
    assert reader.book.apply(offset, MACHINE.tenant.encode(), record.model_dump_json(by_alias=True).encode(), NOON)


async def test_a_local_time_is_read_in_no_zone_that_was_replaced_before_the_process_began() -> None:
    """The control is the same call a moment later: four o'clock in Jerusalem, and not in New York."""
    async with reading() as reader:
        window = Window(reader=reader)
        async with window.client() as client:
            early = await client.post(START_PATH, json=LOCAL)
            assert (early.status_code, window.submitted) == (503, [])
            applies(reader, 1, SECOND, replaces=0)
            answer = await client.post(START_PATH, json=LOCAL)
        assert answer.status_code == 201
        command = window.only.command
        assert isinstance(command, StartTimer)
        assert command.at is not None
        assert command.at.instant == datetime(2026, 3, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("how", ["submit", "judged", "pass_on", "first_answer"])
async def test_a_press_is_recorded_under_no_policy_that_was_replaced_before_the_process_began(how: str) -> None:
    """It would name the old revision, and might be judged by it."""
    async with reading() as reader:
        sender = FakeSender()
        parts: Any = {"sender": sender, "reads": FakeReads(), "waiters": Waiters(10), "policies": reader}
        presses = Presses(**parts, reply_partition=9, now=lambda: NOON, expiry_seconds=30)
        asked = Asked(StartTimer(owner="dana"), MACHINE, "native", "a-key", 2.0)
        more = (None,) if how == "pass_on" else ()
        assert await getattr(presses, how)(asked, *more) == NotRecorded("no_policy")
        assert not sender.sent
        applies(reader, 1, SECOND, replaces=0)
        pressing = asyncio.create_task(presses.submit(asked))
        await ticks()
        assert [record.headers["ce_policyrev"] for record in sender.sent] == ["1"]
        pressing.cancel()
