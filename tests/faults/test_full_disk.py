"""A disk is full: of Postgres' journal, of its tables, of Kafka's log. What was acknowledged is judged afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import asyncpg
import httpx2 as httpx

from tests.faults.small_disk import NEEDS_A_DISK, SmallDisk, on_a_small_disk
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.patient import Patient
from tests.support.stack.traffic import Traffic, traffic
from tests.support.stack.until import eventually

pytestmark = NEEDS_A_DISK

NO_ROOM: Final = "No space left on device"
Clients = Callable[..., httpx.AsyncClient]


async def test_with_the_journals_disk_full_postgres_ends_and_presses_wait_on_the_log(
    crew: Crew, client: Clients, deployment: Deployment, tenant: Tenant
) -> None:
    """Postgres panics. To a caller that is Postgres away: recorded, not judged yet."""
    await crew.be(apis=1, projectors=1)
    brief = Patient(client(), tenant.token, wait_seconds=1)
    stack = deployment.stack
    async with postgres_on_a_small_disk(deployment, "pg_wal") as disk:
        async with pressed_all_the_while(brief, tenant) as load:
            disk.fill()
            await use_up_the_journal(deployment)
            assert "PANIC" in postgres_said(deployment)
            assert NO_ROOM in postgres_said(deployment)
            await eventually(partial(hears, 202, brief), "presses are recorded and not judged")
            assert await is_ready(brief.http)
            disk.free()
            await asyncio.to_thread(stack.stop_postgres)
            await asyncio.to_thread(stack.start_postgres)
            await load.goes_on()
        await load.is_whole(deployment, brief)


async def test_with_the_tables_disk_full_a_partition_waits_and_needs_no_operator_afterwards(
    crew: Crew, client: Clients, deployment: Deployment, tenant: Tenant
) -> None:
    """Postgres runs and refuses what needs a new page. Reads are answered, and the projector says what waits."""
    await crew.be(apis=1, projectors=1)
    brief = Patient(client(), tenant.token, wait_seconds=1)
    async with postgres_on_a_small_disk(deployment, "base") as disk:
        async with pressed_all_the_while(brief, tenant) as load:
            disk.fill()
            await eventually(partial(hears, 202, brief), "presses are recorded and not judged")
            assert NO_ROOM in postgres_said(deployment)
            assert "PANIC" not in postgres_said(deployment)
            await eventually(partial(is_not_ready, client(crew.projectors[0].url)), "the projector says that it waits")
            assert await is_ready(brief.http)
            assert (await brief.http.get("/v1/timers", headers=brief.headers())).status_code == 200
            disk.free()
            await load.goes_on()
        await load.is_whole(deployment, brief)


async def test_with_kafkas_disk_full_presses_are_refused_and_those_acknowledged_are_kept(
    crew: Crew, client: Clients, deployment: Deployment, tenant: Tenant
) -> None:
    """The broker ends when its only disk fails. To a caller that is Kafka away: 503, and the same key is safe."""
    await crew.be(apis=1, projectors=1)
    brief = Patient(client(), tenant.token, wait_seconds=1)
    async with kafka_on_a_small_disk(deployment) as disk:
        await crew.settled()
        async with pressed_all_the_while(brief, tenant) as load:
            disk.fill()
            await eventually(partial(kafka_has_ended, deployment), "the broker ends")
            await eventually(partial(hears, 503, brief), "presses are refused")
            await eventually(partial(is_not_ready, brief.http), "the API says that it is not ready")
            disk.free()
            await asyncio.to_thread(deployment.stack.start_kafka)
            await load.goes_on()
        await load.is_whole(deployment, brief)
    await crew.settled()


@asynccontextmanager
async def postgres_on_a_small_disk(deployment: Deployment, folder: str) -> AsyncIterator[SmallDisk]:
    """Run Postgres with one of its folders on a small disk."""
    stack = deployment.stack
    await asyncio.to_thread(stack.stop_postgres)
    try:
        with on_a_small_disk(stack.postgres.data / folder) as disk:
            try:
                await asyncio.to_thread(stack.start_postgres)
                yield disk
            finally:
                disk.free()
                await asyncio.to_thread(stack.stop_postgres)
    finally:
        await asyncio.to_thread(stack.start_postgres)


@asynccontextmanager
async def kafka_on_a_small_disk(deployment: Deployment) -> AsyncIterator[SmallDisk]:
    """Run Kafka with its log on a small disk."""
    stack = deployment.stack
    await asyncio.to_thread(stack.stop_kafka)
    try:
        with on_a_small_disk(stack.kafka.log) as disk:
            try:
                await asyncio.to_thread(stack.start_kafka)
                yield disk
            finally:
                disk.free()
                await asyncio.to_thread(stack.stop_kafka)
    finally:
        await asyncio.to_thread(stack.start_kafka)


@asynccontextmanager
async def pressed_all_the_while(api: Patient, tenant: Tenant) -> AsyncIterator[Traffic]:
    """Press all the while."""
    async with traffic([api], tenant, workers=4) as load:
        yield load


async def use_up_the_journal(deployment: Deployment) -> None:
    """Begin one segment of the journal after the other, until Postgres has no room for the next."""
    async with asyncio.timeout(30):
        try:
            conn = await asyncpg.connect(deployment.stack.postgres.superuser_dsn)
            while True:
                await conn.execute("SELECT pg_logical_emit_message(true, 'test', 'full')")
                await conn.execute("SELECT pg_switch_wal()")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return  # it ended in the midst of it


def postgres_said(deployment: Deployment) -> str:
    """Return what Postgres has logged since its last start."""
    process = deployment.stack.postgres.process
    assert process is not None
    return process.log.read_text(errors="replace").rpartition("starting PostgreSQL")[2]


async def kafka_has_ended(deployment: Deployment) -> bool:
    process = deployment.stack.kafka.process
    assert process is not None
    return not process.alive


async def hears(status: int, brief: Patient) -> bool:
    """Say whether a start of a fresh owner is answered so."""
    answer = await brief.start(fresh_owner())
    assert answer.status_code in {201, 202, 503}, answer.text
    assert answer.status_code == 201 or answer.headers["Retry-After"]
    return answer.status_code == status


async def is_ready(http: httpx.AsyncClient) -> bool:
    status = (await http.get("/readyz")).status_code
    assert status in {200, 503}
    return status == 200


async def is_not_ready(http: httpx.AsyncClient) -> bool:
    return not await is_ready(http)
