"""Rounds: so many commands at a time, all settled before the next ones are read."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from services.command_api.desk.intake.ports import CommandRecord


class Take(Protocol):
    """Settles one command, however long it takes. Returns False when its verdict did not come in time."""

    async def __call__(self, record: CommandRecord, *, patient: bool) -> bool:
        """Settle it."""


async def settle(records: Sequence[CommandRecord], take: Take) -> None:
    """Settle all records: one key's in their order, one after the other; different keys' at the same time."""
    by_key: dict[tuple[int, bytes | int], list[CommandRecord]] = {}
    for record in records:
        # Without a key there is no order to keep.
        mark = record.offset if record.key is None else record.key
        by_key.setdefault((record.partition, mark), []).append(record)
    async with asyncio.TaskGroup() as group:
        for of_one_key in by_key.values():
            group.create_task(_in_order(of_one_key, take))


async def _in_order(records: Sequence[CommandRecord], take: Take) -> None:
    patient = True
    for record in records:
        patient = await take(record, patient=patient)
