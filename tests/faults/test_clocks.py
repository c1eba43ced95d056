"""The clock of an API or of a projector that is wrong, by libfaketime: what it may spoil, and what it may not.

Debian's libfaketime is fetched once; where it cannot be had, these tests are skipped and say so.
"""

import asyncio
import platform
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import pytest

from deploy.local.settings import Settings
from services.stint_cli.tenants import issue_bearer_token
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.debian import program_in
from tests.support.stack.deployments import TOKEN_KEY, Tenant
from tests.support.stack.patient import Patient
from tests.support.stack.until import eventually

LIBRARY = f"usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1"

Off = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def off() -> Off:
    """Return the environment of a process whose clock is off by so much."""
    try:
        library = program_in(Settings.from_environment().cache, LIBRARY, "libfaketime")
    except FileNotFoundError as error:
        pytest.skip(str(error))

    def environ(by: str) -> dict[str, str]:
        # Waits go by the monotonic clock, which no operator can set. Files keep their times.
        return {"LD_PRELOAD": str(library), "FAKETIME": by, "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    return environ


@pytest.fixture
def token(tenant: Tenant) -> str:
    """Give a token that is an hour old, so that it is valid by all of these clocks."""
    since = datetime.now(UTC) - timedelta(hours=1)
    return issue_bearer_token(TOKEN_KEY, tenant.name, tenant.client, since, timedelta(days=2))


async def clock_agrees(api: Api) -> bool:
    agrees: bool = (await api.http.get("/readyz")).json()["checks"]["clock"]
    return agrees


@pytest.mark.fault
async def test_an_api_half_a_minute_off_leaves_the_balancer_and_its_presses_are_void_or_on_time(
    crew: Crew, client: Callable[..., httpx.AsyncClient], token: str, off: Off, owner: str
) -> None:
    """A slow clock dates a press before its own expiry: void, so the key is free. A fast one is held to the log."""
    await crew.be(apis=1, projectors=1)
    slow, fast = [
        Patient(client(one.url), token) for one in await asyncio.gather(*map(crew.api, map(off, ("-31s", "+31s"))))
    ]
    right = Patient(client(), token)

    void = await slow.start(owner, key="once")
    assert void.status_code == 503, void.text
    assert void.headers["Retry-After"]
    assert not await clock_agrees(slow)
    retried = await right.start(owner, key="once")
    assert retried.status_code == 201

    counted = await fast.press("stop", retried.json()["id"])
    assert counted.status_code == 200
    assert datetime.fromisoformat(counted.json()["stopped_at"]) <= datetime.now(UTC)
    assert not await clock_agrees(fast)
    assert await clock_agrees(right)


@pytest.mark.fault
async def test_a_projector_a_day_ahead_says_that_it_is_the_clock_and_another_one_takes_over(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, off: Off, owner: str
) -> None:
    """Kafka takes no record that is over an hour ahead, so it publishes nothing. A press is only answered later."""
    await crew.be(apis=1, projectors=0)
    ahead = await crew.projector(off("+1d"))
    pressed = await Api(client(), tenant.token).start(owner, key="once")
    assert pressed.status_code in {201, 202}, pressed.text

    async def is_held() -> bool:
        return "held: clock_disagrees" in (await client(ahead.url).get("/readyz")).json()["waiting"].values()

    await eventually(is_held, "the projector says what it waits for")
    (line, *_) = [line for line in ahead.said().splitlines() if '"event": "clock_disagrees"' in line]
    assert "is over an hour ahead of the broker's" in line
    await ahead.stop()
    await crew.be(apis=1, projectors=1)
    retried = await Patient(client(), tenant.token).start(owner, key="once")
    assert retried.status_code == 201
