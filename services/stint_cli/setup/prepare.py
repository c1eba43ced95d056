"""prepare: migrate, topics and demo in one process, so that a stack comes up sooner."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import asyncpg

from services.stint_cli.brokers import Brokers
from services.stint_cli.deployment.migrate import migrate
from services.stint_cli.deployment.topics import check_topics, make_topics, record_unless_lost
from services.stint_cli.setup.demo import Demo, make_demo, make_demo_policy
from shared.events.topics import Topic

_A = TypeVar("_A")
_B = TypeVar("_B")


async def prepare(
    conn: asyncpg.Connection, brokers: Brokers, demo: Demo, partitions: int, replication_factor: int | None
) -> list[str]:
    """Prepare Postgres and Kafka from nothing or from any earlier state, both at the same time.

    Return the demo's clients that were revoked.
    """
    _, missing = await _both(migrate(conn), check_topics(brokers, partitions, replication_factor))
    await record_unless_lost(conn, missing, partitions)
    revoked, _ = await _both(make_demo(conn, demo), _make_topics_and_policy(brokers, missing, replication_factor, demo))
    return revoked


async def _make_topics_and_policy(
    brokers: Brokers, missing: Sequence[Topic], replication_factor: int | None, demo: Demo
) -> None:
    await make_topics(brokers, missing, replication_factor)
    await make_demo_policy(demo)


async def _both(first: Awaitable[_A], second: Awaitable[_B]) -> tuple[_A, _B]:
    """Wait for both, also when one fails, because a broker's refusal must not cut off a migration."""
    one, two = await asyncio.gather(first, second, return_exceptions=True)
    if isinstance(one, BaseException):
        raise one
    if isinstance(two, BaseException):
        raise two
    return one, two
