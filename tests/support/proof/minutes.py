"""Minutes: what one owner worked, as each table that knows of it says. They agree, or something was counted twice."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

# What timers in these tests are started and stopped at: the same for all, so that each owner has worked half an hour.
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
    """How many timers an owner has, how many of them are stopped, and their time in microseconds, told three times."""

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
    """Return the event ids that have more than one verdict: none, for no test lasts thirty days."""
    conn = await asyncpg.connect(dsn)
    try:
        rows = await conn.fetch(
            "SELECT event_id::text FROM outcome WHERE event_id IS NOT NULL GROUP BY event_id HAVING count(*) > 1"
        )
    finally:
        await conn.close()
    return [row["event_id"] for row in rows]
