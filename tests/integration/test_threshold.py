"""The count of requests (R19) by SQL: who goes on, when a lock begins and ends, and which rows stay."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import pytest

from deploy.local.settings import HOST
from services.command_api.store import database as database_module
from services.command_api.store.database import Database, query
from services.command_api.store.threshold import CallerOnUri, counted_in
from services.stint_cli.database import Session, connected
from tests.support.stack.deployments import Deployment, fresh_owner

PER_MINUTE: Final = 20
LOCK_SECONDS: Final = 300
COUNT: Final = query("count_requests")
TIMER: Final = "/api/timetracker/timer"


class Caller:
    """One caller of a tenant, and what Postgres says of each of its requests."""

    def __init__(self, conn: Session, client: str, tenant: str = "acme", uri: str = TIMER) -> None:
        self.conn = conn
        self.key = (tenant, client, uri)

    async def asks(self, asked: int = 1, *, lock_seconds: int = LOCK_SECONDS) -> tuple[int, int]:
        """Count requests; return how many of them go on, and for how many seconds the others are locked out."""
        row = await self.conn.fetchrow(COUNT, *self.key, asked, PER_MINUTE, lock_seconds)
        assert row is not None
        return row["went_on"], row["locked_seconds"]

    async def later(self, seconds: float) -> None:
        """Let time pass: all moments of the row are that much longer ago."""
        await self.conn.execute(
            """
            UPDATE threshold
               SET went_on_at = ARRAY(SELECT m - make_interval(secs => $4) FROM unnest(went_on_at) AS m),
                   locked_until = locked_until - make_interval(secs => $4),
                   stale_at = stale_at - make_interval(secs => $4)
             WHERE (tenant, client, uri) = ($1, $2, $3)
            """,
            *self.key,
            seconds,
        )


@pytest.fixture
async def conn(deployment: Deployment) -> AsyncIterator[Session]:
    async with deployment.pool.acquire() as conn:
        yield conn


@pytest.fixture
def caller(conn: Session) -> Caller:
    return Caller(conn, fresh_owner())


async def test_twenty_requests_go_on_and_the_next_one_is_locked_out(caller: Caller) -> None:
    assert [await caller.asks() for _ in range(PER_MINUTE)] == [(1, 0)] * PER_MINUTE
    assert await caller.asks() == (0, LOCK_SECONDS)


async def test_of_requests_that_are_counted_together_as_many_go_on(caller: Caller) -> None:
    assert await caller.asks(15) == (15, 0)
    assert await caller.asks(15) == (5, LOCK_SECONDS)
    assert await caller.asks(15) == (0, LOCK_SECONDS)


async def test_fifty_calls_at_once_over_two_pools_let_twenty_through(deployment: Deployment) -> None:
    client = fresh_owner()

    async def ask(pool: asyncpg.Pool) -> int:
        async with pool.acquire() as conn:
            return (await Caller(conn, client).asks())[0]

    async with (
        asyncpg.create_pool(deployment.dsn, min_size=5, max_size=5) as one,
        asyncpg.create_pool(deployment.dsn, min_size=5, max_size=5) as other,
    ):
        heard = await asyncio.gather(*(ask(pool) for pool in [one, other] * 25))
    assert Counter(heard) == {1: PER_MINUTE, 0: 30}


async def test_without_the_rows_lock_more_than_twenty_go_on(deployment: Deployment) -> None:
    """The control: the same calls on a function that reads the row without locking it."""
    client = fresh_owner()
    async with asyncpg.create_pool(await deployment.fresh_database("unlocked"), min_size=10, max_size=10) as pool:
        async with pool.acquire() as conn:
            await _changed(conn, "FOR UPDATE;", ";")
            await _changed(conn, "moment := clock", "PERFORM pg_sleep(0.02); moment := clock")

        async def ask() -> int:
            async with pool.acquire() as conn:
                return (await Caller(conn, client).asks())[0]

        assert sum(await asyncio.gather(*(ask() for _ in range(50)))) > PER_MINUTE


async def test_the_minute_slides(caller: Caller) -> None:
    """Nineteen in one second, the twentieth half a minute later: each is forgotten sixty seconds after its own time."""
    assert await caller.asks(19) == (19, 0)
    await caller.later(30)
    assert await caller.asks() == (1, 0)
    await caller.later(31)
    assert await caller.asks(19) == (19, 0)
    assert await caller.asks() == (0, LOCK_SECONDS)


async def test_a_request_counts_for_all_of_its_minute(caller: Caller) -> None:
    await caller.asks(PER_MINUTE)
    await caller.later(58)
    assert await caller.asks() == (0, LOCK_SECONDS)


async def test_calls_during_a_lock_do_not_lengthen_it(caller: Caller) -> None:
    await caller.asks(PER_MINUTE + 1)
    await caller.later(200)
    assert await caller.asks() == (0, 100)
    await caller.asks(1000)
    await caller.later(60)
    assert await caller.asks() == (0, 40)


async def test_the_last_part_of_a_second_is_told_as_one_second(caller: Caller) -> None:
    await caller.asks(PER_MINUTE + 1)
    await caller.later(LOCK_SECONDS - 0.5)
    assert await caller.asks() == (0, 1)


async def test_a_lock_ends_and_all_is_as_at_first(caller: Caller) -> None:
    await caller.asks(PER_MINUTE + 1)
    await caller.later(LOCK_SECONDS)
    assert [await caller.asks() for _ in range(PER_MINUTE)] == [(1, 0)] * PER_MINUTE
    assert await caller.asks() == (0, LOCK_SECONDS)


async def test_after_the_shortest_lock_that_can_be_set_all_is_as_at_first(caller: Caller) -> None:
    assert await caller.asks(PER_MINUTE + 1, lock_seconds=60) == (PER_MINUTE, 60)
    await caller.later(60)
    assert await caller.asks(PER_MINUTE, lock_seconds=60) == (PER_MINUTE, 0)


async def test_a_lock_shorter_than_a_minute_lets_no_more_through(caller: Caller) -> None:
    assert await caller.asks(PER_MINUTE + 1, lock_seconds=5) == (PER_MINUTE, 5)
    await caller.later(6)
    assert await caller.asks(lock_seconds=5) == (0, 5)
    await caller.later(54)
    assert await caller.asks(lock_seconds=5) == (1, 0)


async def test_a_lock_of_a_longer_setting_or_of_a_clock_set_back_is_void(caller: Caller) -> None:
    await caller.asks(PER_MINUTE + 1, lock_seconds=3600)
    assert await caller.asks(lock_seconds=3600) == (0, 3600)
    await caller.later(60)
    assert await caller.asks(lock_seconds=300) == (1, 0)
    await caller.later(-7200)
    assert await caller.asks(PER_MINUTE + 1) == (PER_MINUTE, LOCK_SECONDS)


async def test_a_deleted_row_frees_its_caller(caller: Caller) -> None:
    """What docs/operations.md tells operators to do."""
    await caller.asks(PER_MINUTE + 1)
    await caller.conn.execute("DELETE FROM threshold WHERE (tenant, client, uri) = ($1, $2, $3)", *caller.key)
    assert await caller.asks() == (1, 0)


async def test_other_callers_tenants_and_uris_are_free(caller: Caller) -> None:
    await caller.asks(PER_MINUTE + 1)
    tenant, client, _ = caller.key
    others = [
        Caller(caller.conn, fresh_owner()),
        Caller(caller.conn, client, tenant="bravo"),
        Caller(caller.conn, client, tenant, uri="/api/timetracker/getcurrentlyrunningtimer"),
    ]
    assert [await other.asks() for other in others] == [(1, 0)] * 3
    assert await caller.asks() == (0, LOCK_SECONDS)


async def _left_after(conn: asyncpg.Connection, newcomers: int) -> Counter[str]:
    """Have a hundred callers of yesterday in an empty table, then new ones. Return how many are left of each kind."""
    await conn.execute(
        """
        INSERT INTO threshold (tenant, client, uri, went_on_at, stale_at)
        SELECT 'acme', 'old-' || n, 'uri', '{}', now() - interval '1 second' FROM generate_series(1, 100) AS n
        """
    )
    for number in range(newcomers):
        assert await Caller(conn, f"new-{number}").asks() == (1, 0)
    return Counter(row["client"].partition("-")[0] for row in await conn.fetch("SELECT client FROM threshold"))


async def test_each_new_row_replaces_two_stale_ones(deployment: Deployment) -> None:
    """Those of the last minute and those of a lock stay."""
    async with connected(await deployment.fresh_database("stale_rows")) as conn:
        locked, lately = Caller(conn, "locked"), Caller(conn, "lately")
        await locked.asks(PER_MINUTE + 1)
        await locked.later(LOCK_SECONDS - 30)
        await lately.asks()
        await lately.later(30)
        assert await _left_after(conn, 49) == {"locked": 1, "lately": 1, "old": 2, "new": 49}
        await Caller(conn, "the last").asks()
        assert await conn.fetchval("SELECT count(*) FROM threshold WHERE client LIKE 'old-%'") == 0
        assert await locked.asks() == (0, 30)


async def test_without_the_pruning_stale_rows_pile_up(deployment: Deployment) -> None:
    """The control."""
    async with connected(await deployment.fresh_database("piled_rows")) as conn:
        await _changed(conn, "LIMIT 2", "LIMIT 0")
        assert await _left_after(conn, 60) == {"old": 100, "new": 60}


@asynccontextmanager
async def _counted_database(deployment: Deployment) -> AsyncIterator[tuple[Database, list[int]]]:
    """Give a database behind a relay, and the sizes of what was sent to it: each is the way out of a round trip."""
    sent: list[int] = []
    postgres = deployment.stack.settings.postgres_port

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sizes: list[int]) -> None:
        while part := await reader.read(65_536):
            sizes.append(len(part))
            writer.write(part)
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs = await asyncio.open_connection(HOST, postgres)
        await asyncio.gather(pass_on(reader, theirs[1], sent), pass_on(theirs[0], writer, []))

    async with await asyncio.start_server(relay, HOST, 0) as server:
        dsn = deployment.dsn.replace(f":{postgres}/", f":{server.sockets[0].getsockname()[1]}/")
        database = Database(dsn, connections_max=1, within_seconds=20, writes=True)
        await database.open()
        try:
            yield database, sent
        finally:
            await database.close()


async def _trips_of_ten_counts(deployment: Deployment) -> int:
    async with _counted_database(deployment) as (database, sent):
        count = counted_in(database, per_minute=PER_MINUTE, lock_seconds=LOCK_SECONDS)
        assert count is not None
        key = CallerOnUri("acme", fresh_owner(), TIMER)
        await count(key, 1)  # connects and prepares
        sent.clear()
        for _ in range(10):
            await count(key, 1)
        return len(sent)


async def test_a_count_is_one_round_trip(deployment: Deployment) -> None:
    assert await _trips_of_ten_counts(deployment) == 10


async def test_a_count_on_a_connection_that_is_reset_is_two(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the pool does after each query if it is not told otherwise."""
    monkeypatch.setattr(database_module, "_keep", None)
    assert await _trips_of_ten_counts(deployment) == 20


async def _changed(conn: Session, words: str, others: str) -> None:
    """Replace a piece of the function's text."""
    whole = await conn.fetchval("SELECT pg_get_functiondef('count_requests'::regproc)")
    assert whole.count(words) == 1
    await conn.execute(whole.replace(words, others))


async def test_a_row_that_another_call_holds_is_not_waited_for_to_be_pruned(deployment: Deployment) -> None:
    dsn = await deployment.fresh_database("held_rows")
    async with asyncpg.create_pool(dsn, min_size=2, max_size=2) as pool, pool.acquire() as one, pool.acquire() as other:
        held = Caller(one, "held")
        await held.asks()
        await held.later(61)
        async with one.transaction():
            await held.asks()
            async with asyncio.timeout(20):
                assert await Caller(other, "new").asks() == (1, 0)
        assert await other.fetchval("SELECT count(*) FROM threshold") == 2
