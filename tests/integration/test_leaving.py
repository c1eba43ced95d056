"""How an API comes and goes: ready before it listens, if set so; unready before it closes, with no request cut off."""

import asyncio
import os
import signal
import time
from http import HTTPStatus

import httpx2 as httpx

from deploy.local.machine import free_ports
from deploy.local.settings import HOST
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import Tenant, fresh_owner

# So long that half of it is much to a busy machine.
DRAIN_SECONDS = 4.0
PRESSERS = 8


async def _press_until_refused(service: Service, token: str) -> list[int]:
    """Press on a new connection each time, as the gateway does. Any failure but a refused connection fails the test."""
    heard = []
    while True:
        # Without certificates, because reading them each time takes longer than the press.
        async with httpx.AsyncClient(base_url=service.url, timeout=20, verify=False) as http:
            try:
                heard.append((await Api(http, token).start(fresh_owner())).status_code)
            except httpx.ConnectError:
                return heard


async def _not_ready(service: Service) -> float:
    """Return how long it took the API to be unready, while it still answers."""
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


def _launched(crew: Crew, environ: dict[str, str]) -> Service:
    service = crew._service("command_api", crew.extras, None, environ)
    service.launch()
    return service


def _without_broker() -> dict[str, str]:
    return {"COMMAND_API_KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{free_ports(1)[0]}"}


async def _first_word(service: Service) -> httpx.Response:
    """Return the API's first `/readyz` answer after it listens."""
    async with asyncio.timeout(20), httpx.AsyncClient(base_url=service.url, verify=False) as http:
        while True:
            try:
                return await http.get("/readyz")
            except httpx.ConnectError:
                await asyncio.sleep(0.01)


async def test_an_api_that_is_told_to_listens_only_when_it_is_ready(crew: Crew) -> None:
    coming = _launched(crew, {"COMMAND_API_LISTEN_WHEN_READY_WITHIN_SECONDS": "20"})
    assert (await _first_word(coming)).status_code == HTTPStatus.OK


async def test_without_the_wait_a_request_may_come_too_early(crew: Crew) -> None:
    """The control. Its broker never comes, so the API cannot be ready before the request."""
    early = _launched(crew, _without_broker())
    assert (await _first_word(early)).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert await early.stop() == 0


async def test_an_api_that_stays_unready_listens_in_the_end_and_says_so(crew: Crew) -> None:
    waiting = _launched(crew, _without_broker() | {"COMMAND_API_LISTEN_WHEN_READY_WITHIN_SECONDS": "0.5"})
    said = await _first_word(waiting)
    assert said.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert said.json()["checks"]["producer"] is False
    assert await waiting.stop() == 0
