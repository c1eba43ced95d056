"""An ordinary answer leaves in one write, and every answer has the bytes that uvicorn's own cycle writes."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from shared.process.http import protocol
from shared.process.http.protocol import HttpProtocol
from shared.process.http.server import Server, http_config
from tests.support.fakes.wire import NEXT, Wire, request, said_to

Message = dict[str, Any]

GET: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(said: bytes = b"hi", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": said, "more_body": more}


def length(of: int) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % of


JSON: Final = (b"content-type", b"application/json")

ANSWERS: Final[dict[str, list[Message]]] = {
    "ordinary": [start(JSON, length(2), (b"location", b"/here")), body()],
    "empty": [start(length(0), status=201), body(b"")],
    "no header": [start(), body()],
    "another header": [start(length(2), (b"x-key", b"k")), body()],
    "capitals": [start((b"Content-Type", b"text/plain"), length(2)), body()],
    "the last of its connection": [start(length(2), (b"connection", b"close")), body()],
    "two lengths": [start(length(2), length(2)), body()],
    "in parts": [start(length(4)), body(more=True), body()],
    "in parts without a length": [start(JSON), body(more=True), body()],
    "chunked": [start((b"transfer-encoding", b"chunked")), body(more=True), body(b"")],
    "shorter than it says": [start(length(3)), body()],
    "longer than it says": [start(length(1)), body()],
    "a line end in a value": [start(length(2), (b"location", b"/\r\nx: y")), body()],
    "a null in a value": [start(length(2), (b"location", b"/\x00")), body()],
    "a name that is none": [start(length(2), (b"a b", b"c")), body()],
    "no content": [start(length(0), status=204), body(b"")],
    "not modified": [start(length(2), status=304), body(b"")],
    "a second head": [start(length(2)), start(length(2)), body()],
    "a second body": [start(length(2)), body(), body()],
    "a body first": [body()],
}


def answering(messages: Sequence[Message]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await receive()
            for message in messages:
                await send(message)

    return app


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("pieces", ["keeps its connection", "closes it", "HTTP/1.0"])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_every_answer_has_the_bytes_that_uvicorn_writes(
    answer: str, pieces: str, method: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = request(b"Connection: close\r\n" if pieces == "closes it" else b"", b"\r\n", method)
    said = [asks.replace(b"HTTP/1.1", b"HTTP/1.0") if pieces == "HTTP/1.0" else asks, NEXT]
    ours = await said_to(answering(ANSWERS[answer]), said)
    monkeypatch.setattr(protocol, "Cycle", RequestResponseCycle)
    assert ours == await said_to(answering(ANSWERS[answer]), said)


async def test_a_head_whose_body_never_comes_is_not_written() -> None:
    """Uvicorn writes it. Either way the connection is closed, and the caller has no answer."""
    assert await said_to(answering([start(length(2))]), [GET]) == (b"", True)


class Counting(Wire):
    """A wire that remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))
        super().write(data)


def connected(app: ASGIApp) -> tuple[HttpProtocol, Counting]:
    config = http_config(app, "here", 0, 1)
    config.load()
    protocol, wire = HttpProtocol(config, ServerState(), {}), Counting()
    protocol.connection_made(wire)
    return protocol, wire


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_an_ordinary_answer_is_one_write_and_needs_no_turn_of_the_loop() -> None:
    protocol, wire = connected(answering(ANSWERS["ordinary"]))
    protocol.data_received(GET)
    await turns(2)
    [written] = wire.writes
    assert (
        written
        == b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nlocation: /here\r\n\r\nhi"
    )


async def test_a_caller_that_reads_nothing_is_waited_for() -> None:
    """As uvicorn waits: before the head, and before the body."""
    protocol, wire = connected(answering(ANSWERS["ordinary"]))
    protocol.pause_writing()
    protocol.data_received(GET)
    await turns()
    assert wire.writes == []
    protocol.resume_writing()
    await turns()
    assert len(wire.writes) == 1


@pytest.mark.parametrize("came", [b"", GET[:9], b"\r\n", GET[:-2]])
async def test_a_connection_without_a_whole_head_for_too_long_is_closed(came: bytes) -> None:
    """Nothing came, or a head that is not whole, or blank lines. Uvicorn would keep each of them for ever."""
    protocol, wire = connected(answering(ANSWERS["ordinary"]))
    loop = asyncio.get_running_loop()
    for byte in came:
        protocol.data_received(bytes([byte]))
    protocol.close_if_idle(loop.time() + 74)
    assert not wire.closed
    protocol.close_if_idle(loop.time() + 76)
    assert wire.closed


async def test_a_connection_that_is_idle_too_long_is_closed_and_no_other() -> None:
    protocol, wire = connected(answering(ANSWERS["ordinary"]))
    loop = asyncio.get_running_loop()
    protocol.data_received(GET + GET[:9])  # half a head behind a request: the request is answered first
    protocol.close_if_idle(loop.time() + 1000)
    assert not wire.closed
    await turns()
    protocol.data_received(GET[9:])
    protocol.close_if_idle(loop.time() + 1000)
    assert not wire.closed
    await turns()
    answered_at = loop.time()
    protocol.close_if_idle(answered_at + 74)
    assert not wire.closed
    protocol.close_if_idle(answered_at + 76)
    assert wire.closed


async def test_a_server_looks_for_idle_connections_once_a_second() -> None:
    config = http_config(answering(ANSWERS["ordinary"]), "here", 0, 1)
    config.load()
    config.timeout_keep_alive = 0
    server = Server(config)
    protocol, wire = HttpProtocol(config, server.server_state, {}), Wire()
    protocol.connection_made(wire)
    protocol.data_received(GET)
    await turns()
    await server.on_tick(9)
    assert not wire.closed
    await server.on_tick(10)
    assert wire.closed
