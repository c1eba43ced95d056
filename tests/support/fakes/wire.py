"""Our HTTP protocol alone, on a connection in memory: bytes in; then what the application got, and what went back.

Where it differs from TCP: a write always succeeds at once, `close` takes effect at once, and reading never pauses.
"""

import asyncio
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from shared.process.http.protocol import HttpProtocol
from shared.process.http.server import http_config

NEXT: Final = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
STOP: Final = b"POST /stop HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
OFFERS: Final = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n",
    b"upgrade: websocket\r\nconnection: keep-alive,UPGRADE\r\nSec-WebSocket-Version: 13\r\n",
    b"Connection: foo\r\nUpgrade: TLS/1.0, other\r\nX-Empty:\r\nConnection: upgrade \r\n",
)


class Wire(asyncio.Transport):
    """The transport of a connection. It keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.closed:
            self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


@dataclass
class Exchange:
    """What one connection's bytes led to: the requests that the application read whole, and what went back."""

    read: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    written: bytes = b""
    closed: bool = False
    slowly: bool = False  # the application works until all bytes have come

    @property
    def presses(self) -> list[tuple[str, str, bytes]]:
        """What was carried out: method, path, body."""
        return [(method, path, body) for method, path, _, body in self.read]

    @property
    def statuses(self) -> list[int]:
        return [int(part[:3]) for part in self.written.split(b"HTTP/1.1 ")[1:]]

    def asgi(self) -> ASGIApp:
        """Return the application, as a function: uvicorn takes a method for an ASGI 2 application."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await self._app(scope, receive, send)

        return app

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # the connection was cut off
            body, more = body + message["body"], message["more_body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.read.append((scope["method"], scope["path"], headers, body))
        for _ in range(50 if self.slowly else 0):
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def exchange(
    pieces: Iterable[bytes], kind: type[HttpToolsProtocol] = HttpProtocol, *, slowly: bool = False
) -> Exchange:
    """Give the pieces to a protocol one by one, then end the connection."""
    told = Exchange(slowly=slowly)
    told.written, told.closed = await said_to(told.asgi(), pieces, kind)
    return told


async def said_to(
    app: ASGIApp, pieces: Iterable[bytes], kind: type[HttpToolsProtocol] = HttpProtocol
) -> tuple[bytes, bool]:
    """Do the same with an application of the test's; return what was written, and whether we closed."""
    config = http_config(app, "here", 0, 1)
    config.load()
    protocol, wire = kind(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    for piece in pieces:
        if not wire.closed:
            protocol.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(200):
        await asyncio.sleep(0)
    written, closed = wire.written, wire.closed
    protocol.connection_lost(None)
    for _ in range(20):
        await asyncio.sleep(0)
    return written, closed


def cut(stream: bytes, at: Iterable[int]) -> list[bytes]:
    """Return the stream cut at these places, each taken modulo its length."""
    edges = [0, *sorted({edge % len(stream) for edge in at}), len(stream)]
    return [stream[begin:end] for begin, end in itertools.pairwise(edges) if begin < end]


def request(offer: bytes, body: bytes, method: bytes = b"POST") -> bytes:
    """Return a request with the headers of `offer`, the end of the head, and `body`."""
    return method + b" /press?a=b HTTP/1.1\r\nHost: a\r\nX-Key: k\r\n" + offer + body
