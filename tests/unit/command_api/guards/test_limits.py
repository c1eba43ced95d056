"""Limits on bodies: too large, too slow, without end; and health, which waits for nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2 as httpx
import pytest
import structlog
from pydantic import AwareDatetime, TypeAdapter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message

from services.command_api import health
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.guards.bodies import BodyLimits
from services.command_api.submit.clock_check import ClockWatch
from shared.events.topics import EVENTS, TEXTS
from shared.process.bugs import BugGuard
from tests.unit.command_api.fakes import ticks

AwareDatetimeOnly: TypeAdapter[AwareDatetime] = TypeAdapter(AwareDatetime)


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


async def test_a_bug_is_500_and_logs_none_of_the_callers_text() -> None:
    async def invalid(_: Request) -> Response:
        AwareDatetimeOnly.validate_python("canary")
        raise AssertionError

    async def broken(_: Request) -> Response:
        raise RuntimeError("a bug")

    guard = Middleware(BugGuard, internal=lambda request: JSONResponse({"path": request.url.path}, 500))
    app = Starlette(routes=[Route("/invalid", invalid), Route("/broken", broken)], middleware=[guard])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        for path in ("/invalid", "/broken"):
            with structlog.testing.capture_logs() as logs:
                answer = await http.get(path)
            assert (answer.status_code, answer.json()) == (500, {"path": path})
            assert [(entry["event"], entry["log_level"]) for entry in logs] == [("request_failed", "error")]
            assert "canary" not in str(logs)


async def test_clocks_within_bounds_raise_no_alarm() -> None:
    """A slow ack is not a wrong clock either."""
    clock = ClockWatch(10.0)
    for log_time_ms in (90_000, 100_000, 130_000, 140_000):
        clock.compare(log_time_ms, 100_000, 130_000)
    assert clock.agrees


async def test_a_clock_over_ten_seconds_off_alarms_until_an_ack_agrees() -> None:
    for log_time_ms in (89_999, 140_001):
        clock = ClockWatch(10.0)
        with structlog.testing.capture_logs() as logs:
            clock.compare(log_time_ms, 100_000, 130_000)
            clock.compare(log_time_ms, 100_000, 130_000)
        assert [(entry["event"], entry["log_level"]) for entry in logs] == [("clock_disagrees", "error")]
        assert not doubts_over(clock)
        clock.compare(100_000, 100_000, 130_000)
        assert doubts_over(clock)


def doubts_over(clock: ClockWatch) -> bool:
    return clock.agrees


async def test_readiness_needs_every_check_and_liveness_none() -> None:
    checks = {"replies": True, "producer": True}
    app = Starlette(routes=health.routes(lambda: True, {name: lambda n=name: checks[n] for name in checks}))  # type: ignore[misc]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (200, True)
        checks["producer"] = False
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json() == {"ready": False, "checks": {"replies": True, "producer": False}}
        assert (await http.get("/livez")).status_code == 200


class FakeDeployment:
    """What Postgres says of P: one answer after the other, and the last one stays."""

    def __init__(self, *answers: int | Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def partitions(self) -> int | None:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def ask(check: health.PartitionCheck, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Let a check ask about a hundred times, see that it goes on asking, and return its logs."""
    monkeypatch.setattr(health, "ASK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(health, "LOOK_AGAIN_SECONDS", 0.0)
    with structlog.testing.capture_logs() as logs:
        asking = asyncio.create_task(check.run())
        await ticks(200)
        assert not asking.done()
        asking.cancel()
    return [(entry["event"], entry["log_level"]) for entry in logs]


async def test_partitions_are_believed_until_postgres_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = FakeDeployment(ReadsAwayError(), None, 12)
    check = health.PartitionCheck({EVENTS: 12, TEXTS: 12}, deployment)  # type: ignore[arg-type]
    assert check.agree()
    assert await ask(check, monkeypatch) == [("partitions_agree", "info")]
    assert check.agree()
    deployment.answers = [16]  # another deployment's dump was restored under us
    assert set(await ask(check, monkeypatch)) == {("partitions_disagree", "error")}
    assert not check.agree()
    deployment.answers = [12]
    assert await ask(check, monkeypatch) == [("partitions_agree", "info")]
    assert check.agree()


async def test_a_database_without_tables_is_asked_again_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API that is started before the migrations finds such a database."""
    deployment = FakeDeployment(asyncpg.UndefinedTableError("no table"))
    check = health.PartitionCheck({EVENTS: 12, TEXTS: 12}, deployment)  # type: ignore[arg-type]
    assert await ask(check, monkeypatch) == [("partitions_unasked", "error")]
    assert deployment.asked > 10
    assert check.agree()
    deployment.answers = [16]
    await ask(check, monkeypatch)
    assert not check.agree()


async def test_texts_on_another_number_of_partitions_are_not_ready() -> None:
    assert not health.PartitionCheck({EVENTS: 12, TEXTS: 6}, FakeDeployment(12)).agree()  # type: ignore[arg-type]
