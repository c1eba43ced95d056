"""Projectors come, go and die while people work, and so do APIs."""

import asyncio
from collections.abc import Callable

import httpx2 as httpx
import pytest

from tests.support.proof.trail import trail_of
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.patient import Patient
from tests.support.stack.traffic import traffic

pytestmark = pytest.mark.fault


async def test_partitions_change_hands_under_load_without_a_gap_or_a_double(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, deployment: Deployment
) -> None:
    await crew.be(apis=1, projectors=2)
    api = Patient(client(), tenant.token)
    async with trail_of(deployment.dsn) as trail:
        async with traffic([api], tenant) as load:
            third, fourth = await asyncio.gather(crew.projector(), crew.projector())
            await load.goes_on()
            assert await third.stop() == 0
            await load.goes_on()
            fourth.kill()
            await load.goes_on()
        await load.is_whole(deployment, api, trail)


async def test_processes_asked_to_end_under_load_lose_no_answered_press(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, deployment: Deployment
) -> None:
    await crew.be(apis=1, projectors=1)
    leaving, projector = await asyncio.gather(crew.api(), crew.projector())
    apis = [Patient(client(service.url), tenant.token) for service in (*crew.apis, leaving)]
    async with traffic(apis, tenant) as load:
        assert list(await asyncio.gather(leaving.stop(), projector.stop())) == [0, 0]
        await load.goes_on()
    await load.is_whole(deployment, apis[0])
