"""A process that serves takes as many connections as its machine allows it."""

import asyncio
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Final

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from deploy.local.machine import free_ports
from deploy.local.settings import HOST
from shared.process.http.server import serve

# What an engine gives to a program is 1,024. Fewer here, because each caller has a file of this process too.
FILES_AT_START: Final = 200
CALLERS: Final = 300
REQUEST: Final = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture
def few_files() -> Iterator[None]:
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 2 * CALLERS + FILES_AT_START:
        pytest.skip(f"this machine lets a process have {most} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES_AT_START, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


async def _hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def _open(port: int) -> socket.socket:
    while True:
        try:
            return socket.create_connection((HOST, port), timeout=5)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("few_files")
async def test_more_callers_are_answered_than_files_were_allowed_at_its_start() -> None:
    """Beyond the limit, new connections would be reset: those of a probe too, which then ends the process."""
    [port] = free_ports(1)
    serving = asyncio.create_task(serve(Starlette(routes=[Route("/", _hello)]), HOST, port, 3))
    try:
        with ExitStack() as ending:
            callers = [ending.enter_context(closing(await _open(port))) for _ in range(CALLERS)]
            for caller in callers:
                caller.sendall(REQUEST)
            answers = {await asyncio.to_thread(caller.recv, 15) for caller in callers}
    finally:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(serving, 10)
    assert answers == {b"HTTP/1.1 200 OK"}
