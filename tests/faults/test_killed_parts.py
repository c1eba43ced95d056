"""Kafka, Postgres, one of its backends, or all at once are killed with -9 while people work: no press is lost.

Each test shows that its fault fired: presses of that moment heard no verdict, or another process serves now.
Afterwards the test only starts the killed parts again. The time until all is ready is in the report.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import asyncpg
import httpx2 as httpx
import pytest

from deploy.local.identity import Identity
from services.stint_cli.database import connected
from services.stint_cli.trouble import Trouble
from tests.support.proof.trail import trail_of
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.patient import Patient
from tests.support.stack.stacks import CONTAINERS
from tests.support.stack.traffic import Traffic, traffic
from tests.support.stack.until import eventually

pytestmark = pytest.mark.fault

READY_WITHIN_SECONDS: Final = 30.0
ASKED_MAX: Final = 100_000
TRIES: Final = 3
SEEDS: Final = range(8) if os.environ.get("STINT_TEST_LONG") == "1" else range(1)
# A busy backend notices neither the end of its postmaster nor a signal to another process.
COMPUTES: Final = "DO $$ BEGIN LOOP END LOOP; END $$"
CHILDREN: Final = "SELECT array_agg(pid) FROM pg_stat_activity WHERE backend_type IN ('checkpointer', 'walwriter')"
# Inside any transaction: of the fold, of texts or of policies.
VICTIM: Final = """
SELECT pid FROM pg_stat_activity WHERE application_name = 'stint-projector' AND xact_start IS NOT NULL LIMIT 1
"""
TERMINATE: Final = f"SELECT pid FROM ({VICTIM}) AS victim WHERE pg_terminate_backend(pid)"


@dataclass
class Ground:
    """A deployment under load, of which a test kills a part."""

    crew: Crew
    deployment: Deployment
    load: Traffic
    killed_at: float = 0.0
    starts_at: float = 0.0

    def killed(self) -> None:
        """Remember the time of the kill."""
        self.killed_at = time.monotonic()

    def starts(self) -> None:
        """Remember when the killed part is started again. Everything must be ready 30 s later."""
        self.starts_at = time.monotonic()

    def disturbed(self) -> bool:
        """Return whether the fault disturbed the projector's work."""
        return all("partition_in_trouble" in service.said_since_mark() for service in self.crew.projectors)

    def unheard(self) -> int:
        """Return how many presses have heard no verdict since."""
        return sum(op.type == "info" and op.t > self.killed_at for op in self.load.history)

    async def is_felt(self) -> None:
        """Return once a press has heard no verdict."""

        async def felt() -> bool:
            return self.unheard() > 0

        await eventually(felt, "a press hears no verdict")

    async def is_ready_again(self) -> float:
        """Wait until all processes are ready, every partition has a projector and people go on. Return the seconds."""
        await asyncio.gather(*(service.ready(READY_WITHIN_SECONDS) for service in self.crew.everybody()))
        await self.crew.settled(READY_WITHIN_SECONDS)
        await self.load.goes_on()
        return time.monotonic() - self.starts_at


UnderLoad = Callable[[], AbstractAsyncContextManager[Ground]]


@pytest.fixture
def under_load(
    crew: Crew,
    client: Callable[..., httpx.AsyncClient],
    deployment: Deployment,
    tenant: Tenant,
    record_property: Callable[[str, object], None],
) -> UnderLoad:
    """Let people work inside. Afterwards wait until all is well again, and check all their presses."""

    @asynccontextmanager
    async def under_load() -> AsyncIterator[Ground]:
        await crew.be(apis=1, projectors=1)
        patient = Patient(client(), tenant.token, wait_seconds=2)
        async with trail_of(deployment.dsn) as trail:
            async with traffic([patient], tenant) as load:
                ground = Ground(crew, deployment, load)
                yield ground
                seconds = await ground.is_ready_again()
            record_property("ready_again_seconds", round(seconds, 1))
            record_property("presses_unheard", ground.unheard())
            assert seconds < READY_WITHIN_SECONDS
            await load.is_whole(deployment, patient, trail)

    return under_load


async def test_a_broker_that_is_killed_loses_no_press(under_load: UnderLoad, deployment: Deployment) -> None:
    async with under_load() as ground:
        ground.killed()
        await asyncio.to_thread(deployment.stack.kill_kafka)
        try:
            await ground.is_felt()
        finally:
            ground.starts()
            await asyncio.to_thread(deployment.stack.start_kafka)


