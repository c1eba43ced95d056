"""Positions, "partition:offset": what a read waits for, so that a caller reads its own writes."""

import re
from typing import Final

from starlette.requests import Request

from services.command_api.desk.desk import Desk
from services.command_api.desk.rows import NoSuchPartitionError
from services.command_api.dialects.malformed import Malformed
from shared.events.rules import Rule

MIN_POSITION_WAIT_SECONDS: Final = 2.0

# Partitions and offsets as Postgres keeps them: integer and bigint, a digit short of where they end.
_POSITION: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,18})", re.ASCII)


def parse_position(text: str) -> tuple[int, int] | None:
    """Return partition and offset, or None when `text` is no position."""
    match = _POSITION.fullmatch(text)
    return None if match is None else (int(match[1]), int(match[2]))


async def fresh_enough(desk: Desk, tenant: str, request: Request) -> bool | Malformed:
    """Wait until the read models have passed `X-Min-Position`; False: 2 s were not enough. Raises ReadsAwayError."""
    given = request.headers.get("x-min-position")
    if given is None:
        return True
    wanted = parse_position(given)
    if wanted is None:
        return Malformed(Rule.VALUE_INVALID, "X-Min-Position")
    try:
        return await desk.reads.wait_for(tenant, *wanted, MIN_POSITION_WAIT_SECONDS)
    except NoSuchPartitionError:
        return Malformed(Rule.VALUE_INVALID, "X-Min-Position")
