"""Every call of the document is answered the same by every lawful transport.

The tables are in `calls` and `transports`.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Final

import httpx2 as httpx
import pytest

from services.command_api.openapi.document import OPERATIONS
from tests.contract.calls import CALLS
from tests.contract.calls.place import Place
from tests.contract.transports import OFFER, TRANSPORTS
from tests.support.proof.told import TruthOfAnswers
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.raw_http import Answer, Line, Request, connected

ALIVE: Final = Request("GET", "/livez").wire
# Ids, moments, positions, names and tokens differ between any two requests.
_VARIES: Final = re.compile(
    rb'"(?:position|event_id)":"[^"]+"'
    rb'|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+Z)?|"[0-9]+:[0-9]+"|[0-9]+:[0-9]{2}(?::[0-9]{2})?|owner-[0-9]+|[0-9]{10,}'
    rb'|"(?:date|fromTime|diff|totaltime|total_seconds)":[0-9.]+|"access_token":"[^"]+"|"id":"[^"]+"'
)
TRUTH: Final = TruthOfAnswers()

Told = tuple[int, bytes]
Prepare = Callable[[], Awaitable[Request]]


@pytest.fixture(scope="session")
async def ruled(deployment: Deployment) -> Tenant:
    """Make a tenant of an admin, whose policy these tests change."""
    return await deployment.tenant(role="admin")


@pytest.fixture
async def place(
    http: httpx.AsyncClient, api: Api, deployment: Deployment, tenant: Tenant, admin: str, ruled: Tenant
) -> Callable[[], Awaitable[Place]]:
    """Make a place for one call."""
    await api.knows(ruled)

    async def made() -> Place:
        return Place(http, tenant, await deployment.person(tenant), admin, ruled)

    return made


@pytest.fixture
async def url(request: pytest.FixtureRequest, http: httpx.AsyncClient, crew: Crew) -> str:
    """Give the address of the process that answers the call of the row: the feed has one of its own."""
    is_feed = "call" in request.fixturenames and request.getfixturevalue("call") == "C feed"
    return (await crew.standing_feed()).url if is_feed else str(http.base_url)


@pytest.fixture
async def line(url: str) -> AsyncIterator[Line]:
    """Open one connection to that process."""
    async with connected(url) as line:
        yield line


@pytest.fixture
def prepare(call: str, place: Callable[[], Awaitable[Place]]) -> Prepare:
    """Prepare the call of the row, each time for a fresh person."""

    async def prepared() -> Request:
        asked = await CALLS[call].prepare(await place())
        assert TRUTH.called(asked.method, asked.target) == CALLS[call].operation
        return asked

    return prepared


def _one_chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def _told(answer: Answer) -> Told:
    return answer.status, _VARIES.sub(b"~", answer.body)


async def _ordinary(prepare: Prepare, line: Line) -> Told:
    await line.say([(await prepare()).wire])
    return _told(await line.hear())


async def _in_step(line: Line) -> bool:
    """Say whether the connection answers the next request, and nothing before it."""
    await line.say([ALIVE])
    return (await line.hear()).body == b'{"alive":true}'


def test_each_operation_of_the_document_has_a_call() -> None:
    assert {call.operation for call in CALLS.values()} == {told.id for told in OPERATIONS}


@pytest.mark.parametrize("call", CALLS)
async def test_a_call_is_answered_the_same_by_every_transport(prepare: Prepare, line: Line, url: str) -> None:
    async def by(transport: str) -> Told:
        async with connected(url) as own:
            await own.say(TRANSPORTS[transport](await prepare()))
            told = _told(await own.hear())
            assert await _in_step(own), transport
            return told

    ordinary = await _ordinary(prepare, line)
    told = await asyncio.gather(*map(by, TRANSPORTS))
    assert dict(zip(TRANSPORTS, told, strict=True)) == dict.fromkeys(TRANSPORTS, ordinary)


@pytest.mark.parametrize("call", CALLS)
async def test_a_request_behind_a_call_is_answered_after_it(prepare: Prepare, line: Line) -> None:
    ordinary = await _ordinary(prepare, line)
    for offer in ((), OFFER):
        await line.say([(await prepare()).having(*offer).wire + ALIVE])
        assert _told(await line.hear()) == ordinary
        assert (await line.hear()).body == b'{"alive":true}'


@pytest.mark.parametrize("call", ["A start", "B pause by form", "C stop"])
async def test_a_call_that_comes_byte_by_byte_is_answered_the_same(prepare: Prepare, line: Line) -> None:
    ordinary = await _ordinary(prepare, line)
    asked = (await prepare()).having(*OFFER).wire
    await line.say([asked[at : at + 1] for at in range(len(asked))], gap_seconds=0.001)
    assert _told(await line.hear()) == ordinary
    assert await _in_step(line)


@pytest.mark.parametrize("call", CALLS)
async def test_a_known_caller_is_asked_for_a_body_that_waits(prepare: Prepare, line: Line) -> None:
    ordinary = await _ordinary(prepare, line)
    asked = (await prepare()).having(("Expect", "100-continue"))
    await line.say([asked.head])
    if asked.body is not None:
        assert await line.interim() == 100
        await line.say([asked.body])
    assert _told(await line.hear()) == ordinary
    assert await _in_step(line)


@pytest.mark.parametrize("call", [call for call in CALLS if call != "A token"])  # its body names the caller
async def test_an_unknown_caller_is_refused_at_once_without_its_body(prepare: Prepare, line: Line) -> None:
    asked = await prepare()
    waiting = Request(asked.method, asked.target, (("Authorization", "Bearer nobody's"),), asked.body)
    await line.say([waiting.having(("Expect", "100-continue")).head])
    # Its body is never sent.
    answer = await line.hear()
    assert (answer.status, answer.interim) == (401, [])
    if asked.body is not None:
        assert answer.headers["connection"] == "close"
        assert await line.rest() == b""


@pytest.mark.parametrize("split", [False, True], ids=["one segment", "two segments"])
@pytest.mark.parametrize("framed", ["by length", "in chunks"])
async def test_a_press_in_the_body_of_a_request_is_not_carried_out(
    place: Callable[[], Awaitable[Place]], http: httpx.AsyncClient, line: Line, framed: str, *, split: bool
) -> None:
    """The outer request has no token. The request in its body has one, and would stop the timer."""
    here = await place()
    timer = f"/v1/timers/{(await here.timer())['id']}"
    inner = Request("POST", f"{timer}/stop", here.bearer).wire
    outer = Request("POST", "/v1/timers", OFFER, inner)
    if framed == "in chunks":
        outer = replace(outer.having(("Transfer-Encoding", "chunked")), body=_one_chunk(inner))
    cut = outer.wire.index(inner) if split else len(outer.wire)
    await line.say([outer.wire[:cut], outer.wire[cut:]])
    assert (await line.hear()).status == 401
    assert await _in_step(line)
    assert (await http.get(timer, headers=dict(here.bearer))).json()["state"] == "RUNNING"


@pytest.mark.parametrize("offer", [(), OFFER], ids=["no offer", "an offer"])
async def test_a_request_with_two_lengths_is_refused_with_all_that_follows(
    place: Callable[[], Awaitable[Place]], http: httpx.AsyncClient, line: Line, offer: tuple[tuple[str, str], ...]
) -> None:
    here = await place()
    timer = f"/v1/timers/{(await here.timer())['id']}"
    stop = Request("POST", f"{timer}/stop", here.bearer).wire
    said = json.dumps({"owner": here.person.owner}).encode()
    chunked = (("Transfer-Encoding", "chunked"), ("Content-Length", "5"))
    both = Request("POST", "/v1/timers", (*here.bearer, *offer, *chunked), b"%x\r\n%b\r\n0\r\n\r\n" % (len(said), said))
    await line.say([both.wire + stop])
    assert (await line.hear()).status == 400
    assert await line.rest() == b""
    assert (await http.get(timer, headers=dict(here.bearer))).json()["state"] == "RUNNING"
    opened = (await http.get("/v2/timer/open", headers=dict(here.bearer))).json()
    assert opened["count"] == 1
