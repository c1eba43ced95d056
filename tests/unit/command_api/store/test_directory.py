"""The directory: lookups that strangers cause get a share of the pool, and no more."""

import asyncio
from typing import Any

import pytest

from services.command_api.desk.rows import ReadsAwayError
from services.command_api.store.directory import LOOKUPS_WAITING_MAX, Directory


class SlowDatabase:
    """Answers no query until the test says so, and counts the queries that it holds."""

    def __init__(self, connections_max: int = 10, within_seconds: float = 5.0) -> None:
        self.connections_max = connections_max
        self.within_seconds = within_seconds
        self.answers = asyncio.Event()
        self.asked = 0

    async def row(self, _sql: str, *_arguments: object) -> None:
        self.asked += 1
        await self.answers.wait()


def directory_on(database: Any) -> Directory:  # noqa: ANN401 - a stand-in for the database
    return Directory(database)


@pytest.mark.parametrize(("connections", "share"), [(10, 3), (3, 1), (1, 1)])
async def test_two_hundred_unknown_tokens_leave_most_connections_to_reads(connections: int, share: int) -> None:
    """Three of ten connections look up, a hundred tokens wait, and the rest are answered at once: not now."""
    database = SlowDatabase(connections)
    directory = directory_on(database)
    looking = [asyncio.create_task(directory.token(f"guess-{number}")) for number in range(200)]
    await asyncio.sleep(0.01)
    assert database.asked == share
    turned_away = [task for task in looking if task.done()]
    assert len(turned_away) == 200 - share - LOOKUPS_WAITING_MAX
    assert {type(task.exception()) for task in turned_away} == {ReadsAwayError}
    database.answers.set()
    heard = await asyncio.gather(*looking, return_exceptions=True)
    assert heard.count(None) == share + LOOKUPS_WAITING_MAX
    assert await directory.client("desk") is None  # there is room again


async def test_a_lookup_waits_no_longer_for_its_turn_than_for_an_answer() -> None:
    database = SlowDatabase(connections_max=1, within_seconds=0.05)
    directory = directory_on(database)
    looking = asyncio.create_task(directory.token("slow"))
    await asyncio.sleep(0)
    async with asyncio.timeout(1.0):
        with pytest.raises(ReadsAwayError):
            await directory.token("next")
    database.answers.set()
    assert await looking is None
    assert await directory.token("next") is None
