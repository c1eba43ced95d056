"""A server that is asked to end answers every client that connected before it closed."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from deploy.local.settings import HOST
from shared.process.http.server import Server

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK"
HUNG_UP = b""


async def _hello(_: Request) -> Response:
    return PlainTextResponse("hello")


@asynccontextmanager
async def _serving(server: uvicorn.Server) -> AsyncIterator[tuple[str, int]]:
    """Serve inside, and wait for the end outside."""
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it sets no event
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    await asyncio.wait_for(task, 10)


def _config() -> uvicorn.Config:
    app = Starlette(routes=[Route("/", _hello)])
    return uvicorn.Config(app, host=HOST, port=0, log_config=None, http="httptools", timeout_graceful_shutdown=5)


async def _answer(door: socket.socket) -> bytes:
    """Return the status line, or HUNG_UP if the server closes the connection without one."""
    try:
        return (await asyncio.wait_for(asyncio.to_thread(door.recv, 4096), 5)).partition(b"\r\n")[0]
    except ConnectionError:
        return HUNG_UP


async def _answers_in_the_accept_queue(server: uvicorn.Server) -> set[bytes]:
    async with _serving(server) as address, AsyncExitStack() as ending:
        # The kernel has accepted them. The loop has seen none, because we do not yield to it.
        waiting = [ending.enter_context(closing(socket.create_connection(address))) for _ in range(5)]
        for one in waiting:
            one.sendall(REQUEST)
        server.should_exit = True
        await server.shutdown()
        return {await _answer(one) for one in waiting}


async def test_a_client_in_the_accept_queue_at_the_end_is_answered() -> None:
    assert await _answers_in_the_accept_queue(Server(_config())) == {OK}


async def test_control_uvicorn_hangs_up_on_clients_in_the_accept_queue() -> None:
    assert OK not in await _answers_in_the_accept_queue(uvicorn.Server(_config()))


async def _answer_without_a_request_yet(server: uvicorn.Server) -> bytes:
    async with _serving(server) as address:
        with closing(socket.create_connection(address)) as silent:
            await asyncio.sleep(0.05)
            server.should_exit = True
            closing_down = asyncio.create_task(server.shutdown())
            await asyncio.sleep(0.02)
            with suppress(ConnectionError):
                silent.sendall(REQUEST)
            answer = await _answer(silent)
            await closing_down
            return answer


async def test_an_accepted_client_without_a_request_yet_is_heard_out() -> None:
    assert await _answer_without_a_request_yet(Server(_config())) == OK


async def test_control_uvicorn_hangs_up_on_a_client_without_a_request_yet() -> None:
    assert await _answer_without_a_request_yet(uvicorn.Server(_config())) == HUNG_UP


async def test_while_it_leaves_it_serves_and_says_so_in_each_answer() -> None:
    server = Server(_config(), drain_seconds=0.5)
    async with _serving(server) as address:
        asked = time.monotonic()
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.sleep(0.3)
        with closing(socket.create_connection(address)) as late:
            late.sendall(REQUEST.replace(b"Connection: close\r\n", b""))
            answer = await asyncio.to_thread(late.recv, 4096)
        assert answer.startswith(OK)
        assert b"connection: close" in answer.lower()
    assert 0.5 <= time.monotonic() - asked < 3


async def test_a_second_ctrl_c_does_not_wait() -> None:
    server = Server(_config(), drain_seconds=30)
    async with _serving(server):
        server.handle_exit(signal.SIGINT, None)
        server.handle_exit(signal.SIGINT, None)
