"""An API that is asked to end says so first, and answers every press that came in before it closed."""

import asyncio
import os
import signal
import time
from http import HTTPStatus

import httpx

from tests.support.api import Api
from tests.support.crew import Crew, Service
from tests.support.deployments import Tenant, fresh_owner

DRAIN_SECONDS = 1.0
PRESSERS = 8


async def _press_until_refused(service: Service, token: str) -> list[int]:
    """Press on a new connection each time, as through the gateway; whatever else than a refused one fails the test."""
    heard = []
    while True:
        # No certificates: reading them anew each time takes longer than the press.
        async with httpx.AsyncClient(base_url=service.url, timeout=20, verify=False) as http:
            try:
                heard.append((await Api(http, token).start(fresh_owner())).status_code)
            except httpx.ConnectError:
                return heard


async def _not_ready(service: Service) -> float:
    """Return how long it took it to say that it leaves, while it still answers."""
    began = time.monotonic()
    async with httpx.AsyncClient(base_url=service.url) as http:
        while (said := await http.get("/readyz")).status_code == HTTPStatus.OK:  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(0.01)
    assert said.json()["checks"]["stays"] is False
    return time.monotonic() - began


async def test_an_api_that_leaves_is_unready_at_once_and_loses_no_press(crew: Crew, tenant: Tenant) -> None:
    await crew.be(apis=1, projectors=1)
    leaving = await crew.api({"COMMAND_API_DRAIN_SECONDS": str(DRAIN_SECONDS)})
    pressing = [asyncio.create_task(_press_until_refused(leaving, tenant.token)) for _ in range(PRESSERS)]
    await asyncio.sleep(0.3)
    asked = time.monotonic()
    pid = leaving.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    assert await _not_ready(leaving) < DRAIN_SECONDS / 2
    heard = [status for statuses in await asyncio.gather(*pressing) for status in statuses]
    assert time.monotonic() - asked >= DRAIN_SECONDS
    assert set(heard) == {HTTPStatus.CREATED}
    assert await leaving.stop() == 0
