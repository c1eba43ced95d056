"""A bug is answered and logged by the guard alone, and no layer of Starlette's stands around it."""

import httpx2 as httpx
import structlog
from pydantic import AwareDatetime, TypeAdapter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.process.bugs import BugGuard, Guarded
from tests.support.fakes.wire import request, said_to

_AWARE: TypeAdapter[AwareDatetime] = TypeAdapter(AwareDatetime)


async def _press(_: Request) -> Response:
    raise LookupError("a bug")


def _made(kind: type[Starlette]) -> Starlette:
    guard = Middleware(BugGuard, internal=lambda _: PlainTextResponse("ours", 500))
    return kind(routes=[Route("/press", _press, methods=["POST"])], middleware=[guard])


def _served(app: ASGIApp) -> ASGIApp:
    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)  # a function, because uvicorn looks at the kind of an object

    return served


async def test_a_bug_is_answered_in_our_words_and_logged_once() -> None:
    with structlog.testing.capture_logs() as logs:
        written, closed = await said_to(_served(_made(Guarded)), [request(b"", b"\r\n")])
    assert written.startswith(b"HTTP/1.1 500 ")
    assert written.endswith(b"\r\n\r\nours")
    assert not closed
    assert [entry["event"] for entry in logs] == ["request_failed"]


def test_the_guard_is_the_outermost_layer() -> None:
    """Starlette's own layer for bugs would see each message of each answer; the control has it."""
    assert isinstance(_made(Guarded).build_middleware_stack(), BugGuard)
    assert isinstance(_made(Starlette).build_middleware_stack(), ServerErrorMiddleware)


async def test_a_bug_is_500_and_logs_none_of_the_callers_text() -> None:
    async def invalid(_: Request) -> Response:
        _AWARE.validate_python("canary")
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
