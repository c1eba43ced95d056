"""Minutes: what one owner worked, as each table has it. Tables that differ have counted something twice."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

# When timers in these tests start and stop. It is the same for all, so each owner has worked half an hour.
BEGAN: Final = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0)
ENDED: Final = BEGAN + timedelta(minutes=30)
HALF_AN_HOUR: Final = 30 * 60 * 1_000_000

_WORKED: Final = """
SELECT w.owner,
       (SELECT count(*) FROM fold_v1.timer t WHERE t.owner = w.owner) AS timers,
       (SELECT count(*) FROM fold_v1.timer t WHERE t.owner = w.owner AND t.state = 'STOPPED') AS stopped,
       (SELECT coalesce(sum(t.total_us), 0)::bigint FROM fold_v1.timer t WHERE t.owner = w.owner) AS timer_us,
       (SELECT coalesce(sum(d.total_us), 0)::bigint FROM fold_v1.day_total d WHERE d.owner = w.owner) AS day_us,
       (SELECT coalesce(sum(extract(epoch FROM i.end_at - i.start_at) * 1000000), 0)::bigint
          FROM fold_v1.interval i WHERE i.owner = w.owner) AS interval_us
  FROM unnest($1::text[]) AS w (owner)
"""


@dataclass(frozen=True, slots=True)
class Worked:
    """An owner's timers, how many of them are stopped, and their time in microseconds as three tables have it."""

    timers: int
    stopped: int
    timer_us: int
    day_us: int
    interval_us: int


ONE_STOPPED_TIMER: Final = Worked(1, 1, HALF_AN_HOUR, HALF_AN_HOUR, HALF_AN_HOUR)


async def worked(dsn: str, *owners: str) -> dict[str, Worked]:
    """Return what each of `owners` worked."""
    conn = await asyncpg.connect(dsn)
    try:
        rows = await conn.fetch(_WORKED, list(owners))
    finally:
        await conn.close()
    return {row["owner"]: Worked(*list(row)[1:]) for row in rows}


async def kept_twice(dsn: str) -> list[str]:
    """Return the event ids with more than one verdict. There should be none, because no test lasts thirty days."""
    conn = await asyncpg.connect(dsn)
    try:
        rows = await conn.fetch(
            "SELECT event_id::text FROM outcome WHERE event_id IS NOT NULL GROUP BY event_id HAVING count(*) > 1"
        )
    finally:
        await conn.close()
    return [row["event_id"] for row in rows]
