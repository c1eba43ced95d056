"""A rolling upgrade: every process is replaced, one after the other, while people press. Every answer is 2xx.

Each process is asked to end with SIGTERM, as a deployment does: one of a kind at a time, and only after its
successor is ready.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2 as httpx
import pytest

from tests.faults.balancer import Balancer, balanced
from tests.support.proof.minutes import kept_twice
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained

# Six times as long as the balancer needs to notice, because it shares the machine.
DRAIN_SECONDS = 3.0
WORKERS = 3
# So many replicas end without a drain. A request may miss one by chance, when the machine is busy elsewhere.
TRIES = 5


@dataclass
class Presses:
    """Every answer, and every error that came instead of one."""

    statuses: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Return every answer that was not 2xx, and every error."""
        return self.failures + [str(status) for status in self.statuses if not 200 <= status < 300]


@asynccontextmanager
async def people(http: httpx.AsyncClient, tenant: Tenant) -> AsyncIterator[Presses]:
    """Let people start and stop timers. Each waits for an answer before the next press, and none retries."""
    presses, api, going_on = Presses(), Api(http, tenant.token), True

    async def work() -> None:
        while going_on:
            owner = fresh_owner()
            try:
                started = await api.start(owner)
                presses.statuses.append(started.status_code)
                if started.status_code == httpx.codes.CREATED:
                    presses.owners.append(owner)
                    presses.statuses.append((await api.press("stop", started.json()["id"])).status_code)
            except httpx.TransportError as error:
                presses.failures.append(repr(error))
            await asyncio.sleep(0.05)

    workers = [asyncio.create_task(work()) for _ in range(WORKERS)]
    try:
        yield presses
        going_on = False
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()


async def replace(
    old: Service, among: list[Service], successor: Callable[[], Awaitable[Service]], balancer: Balancer | None = None
) -> None:
    """Start a new process, and ask the old one to end once the new one is ready: never one fewer, briefly one more."""
    among.append(await successor())
    if balancer is not None:
        balancer.serve_from(among)
    assert await old.stop() == 0
    among.remove(old)
    if balancer is not None:
        balancer.serve_from(among)


@pytest.mark.fault
async def test_a_rolling_upgrade_under_load_answers_only_2xx(
    crew: Crew, deployment: Deployment, tenant: Tenant
) -> None:
    await crew.be(apis=0, projectors=0)
    drain = {"COMMAND_API_DRAIN_SECONDS": str(DRAIN_SECONDS)}
    *apis, one, other = await asyncio.gather(crew.api(drain), crew.api(drain), crew.projector(), crew.projector())
    projectors = [one, other]
    await crew.settled()
    async with (
        balanced(apis) as balancer,
        httpx.AsyncClient(transport=balancer, base_url="http://any", timeout=20) as http,
    ):
        await Api(http, tenant.token).knows(tenant)
        async with people(http, tenant) as presses:
            await asyncio.sleep(0.5)
            for old_api, old_projector in zip([*apis], [*projectors], strict=True):
                await asyncio.gather(
                    replace(old_api, apis, lambda: crew.api(drain), balancer),
                    replace(old_projector, projectors, crew.projector),
                )
                await crew.settled()
            await asyncio.sleep(0.5)
    assert presses.wrong == []
    assert len(presses.owners) > 10 * WORKERS
    await drained(deployment)
    rows = await deployment.pool.fetch(
        "SELECT owner, state FROM fold_v1.timer WHERE owner = ANY($1::text[])", presses.owners
    )
    assert {row["owner"]: row["state"] for row in rows} == dict.fromkeys(presses.owners, "STOPPED")
    assert len(rows) == len(presses.owners)
    assert await kept_twice(deployment.dsn) == []


@pytest.mark.fault
async def test_without_the_drain_a_request_finds_no_server(crew: Crew, tenant: Tenant) -> None:
    """The control: a replica that ends right after a look is gone before the balancer could notice."""
    await crew.be(apis=0, projectors=1)
    apis = list(await asyncio.gather(crew.api(), crew.api()))
    async with (
        balanced(apis) as balancer,
        httpx.AsyncClient(transport=balancer, base_url="http://any", timeout=20) as http,
    ):
        await Api(http, tenant.token).knows(tenant)
        async with people(http, tenant) as presses:

            async def all_serve() -> bool:
                return balancer.ready == apis

            for _ in range(TRIES):
                await eventually(all_serve, "the balancer serves from each replica")
                await balancer.has_just_looked()
                assert await apis[0].stop() == 0
                await balancer.has_just_looked()
                if presses.wrong:
                    break
                apis = [apis[1], await crew.api()]
                balancer.serve_from(apis)
            assert presses.wrong
