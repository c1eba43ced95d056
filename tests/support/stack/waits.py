"""Waiting for a checkpoint, never for a time."""

import asyncio
from typing import Final

import asyncpg

from shared.events.topics import EVENTS, TEXTS
from tests.support.stack.deployments import Deployment
from tests.support.stack.logs import end_offsets
from tests.support.stack.until import eventually

WITHIN_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.02


async def passed(deployment: Deployment, position: str) -> None:
    """Return when the read models have passed a position "p:offset"."""
    partition, offset = (int(part) for part in position.split(":"))
    await _reached(deployment.dsn, {partition: offset + 1}, "checkpoint")


async def drained(deployment: Deployment, dsn: str | None = None) -> None:
    """Return when every press that is on the log now is folded, in our database or in `dsn`."""
    ends = await end_offsets(deployment.kafka, EVENTS)
    await _reached(dsn or deployment.dsn, ends, "checkpoint")


async def published(deployment: Deployment) -> None:
    """Return when every press that is on the log now is folded, and every outcome known to be on the judged stream."""
    await drained(deployment)
    behind = "SELECT count(*) FROM outcome o JOIN checkpoint c USING (kpart) WHERE o.source_offset >= c.published"
    await eventually(lambda: _finds_none(deployment, behind), "every outcome is published", WITHIN_SECONDS)


async def _finds_none(deployment: Deployment, count: str) -> bool:
    return bool(await deployment.pool.fetchval(count) == 0)


async def texts_kept(deployment: Deployment, dsn: str | None = None) -> None:
    """Return when every text that is on the log now is in its table, in our database or in `dsn`."""
    ends = await end_offsets(deployment.kafka, TEXTS)
    written = {partition: end for partition, end in ends.items() if end > 0}
    await _reached(dsn or deployment.dsn, written, "text_position")


async def _reached(dsn: str, wanted: dict[int, int], table: str) -> None:
    conn = await asyncpg.connect(dsn)
    waiting = dict(wanted)
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            while waiting:
                rows = await conn.fetch(f"SELECT kpart, next_offset FROM {table}")
                reached = {row["kpart"]: row["next_offset"] for row in rows}
                waiting = {part: end for part, end in wanted.items() if reached.get(part, 0) < end}
                await asyncio.sleep(_PAUSE_SECONDS if waiting else 0)
    except TimeoutError:
        raise TimeoutError(f"{table} did not reach {waiting} within {WITHIN_SECONDS:.0f} s") from None
    finally:
        await conn.close()
