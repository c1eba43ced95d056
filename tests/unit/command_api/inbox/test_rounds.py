"""A round: one key's commands in their order, those of different keys together."""

import asyncio
from dataclasses import dataclass, field

from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.inbox.rounds import settle
from tests.support.fakes.desks import NOON
from tests.unit.command_api.fakes import ticks


def record(offset: int, key: bytes | None, partition: int = 0) -> CommandRecord:
    return CommandRecord(partition, offset, key, b"{}", [], NOON)


@dataclass
class Desk:
    """Takes commands; each ends when the test says whether its verdict was heard."""

    taken: dict[int, "asyncio.Future[bool]"] = field(default_factory=dict)
    patience: dict[int, bool] = field(default_factory=dict)

    async def take(self, record: CommandRecord, *, patient: bool) -> bool:
        self.patience[record.offset] = patient
        self.taken[record.offset] = asyncio.get_running_loop().create_future()
        return await self.taken[record.offset]


async def test_a_key_keeps_its_order_and_holds_up_no_other() -> None:
    desk = Desk()
    records = [record(1, b"dana"), record(2, b"noa"), record(3, b"dana"), record(4, None), record(5, None)]
    round_ = asyncio.create_task(settle([*records, record(6, b"dana", partition=1)], desk.take))
    await ticks()
    assert sorted(desk.taken) == [1, 2, 4, 5, 6]
    desk.taken[1].set_result(True)
    await ticks()
    assert sorted(desk.taken) == [1, 2, 3, 4, 5, 6]
    for offset in (2, 3, 4, 5):
        desk.taken[offset].set_result(True)
    await ticks()
    assert not round_.done()
    desk.taken[6].set_result(True)
    await round_


async def test_after_one_that_was_not_heard_its_key_waits_no_longer() -> None:
    desk = Desk()
    round_ = asyncio.create_task(settle([record(1, b"dana"), record(2, b"dana"), record(3, b"noa")], desk.take))
    await ticks()
    desk.taken[1].set_result(False)
    desk.taken[3].set_result(True)
    await ticks()
    desk.taken[2].set_result(True)
    await round_
    assert desk.patience == {1: True, 2: False, 3: True}
