"""The peer of `make bench` that promises what the product does keeps it: what is compared is the same work."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx2 as httpx
import pytest

from bench.peers import crud_with_promises
from services.stint_cli.database import connected
from tests.support.stack.deployments import Deployment, fresh_owner

pytestmark = pytest.mark.real
SCHEMA = Path(crud_with_promises.__file__).with_suffix(".sql")


@pytest.fixture(scope="module")
async def dsn(deployment: Deployment) -> str:
    """Give the address of its database."""
    async with connected(deployment.stack.postgres.superuser_dsn) as conn:
        await conn.execute('CREATE DATABASE "peer" OWNER stint')
    dsn = f"{deployment.dsn.rpartition('/')[0]}/peer"
    async with connected(dsn) as conn:
        await conn.execute(SCHEMA.read_text(encoding="utf-8"))
    return dsn


@pytest.fixture
async def peer(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the peer, which runs in this process."""
    monkeypatch.setenv("PEER_POSTGRES_DSN", dsn)
    app = crud_with_promises.app
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://peer") as http:
        yield http


async def rows(dsn: str, statement: str, *values: object) -> list[tuple[object, ...]]:
    async with connected(dsn) as conn:
        found: list[asyncpg.Record] = await conn.fetch(statement, *values)
        return [tuple(row) for row in found]


async def test_a_key_hears_its_first_answer_and_no_other_body(peer: httpx.AsyncClient, dsn: str) -> None:
    owner, key = fresh_owner(), {"Idempotency-Key": fresh_owner()}
    first = await peer.post("/v1/timers", json={"owner": owner}, headers=key)
    again = await peer.post("/v1/timers", json={"owner": owner}, headers=key)
    other = await peer.post("/v1/timers", json={"owner": owner, "comment": "another"}, headers=key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.content == first.content
    assert await rows(dsn, "SELECT count(*) FROM timer WHERE owner = $1", owner) == [(1,)]


async def test_a_second_timer_is_flagged_and_both_count_on_their_day(peer: httpx.AsyncClient, dsn: str) -> None:
    owner = fresh_owner()
    started = [(await peer.post("/v1/timers", json={"owner": owner})).json() for _ in range(2)]
    assert [each["flags"] for each in started] == [[], ["R13"]]
    stopped = [(await peer.post(f"/v1/timers/{each['id']}/stop")).json() for each in started]
    again = [(await peer.post(f"/v1/timers/{each['id']}/stop")).json() for each in started]
    assert again == stopped
    assert [each["state"] for each in stopped] == ["STOPPED", "STOPPED"]
    worked = "SELECT sum(extract(epoch FROM stopped_at - started_at) * 1000000)::bigint FROM timer WHERE owner = $1"
    assert await rows(dsn, "SELECT sum(worked_us)::bigint FROM day_total WHERE owner = $1", owner) == await rows(
        dsn, worked, owner
    )
    assert await rows(dsn, "SELECT rule FROM violation WHERE owner = $1", owner) == [("R13",)]
    assert await rows(dsn, "SELECT count(*) FROM outbox WHERE event LIKE '%' || $1 || '%'", f'"{owner}"') == [(4,)]


async def test_an_owner_over_the_cap_is_flagged(peer: httpx.AsyncClient, dsn: str) -> None:
    owner = fresh_owner()
    await rows(
        dsn, "INSERT INTO day_total SELECT $1, now()::date + n, 28800000000 FROM generate_series(-1, 1) n", owner
    )
    started = (await peer.post("/v1/timers", json={"owner": owner})).json()
    assert started["flags"] == ["R11"]
    assert (await peer.post(f"/v1/timers/{started['id']}/stop")).json()["flags"] == ["R11"]


async def test_a_timer_that_nobody_started_is_not_found(peer: httpx.AsyncClient) -> None:
    assert (await peer.post(f"/v1/timers/{'2' * 39}/stop")).status_code == 404
