"""CORS: exactly the configured origins, and nothing at all when none is configured."""

from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.command_api.app import Api
from services.command_api.guards.origins import METHODS, READ, SENT, layers
from services.command_api.openapi.document import OPERATIONS
from services.command_api.openapi.operations import feed
from services.command_api.openapi.operations.common import HEADERS
from services.command_api.settings import Settings
from shared.process.alarms import Alarms
from shared.process.bugs import BugGuard

OURS = "https://app.example.com"
# A script may always read these of an answer (the Fetch standard's safelist), and send these.
SEEN_ANYWAY = {"Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified"}
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


async def press(request: Request) -> Response:
    if request.query_params:
        raise HTTPException(404)
    return Response("pressed", headers={"Vary": "Accept"})


def browser(*origins: str) -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/press", press, methods=["POST"])], middleware=layers(origins))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api")


def told(answer: httpx.Response) -> dict[str, str]:
    """Return what an answer says to a browser about origins."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


async def test_a_preflight_of_a_configured_origin_is_told_what_it_may_send() -> None:
    """It carries no token (browsers send none with it), and no call is made."""
    async with browser("https://other.example.com", OURS) as http:
        answer = await http.options("/press", headers={"Origin": OURS} | ASKED)
    assert answer.status_code == 200
    assert "Origin" in answer.headers["vary"]
    assert told(answer) == {
        "access-control-allow-origin": OURS,
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-allow-headers": "Accept, Accept-Language, Authorization, Content-Language, Content-Type, "
        "Idempotency-Key, If-Match, If-None-Match, Prefer, X-Min-Position, traceparent",
        "access-control-max-age": "600",
    }


async def test_an_answer_names_its_own_origin_and_the_headers_that_a_page_may_read() -> None:
    """An error too: without these headers a page hears of a network error alone. Cookies are not allowed."""
    async with browser(OURS) as http:
        for path, status in (("/press", 200), ("/press?wrong=1", 404)):
            answer = await http.post(path, headers={"Origin": OURS})
            assert answer.status_code == status
            assert "Origin" in answer.headers["vary"]
            assert told(answer) == {
                "access-control-allow-origin": OURS,
                "access-control-expose-headers": "Content-Disposition, Deprecation, ETag, Link, Location, "
                "Retry-After, Sunset, WWW-Authenticate, X-Position",
            }


@pytest.mark.parametrize(
    "origin",
    ["https://app.example.com.evil.test", "http://app.example.com", "https://app.example.com:8443", "null", "*"],
)
async def test_another_origin_is_let_in_nowhere(origin: str) -> None:
    async with browser(OURS) as http:
        asked = await http.options("/press", headers={"Origin": origin} | ASKED)
        pressed = await http.post("/press", headers={"Origin": origin})
    assert asked.status_code == 400
    assert pressed.status_code == 200, "what a page of that origin may not read, another client may"
    assert "access-control-allow-origin" not in told(asked) | told(pressed)


async def test_a_request_that_no_page_made_is_answered_as_ever() -> None:
    """OPTIONS too: without the two headers of a preflight it is a call that nobody has."""
    async with browser(OURS) as http:
        pressed, options = await http.post("/press"), await http.options("/press")
    assert (pressed.status_code, told(pressed), pressed.headers["vary"]) == (200, {}, "Accept, Origin")
    assert (options.status_code, told(options)) == (405, {})


async def test_without_an_origin_no_layer_is_in_the_path() -> None:
    """The control of the tests above, and the reason why nobody pays for CORS who has none."""
    assert layers(()) == []
    async with browser() as http:
        asked = await http.options("/press", headers={"Origin": OURS} | ASKED)
        pressed = await http.post("/press", headers={"Origin": OURS})
    assert (asked.status_code, told(asked)) == (405, {})
    assert (pressed.status_code, told(pressed)) == (200, {})


def sent_by(operations: Any) -> Iterator[str]:  # noqa: ANN401 - as OPERATIONS is
    for told_of in operations:
        yield from (one.name for one in told_of.parameters if one.place == "header")


def test_a_page_may_use_every_header_and_method_of_the_document() -> None:
    """A new header of a call: add it to SENT or READ in services/command_api/guards/origins.py.

    The feed is a process of its own, which no page of another site may read.
    """
    assert set(sent_by(told_of for told_of in OPERATIONS if told_of not in feed.OPERATIONS)) <= set(SENT)
    assert set(HEADERS) - SEEN_ANYWAY <= set(READ)
    assert {told_of.method for told_of in OPERATIONS} == set(METHODS)


@pytest.mark.parametrize(("origins", "first"), [("", []), (OURS, [CORSMiddleware])])
async def test_the_layer_is_the_outermost_one_of_the_api(origins: str, first: list[object]) -> None:
    """What a guard inside it answers, a 413 or a 500, reaches the page too."""
    said = {"kafka_bootstrap_servers": "kafka.example:9092", "postgres_dsn": "postgresql://postgres.example/stint"}
    settings = Settings.model_validate(said | {"token_key": "k" * 32, "cors_origins": origins})
    stack: list[object] = [layer.cls for layer in Api(settings, Alarms(frozenset())).app().user_middleware]
    assert stack[:-3] == first
    assert stack[-3] is BugGuard
