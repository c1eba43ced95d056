"""Meanwhile: what callers and operators see of a deployment while a disk under one of its parts is full or sick."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2 as httpx

from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.patient import Patient
from tests.support.stack.traffic import Traffic, traffic


@asynccontextmanager
async def pressed_all_the_while(api: Patient, tenant: Tenant, deployment: Deployment) -> AsyncIterator[Traffic]:
    """Press all the while. At the end presses are judged again, none of them is lost, and none counts twice."""
    async with traffic([api], tenant, workers=4) as load:
        yield load
        await load.goes_on()
    await load.is_whole(deployment, api)


async def answered(api: Patient) -> httpx.Response:
    """Return the answer to a start of a fresh owner. One that has no verdict must say when to come back."""
    answer = await api.start(fresh_owner())
    assert answer.status_code in {201, 202, 503}, answer.text
    assert answer.status_code == 201 or answer.headers["Retry-After"]
    return answer


async def hears(status: int, api: Patient) -> bool:
    """Say whether a start of a fresh owner is answered so."""
    return (await answered(api)).status_code == status


async def is_ready(http: httpx.AsyncClient) -> bool:
    """Say whether a process says that it is ready."""
    status = (await http.get("/readyz")).status_code
    assert status in {200, 503}
    return status == 200


async def is_not_ready(http: httpx.AsyncClient) -> bool:
    """Say whether a process says that it is not."""
    return not await is_ready(http)


def postgres_said(deployment: Deployment) -> str:
    """Return what Postgres has logged since its last start."""
    process = deployment.stack.postgres.process
    assert process is not None
    return process.log.read_text(errors="replace").rpartition("starting PostgreSQL")[2]


async def kafka_has_ended(deployment: Deployment) -> bool:
    """Say whether the broker's process has ended."""
    process = deployment.stack.kafka.process
    assert process is not None
    return not process.alive
