"""The control of the burst: an API that commits commands too early. `python -m tests.faults.hasty_api`."""

import asyncio
from collections.abc import Sequence
from typing import Final

from services.command_api.__main__ import main
from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.inbox import feed
from services.command_api.inbox.rounds import Take, settle

_rounds: Final[set[asyncio.Task[None]]] = set()


async def begin(records: Sequence[CommandRecord], take: Take) -> None:
    """Begin a round, and do not wait for its end."""
    _rounds.add(asyncio.create_task(settle(records, take)))


if __name__ == "__main__":
    feed.settle = begin  # type: ignore[attr-defined] # it is there under its imported name
    main()
