"""A reader on a real socket that takes nothing: it is cut off for good, and others hear everything meanwhile."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

import pytest
from starlette.applications import Starlette

from deploy.local.settings import HOST
from services.feed.calls.feed import routes
from shared.process.http.protocol import HttpProtocol
from shared.process.http.server import Server, http_config
from tests.support.story.judged import judged, outcome_bytes
from tests.unit.feed.calls.requests import Wired, token

# More than the kernel keeps for a connection on loopback.
OUTCOMES: Final = 400
LARGE: Final = 40_000


def wired() -> Wired:
    it = Wired()
    it.put(*[replace(judged(n), body=outcome_bytes(n) + b" " * LARGE) for n in range(OUTCOMES)])
    return it


@asynccontextmanager
async def serving(it: Wired) -> AsyncIterator[Server]:
    server = Server(http_config(Starlette(routes=routes(it.call)), HOST, 0, 1))
    server.config.lifespan = "off"
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it sets no event
        await asyncio.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 10)


def asked() -> bytes:
    said = ("GET /v1/feed HTTP/1.1", "Host: here", "Accept: text/event-stream", f"Authorization: Bearer {token()}")
    return "\r\n".join([*said, "", ""]).encode()


async def never_reads(server: Server) -> socket.socket:
    door = socket.socket()
    door.settimeout(0)
    await asyncio.get_running_loop().sock_connect(door, server.servers[0].sockets[0].getsockname())
    await asyncio.get_running_loop().sock_sendall(door, asked())
    return door


async def until(true: Callable[[], bool], within_seconds: float = 5.0) -> bool:
    """Return whether a condition comes true in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_seconds):
            while not true():  # noqa: ASYNC110 - a server sets no event
                await asyncio.sleep(0.01)
    return true()


async def test_a_reader_that_takes_nothing_loses_its_connection_and_others_hear_all() -> None:
    it = wired()
    async with serving(it) as server:
        with await never_reads(server):
            assert await until(lambda: it.room.readers == 1)
            reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
            writer.write(asked())
            heard = 0
            while heard < OUTCOMES * LARGE:
                heard += len(await asyncio.wait_for(reader.read(1 << 20), 5))
            # The one that reads is still there; the connection of the other is not.
            assert await until(lambda: it.room.readers == 1 and len(server.server_state.connections) == 1)
            writer.close()
            assert await until(lambda: not server.server_state.connections)


async def test_control_closing_alone_would_wait_for_such_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without hanging up, the connection and what is buffered for it would stay for as long as the reader likes."""
    begin = HttpProtocol.on_message_begin

    def closes(self: HttpProtocol) -> None:
        begin(self)
        self.scope["extensions"] = {"stint.hang_up": {"now": self.transport.close}}

    monkeypatch.setattr(HttpProtocol, "on_message_begin", closes)
    it = wired()
    async with serving(it) as server:
        with await never_reads(server):
            assert await until(lambda: it.room.readers == 1)
            assert await until(lambda: it.room.readers == 0)
            assert not await until(lambda: not server.server_state.connections, 0.3)
