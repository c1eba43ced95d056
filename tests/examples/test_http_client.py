"""The HTTP client: one press however often it is sent, over 202, 429, 503 and lost answers."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx
import pytest

from examples.http_client.client import Stint
from tests.examples.told import EXAMPLES, loosely, told_by
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.outside import said_by, started

FOLDER: Final = EXAMPLES / "http_client"
PROGRAM: Final = FOLDER / "client.py"
AGAIN: Final = "/v1/timers: 202, again in 1 s with the same key"
DONE: Final = {"id": "7", "state": "RUNNING"}


def scripted(*answers: httpx.Response | Exception) -> tuple[Stint, list[httpx.Request], list[float]]:
    """Return a client whose server says these answers in turn, what it is asked, and for how long the client sleeps."""
    left: Iterator[httpx.Response | Exception] = iter(answers)
    asked: list[httpx.Request] = []
    slept: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(said := next(left), Exception):
            raise said
        return said

    http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://stint")
    return Stint(http, sleep=slept.append, clock=lambda: sum(slept)), asked, slept


def later(status: int, seconds: int) -> httpx.Response:
    return httpx.Response(status, headers={"Retry-After": str(seconds)}, json={})


def test_a_press_is_repeated_under_its_key_for_as_long_as_each_answer_says() -> None:
    lost = httpx.ReadTimeout("the answer was lost")
    stint, asked, slept = scripted(later(503, 2), later(429, 7), lost, later(202, 1), httpx.Response(201, json=DONE))
    assert stint.press("/v1/timers", {"owner": "dana"}, key="shift-17") == DONE
    assert slept == [2, 7, 1, 1]
    assert [request.headers["Idempotency-Key"] for request in asked] == ["shift-17"] * 5
    assert {request.content for request in asked} == {b'{"owner":"dana"}'}


def test_two_presses_have_two_keys() -> None:
    stint, asked, _ = scripted(httpx.Response(201, json=DONE), httpx.Response(201, json=DONE))
    for _ in range(2):
        stint.press("/v1/timers", {"owner": "dana"})
    assert len({request.headers["Idempotency-Key"] for request in asked}) == 2


def test_a_refusal_is_not_repeated() -> None:
    refusal = {"title": "Conflict", "detail": "The timer's state does not allow this.", "rule": "R07"}
    stint, asked, _ = scripted(httpx.Response(409, json=refusal))
    with pytest.raises(httpx.HTTPStatusError, match=r"409 R07: The timer's state does not allow this\."):
        stint.press("/v1/timers/7/pause", {})
    assert len(asked) == 1


@pytest.mark.parametrize(
    "wrong", [httpx.LocalProtocolError("Illegal header value"), httpx.UnsupportedProtocol("no URL")]
)
def test_a_request_that_cannot_be_sent_is_not_repeated(wrong: Exception) -> None:
    """An empty token makes a header that no client sends."""
    stint, asked, slept = scripted(wrong)
    with pytest.raises(type(wrong)):
        stint.press("/v1/timers", {"owner": "dana"})
    assert (len(asked), slept) == (1, [])


def test_a_client_gives_up_after_a_minute_and_names_its_key() -> None:
    stint, asked, _ = scripted(*[later(503, 25) for _ in range(9)])
    with pytest.raises(TimeoutError, match="shift-17"):
        stint.press("/v1/timers", {"owner": "dana"}, key="shift-17")
    assert len(asked) == 3


async def _timers(api: Api, owner: str) -> list[dict[str, Any]]:
    answer = await api.http.get("/v1/timers", params={"owner": owner}, headers=api.headers())
    items: list[dict[str, Any]] = json.loads(answer.content)["items"]
    return items


async def test_a_start_that_is_judged_late_is_one_timer(
    api: Api, crew: Crew, owner: str, tmp_path: Path, wheel: Path
) -> None:
    """The projector is frozen when the client starts its timer: 202, and again, until somebody judges."""
    environ = {"STINT_URL": str(api.http.base_url), "STINT_TOKEN": api.token, "PYTHONUNBUFFERED": "1"}
    crew.projectors[0].freeze()
    running = await started(PROGRAM, owner, folder=tmp_path, wheel=wheel, environ=environ)
    assert running.stdout is not None
    async with asyncio.timeout(30):
        assert (await running.stdout.readline()).decode().strip() == AGAIN
    crew.projectors[0].thaw()
    printed = [line for line in await said_by(running) if line != AGAIN]
    assert loosely(printed) == [line for line in told_by(FOLDER) if line not in loosely([AGAIN])]
    [timer] = await _timers(api, owner)
    assert timer["state"] == "STOPPED"