async def test_a_postmaster_that_is_killed_beside_a_busy_backend_loses_no_press(
    under_load: UnderLoad, deployment: Deployment
) -> None:
    """The busy backend outlives its postmaster, and would keep Postgres from starting again."""
    async with under_load() as ground, busy_backend(deployment) as busy:
        ground.killed()
        await asyncio.to_thread(deployment.stack.kill_postgres)
        try:
            await ground.is_felt()
            assert CONTAINERS or (busy is not None and busy.alive), "control: the backend ended with its postmaster"
        finally:
            ground.starts()
            await asyncio.to_thread(deployment.stack.start_postgres)
        assert busy is None or not busy.alive


async def test_a_killed_backend_of_the_projector_loses_no_press(under_load: UnderLoad) -> None:
    """Postgres then ends every session, because a killed backend may have left shared memory half written.

    It is back within a moment. A projector that has nothing to write in that moment feels nothing: then once more.
    """
    async with under_load() as ground:
        ground.killed()
        for _ in range(TRIES):
            await a_backend_is_killed(ground)
            await ground.load.goes_on()
            if ground.disturbed():
                break
    assert ground.disturbed()


async def test_a_terminated_backend_of_the_projector_loses_no_press(
    under_load: UnderLoad, deployment: Deployment
) -> None:
    """Five in a row, each inside a transaction."""
    async with under_load() as ground, connected(deployment.stack.postgres.superuser_dsn) as conn:
        ground.killed()
        victims: set[int] = set()
        while len(victims) < 5:  # the same one is found twice while it ends
            victims.add(await found(conn, TERMINATE))
        ground.starts()
    assert ground.disturbed()


@pytest.mark.parametrize("seed", SEEDS)
async def test_everything_killed_at_once_and_started_in_any_order_loses_no_press(
    under_load: UnderLoad,
    deployment: Deployment,
    crew: Crew,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(seed)
    stack = deployment.stack
    async with under_load() as ground:
        [api], [projector] = crew.apis, crew.projectors
        kills = {
            "api": api.kill,
            "projector": projector.kill,
            "kafka": stack.kill_kafka,
            "postgres": stack.kill_postgres,
        }
        starts = {
            "api": api.launch,
            "projector": projector.launch,
            "kafka": stack.kafka.launch,
            "postgres": stack.postgres.launch,
        }
        ground.killed()
        await asyncio.gather(*(asyncio.to_thread(kill) for kill in kills.values()))
        await ground.is_felt()
        order = chance.sample(sorted(starts), len(starts))
        ground.starts()
        for part in order:
            await asyncio.to_thread(starts[part])
            await asyncio.sleep(chance.random())
        record_property("started_in_order", " ".join(order))


@asynccontextmanager
async def busy_backend(deployment: Deployment) -> AsyncIterator[Identity | None]:
    """Run a backend that computes without end. None when Postgres is in a container, out of our sight."""
    conn = await asyncpg.connect(deployment.stack.postgres.superuser_dsn)
    computing = asyncio.create_task(conn.execute(COMPUTES))
    begun = "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1"

    async def computes() -> bool:
        async with connected(deployment.stack.postgres.superuser_dsn) as other:
            return bool(await other.fetchval(begun, conn.get_server_pid()))

    try:
        await eventually(computes, "the backend computes")
        yield None if CONTAINERS else Identity.of(conn.get_server_pid())
    finally:
        conn.terminate()
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await computing


async def a_backend_is_killed(ground: Ground) -> None:
    """Kill a backend of the projector inside a transaction, and return when Postgres serves again."""
    superuser_dsn = ground.deployment.stack.postgres.superuser_dsn
    async with connected(superuser_dsn) as conn:
        children = await conn.fetchval(CHILDREN)
        victim = await found(conn, VICTIM)
        ground.starts()
        with suppress(asyncpg.PostgresError, OSError):
            await conn.execute(f"COPY (SELECT 1) TO PROGRAM 'kill -9 {victim}'")
    await eventually(lambda: replaced(ground.deployment, children), "Postgres has started its children again")


async def found(conn: asyncpg.Connection, query: str) -> int:
    """Ask for a pid again and again without a pause, because its state lasts milliseconds."""
    for _ in range(ASKED_MAX):
        if (pid := await conn.fetchval(query)) is not None:
            return int(pid)
    raise AssertionError("no such backend was seen")


async def replaced(deployment: Deployment, children: list[int]) -> bool:
    """Return whether other processes than these serve Postgres now."""
    try:
        async with connected(deployment.stack.postgres.superuser_dsn) as conn:
            return not set(children) & set(await conn.fetchval(CHILDREN))
    except (Trouble, asyncpg.PostgresError, OSError):
        return False
