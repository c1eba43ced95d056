"""A disk is full: of Postgres' journal, of its tables, of Kafka's log. What was acknowledged is judged afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg
import httpx2 as httpx

from tests.faults.meanwhile import (
    hears,
    is_not_ready,
    is_ready,
    kafka_has_ended,
    postgres_said,
    pressed_all_the_while,
)
from tests.faults.small_disk import NEEDS_A_DISK, SmallDisk, on_a_small_disk
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.patient import Patient
from tests.support.stack.until import eventually

pytestmark = NEEDS_A_DISK

NO_ROOM: Final = "No space left on device"
Clients = Callable[..., httpx.AsyncClient]


async def test_with_the_journals_disk_full_postgres_ends_and_presses_wait_on_the_log(
    brief: Patient, deployment: Deployment, tenant: Tenant
) -> None:
    """Postgres panics. To a caller that is Postgres away: recorded, not judged yet."""
    stack = deployment.stack
    async with (
        runs_on_a_small_disk(stack.postgres.data / "pg_wal", stack.stop_postgres, stack.start_postgres) as disk,
        pressed_all_the_while(brief, tenant, deployment),
    ):
        disk.fill()
        await use_up_the_journal(deployment)
        assert "PANIC" in postgres_said(deployment)
        assert NO_ROOM in postgres_said(deployment)
        await eventually(partial(hears, 202, brief), "presses are recorded and not judged")
        assert await is_ready(brief.http)
        disk.free()
        await asyncio.to_thread(stack.stop_postgres)
        await asyncio.to_thread(stack.start_postgres)


async def test_with_the_tables_disk_full_a_partition_waits_and_needs_no_operator_afterwards(
    brief: Patient, crew: Crew, client: Clients, deployment: Deployment, tenant: Tenant
) -> None:
    """Postgres runs and refuses what needs a new page. Reads are answered, and the projector says what waits."""
    stack = deployment.stack
    async with (
        runs_on_a_small_disk(stack.postgres.data / "base", stack.stop_postgres, stack.start_postgres) as disk,
        pressed_all_the_while(brief, tenant, deployment),
    ):
        disk.fill()
        await eventually(partial(hears, 202, brief), "presses are recorded and not judged")
        assert NO_ROOM in postgres_said(deployment)
        assert "PANIC" not in postgres_said(deployment)
        await eventually(partial(is_not_ready, client(crew.projectors[0].url)), "the projector says that it waits")
        assert await is_ready(brief.http)
        assert (await brief.http.get("/v1/timers", headers=brief.headers())).status_code == 200
        disk.free()


async def test_with_kafkas_disk_full_presses_are_refused_and_those_acknowledged_are_kept(
    brief: Patient, crew: Crew, deployment: Deployment, tenant: Tenant
) -> None:
    """The broker ends when its only disk fails. To a caller that is Kafka away: 503, and the same key is safe."""
    stack = deployment.stack
    async with runs_on_a_small_disk(stack.kafka.log, stack.stop_kafka, stack.start_kafka) as disk:
        await crew.settled()
        async with pressed_all_the_while(brief, tenant, deployment):
            disk.fill()
            await eventually(partial(kafka_has_ended, deployment), "the broker ends")
            await eventually(partial(hears, 503, brief), "presses are refused")
            await eventually(partial(is_not_ready, brief.http), "the API says that it is not ready")
            disk.free()
            await asyncio.to_thread(stack.start_kafka)
    await crew.settled()


@asynccontextmanager
async def runs_on_a_small_disk(
    folder: Path, stop: Callable[[], None], start: Callable[[], None]
) -> AsyncIterator[SmallDisk]:
    """Run a part with one of its folders on a small disk."""
    await asyncio.to_thread(stop)
    try:
        with on_a_small_disk(folder) as disk:
            try:
                await asyncio.to_thread(start)
                yield disk
            finally:
                disk.free()
                await asyncio.to_thread(stop)
    finally:
        await asyncio.to_thread(start)


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
