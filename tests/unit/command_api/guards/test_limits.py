"""Limits on bodies: too large, too slow, without end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message

from services.command_api.guards.bodies import BodyLimits


async def echo(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


async def deaf(_: Request) -> Response:
    return JSONResponse({"read": False})


async def words(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"said": error.status_code}, error.status_code)


def limited(bytes_max: int = 10, within_seconds: float = 5.0) -> BodyLimits:
    routes = [Route("/echo", echo, methods=["GET", "POST"]), Route("/deaf", deaf, methods=["POST"])]
    app = Starlette(routes=routes, exception_handlers={HTTPException: words})
    return BodyLimits(app, bytes_max=bytes_max, within_seconds=within_seconds)


async def in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def client(app: BodyLimits) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api")


async def test_a_body_up_to_the_limit_is_read_and_keeps_the_connection() -> None:
    async with client(limited()) as http:
        for content in (b"0123456789", in_pieces(b"01234", b"56789")):
            answer = await http.post("/echo", content=content)
            assert (answer.status_code, answer.json()) == (200, {"bytes": 10})
            assert "connection" not in answer.headers


async def test_a_larger_body_is_413_however_it_is_sent() -> None:
    async with client(limited()) as http:
        for content in (b"0123456789a", in_pieces(b"0123456789", b"a")):
            answer = await http.post("/echo", content=content)
            assert (answer.status_code, answer.json()) == (413, {"said": 413})
            assert "connection" not in answer.headers


async def test_a_far_too_large_body_ends_the_connection_unread() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    async with client(limited()) as http:
        for content in (b"x" * 2_000_000, endless()):
            answer = await http.post("/echo", content=content)
            assert (answer.status_code, answer.headers["connection"]) == (413, "close")


async def test_a_request_without_body_passes() -> None:
    async with client(limited()) as http:
        answer = await http.get("/echo")
        assert (answer.status_code, answer.json()) == (200, {"bytes": 0})


async def test_an_unread_body_is_skipped_and_the_connection_stays() -> None:
    async with client(limited()) as http:
        answer = await http.post("/deaf", content=b"x")
        assert answer.status_code == 200
        assert "connection" not in answer.headers


async def test_an_unread_body_that_stops_coming_ends_the_connection() -> None:
    app = limited()
    request, sent = await slow(app, "/deaf")
    assert sent == []
    app.sweep(asyncio.get_running_loop().time() + 5.1)
    await asyncio.wait_for(request, 1)
    assert sent[0]["status"] == 200
    assert (b"connection", b"close") in sent[0]["headers"]


EXPECTS = {"Expect": "100-Continue"}


async def test_an_unwanted_body_that_waits_is_never_asked_for() -> None:
    """The server asks when `receive` is first called. An answer that is already known needs no upload."""
    asked: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        asked.append(1)
        yield b"x"

    async with client(limited()) as http:
        for path, headers in (("/deaf", EXPECTS), ("/nowhere", EXPECTS), ("/echo", EXPECTS | {"Content-Length": "11"})):
            answer = await http.post(path, content=body(), headers=headers)
            assert (answer.headers["connection"], asked) == ("close", [])
        answer = await http.post("/echo", content=body(), headers=EXPECTS)
        assert (answer.json(), asked) == ({"bytes": 1}, [1])
        assert "connection" not in answer.headers


async def slow(app: BodyLimits, path: str = "/echo") -> tuple["asyncio.Task[None]", list[Message]]:
    """Begin a request whose second piece never comes, and return it with what was sent."""
    pieces: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}]
    sent: list[Message] = []

    async def receive() -> Message:
        if pieces:
            return pieces.pop()
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"transfer-encoding", b"chunked")],
    }
    request = asyncio.create_task(app(scope, receive, send))
    await asyncio.sleep(0.01)
    return request, sent


async def test_a_body_that_stops_coming_is_408_at_the_deadline() -> None:
    app = limited()
    request, sent = await slow(app)
    now = asyncio.get_running_loop().time()
    app.sweep(now + 4.9)
    await asyncio.sleep(0.01)
    assert sent == []
    app.sweep(now + 5.1)
    await asyncio.wait_for(request, 1)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    app.sweep(now + 100)
    assert app._waiting == {}


async def test_a_cancellation_that_is_not_ours_is_passed_on() -> None:
    app = limited()
    request, sent = await slow(app)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert sent == []
    assert app._waiting == {}
