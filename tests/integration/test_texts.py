"""Texts in a real Postgres: an older text never comes back, and one partition's trouble stays its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.projector.texts.batch import TextRecord
from services.projector.texts.projection import PositionWentBackError, Texts
from services.projector.texts.queries import query
from shared.events.ids import make_short, slot_of
from tests.support.stack.deployments import Deployment, fresh_owner

# Far from the partitions of the deployment, because its own texts come through here.
_partitions = iter(range(1_000, 2_000))


class Someone:
    """An owner with one timer, with texts on a partition of its own."""

    def __init__(self) -> None:
        self.owner, self.kpart, self.event = fresh_owner(), next(_partitions), uuid4()
        self.timer = make_short(1, slot_of("acme", self.owner), self.kpart % 1024)

    def wrote(self, offset: int, comment: str | None, **said: Any) -> TextRecord:  # noqa: ANN401 - JSON
        """Return a text record. `comment` None erases all texts."""
        value = {"tenant": "acme", "owner": self.owner, "event_id": str(self.event), "comment": comment} | said
        body = None if comment is None else json.dumps(value).encode()
        return TextRecord(self.kpart, offset, b"%d" % self.timer, body)


@pytest.fixture
def someone() -> Someone:
    return Someone()


@pytest.fixture
async def texts(deployment: Deployment) -> Texts:
    return Texts(deployment.pool)


@pytest.fixture
async def database(deployment: Deployment) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(deployment.dsn)
    yield conn
    await conn.close()


async def comments(database: asyncpg.Connection, *people: Someone) -> list[list[str]]:
    """Return the comments of each owner."""
    return [
        [row[0] for row in await database.fetch("SELECT comment FROM timer_text WHERE timer_id = $1", one.timer)]
        for one in people
    ]


async def test_the_newest_text_of_a_timer_is_kept(texts: Texts, someone: Someone, database: asyncpg.Connection) -> None:
    await texts.keep([someone.wrote(0, "one"), someone.wrote(4, "two")])
    assert await comments(database, someone) == [["two"]]
    assert await texts.next_offsets([someone.kpart, 2_000]) == {someone.kpart: 5, 2_000: 0}


async def test_the_first_texts_of_a_partition_are_kept_beside_those_of_another(
    texts: Texts, someone: Someone, database: asyncpg.Connection
) -> None:
    neighbour = Someone()
    await texts.keep([someone.wrote(0, "one")])
    await texts.keep([someone.wrote(1, "two"), neighbour.wrote(0, "first")])
    assert await comments(database, someone, neighbour) == [["two"], ["first"]]
    assert await texts.next_offsets([someone.kpart, neighbour.kpart]) == {someone.kpart: 2, neighbour.kpart: 1}


async def test_texts_that_come_again_change_nothing(
    texts: Texts, someone: Someone, database: asyncpg.Connection
) -> None:
    batch = [someone.wrote(0, "one"), someone.wrote(1, "two")]
    for _ in range(2):
        await texts.keep(batch)
        await texts.keep(batch[:1])
    assert await comments(database, someone) == [["two"]]
    assert await texts.next_offsets([someone.kpart]) == {someone.kpart: 2}


async def test_an_erased_text_is_not_brought_back_by_a_late_projector(
    texts: Texts, someone: Someone, database: asyncpg.Connection
) -> None:
    await texts.keep([someone.wrote(0, "secret"), someone.wrote(1, None)])
    await texts.keep([someone.wrote(0, "secret")])
    assert await comments(database, someone) == [[]]


async def test_without_its_position_a_late_text_would_come_back(
    texts: Texts, someone: Someone, database: asyncpg.Connection
) -> None:
    """The control of the test above: the position is the guard."""
    await texts.keep([someone.wrote(0, "secret"), someone.wrote(1, None)])
    await database.execute("UPDATE text_position SET next_offset = 0 WHERE kpart = $1", someone.kpart)
    await texts.next_offsets([someone.kpart])
    await texts.keep([someone.wrote(0, "secret")])
    assert await comments(database, someone) == [["secret"]]


async def test_an_older_dump_is_noticed_and_read_on_from_its_position(
    texts: Texts, someone: Someone, database: asyncpg.Connection
) -> None:
    """Going on from our own position would skip the texts in between for good."""
    await texts.keep([someone.wrote(0, "one"), someone.wrote(1, "two")])
    await database.execute("UPDATE text_position SET next_offset = 1 WHERE kpart = $1", someone.kpart)
    with pytest.raises(PositionWentBackError):
        await texts.keep([someone.wrote(2, "three")])
    assert (await texts.next_offsets([someone.kpart]))[someone.kpart] == 1
    await texts.keep([someone.wrote(1, "two"), someone.wrote(2, "three")])
    assert await comments(database, someone) == [["three"]]


async def test_erasing_takes_the_texts_of_every_event_and_of_no_other_timer(
    texts: Texts, someone: Someone, database: asyncpg.Connection
) -> None:
    neighbour = Someone()
    other_event = str(UUID(int=7))
    await texts.keep(
        [someone.wrote(0, "one"), someone.wrote(1, "two", event_id=other_event), neighbour.wrote(0, "mine")]
    )
    await texts.keep([someone.wrote(2, None)])
    assert await comments(database, someone, neighbour) == [[], ["mine"]]


async def test_an_unreadable_text_is_counted_once_and_passed(
    texts: Texts, someone: Someone, database: asyncpg.Connection
) -> None:
    batch = [
        TextRecord(someone.kpart, 0, None, b"{}"),
        TextRecord(someone.kpart, 1, b"%d" % someone.timer, b"\xff"),
        someone.wrote(2, "a\x00b"),
        someone.wrote(3, "fine"),
    ]
    for _ in range(2):
        await texts.keep(batch)
    assert texts.unreadable == 3
    assert await comments(database, someone) == [["fine"]]
    assert await texts.next_offsets([someone.kpart]) == {someone.kpart: 4}


async def test_a_row_that_postgres_refuses_is_passed_and_its_neighbours_are_kept(
    texts: Texts, someone: Someone, database: asyncpg.Connection
) -> None:
    neighbour = Someone()
    await database.execute("ALTER TABLE timer_text ADD CONSTRAINT no_canary CHECK (comment <> 'canary')")
    try:
        await texts.keep(
            [
                someone.wrote(0, "before"),
                neighbour.wrote(0, "canary"),
                someone.wrote(1, "after"),
                neighbour.wrote(1, "x", event_id=str(UUID(int=7))),
            ]
        )
    finally:
        await database.execute("ALTER TABLE timer_text DROP CONSTRAINT no_canary")
    assert await comments(database, someone, neighbour) == [["after"], ["x"]]
    assert texts.unreadable == 1


async def test_two_projectors_at_once_leave_what_one_would(
    texts: Texts, deployment: Deployment, database: asyncpg.Connection
) -> None:
    people = [Someone() for _ in range(5)]
    batch = [one.wrote(offset, f"{offset}") for one in people for offset in range(20)]
    other = Texts(deployment.pool)
    await asyncio.gather(
        texts.keep(batch),
        other.keep(list(batch[:60])),
        other.keep(batch[40:]),
        texts.keep(sorted(batch, key=lambda r: r.offset)),
    )
    assert await comments(database, *people) == [["19"]] * 5


async def test_a_postgres_that_hangs_up_is_asked_again(
    someone: Someone, deployment: Deployment, database: asyncpg.Connection
) -> None:
    async with asyncpg.create_pool(deployment.dsn, min_size=1, max_size=1) as pool:
        [row] = await pool.fetch("SELECT pg_backend_pid() AS pid")
        lock = database.transaction()
        await lock.start()
        await database.execute(query("make_text_positions"), [someone.kpart])
        keeping = asyncio.create_task(Texts(pool).keep([someone.wrote(0, "patience")]))
        await _waits_for_a_lock(deployment, row["pid"])
        await deployment.pool.execute("SELECT pg_terminate_backend($1)", row["pid"])
        await lock.rollback()
        await asyncio.wait_for(keeping, 10)
    assert await comments(database, someone) == [["patience"]]


async def _waits_for_a_lock(deployment: Deployment, pid: int) -> None:
    async with asyncio.timeout(10):
        waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
        while not await deployment.pool.fetchval(waits, pid):  # noqa: ASYNC110 - Postgres cannot set an event
            await asyncio.sleep(0.01)
