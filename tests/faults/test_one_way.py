"""The way between two parts is broken in one direction: what was acknowledged is kept, and nothing counts twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit, urlunsplit

import httpx2 as httpx
import pytest

from deploy.local.kafka import broker_properties
from deploy.local.machine import free_ports
from deploy.local.settings import HOST
from shared.events.codec import Press
from shared.events.models import TimerStarted
from shared.events.topics import EVENTS
from tests.faults.links import Link, link_to
from tests.support.proof.minutes import HALF_AN_HOUR, ONE_STOPPED_TIMER, kept_twice, worked
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.holders import owner_with
from tests.support.stack.logs import read_topic
from tests.support.stack.patient import Patient
from tests.support.stack.stacks import CONTAINERS
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained

# A statement without an answer is given up after a second, and the server gives up before that.
IMPATIENT = {
    "PROJECTOR_POSTGRES_WITHIN_SECONDS": "1",
    "PROJECTOR_TRANSACTION_TIMEOUT_MS": "900",
    "PROJECTOR_IDLE_IN_TRANSACTION_TIMEOUT_MS": "900",
    "PROJECTOR_LOCK_TIMEOUT_MS": "900",
}

# Without an ack, a press is given up after a second.
SHORT_OF_PATIENCE = {"COMMAND_API_PUBLISH_WITHIN_SECONDS": "1"}


@pytest.mark.fault
async def test_a_commit_that_is_lost_on_its_way_or_on_the_way_back_counts_once(
    crew: Crew, client: Callable[..., httpx.AsyncClient], deployment: Deployment, tenant: Tenant
) -> None:
    """Lost on the way back, it has happened, and the caller hears it from the row.

    Lost on its way there, it has not: the caller hears 202. Its bytes reach Postgres after the projector gave it up.
    """
    await crew.be(apis=1, projectors=1)
    async with link_to_postgres(deployment) as (link, dsn):
        behind = await crew.projector(IMPATIENT | {"PROJECTOR_POSTGRES_DSN": dsn})
        patient, brief = (Patient(client(), tenant.token, wait_seconds=seconds) for seconds in (15, 3))
        heard = {}
        for direction in ("answers", "requests"):
            owner = await owner_with(behind, [*crew.projectors, behind], deployment, tenant)
            timer = (await patient.begin(owner)).json()["id"]
            behind.mark()
            # What the projector asks before the commit names the press alone. The commit has the owner's name.
            link.block(direction, owner.encode())
            heard[owner] = (await brief.end(timer, key="stop")).status_code
            await eventually(partial(given_up, behind), "the commit is given up")
            link.open()
            assert (await patient.end(timer, key="stop")).json()["total_seconds"] == HALF_AN_HOUR / 1_000_000
        assert list(heard.values()) == [200, 202]
        await drained(deployment)
    assert await worked(deployment.dsn, *heard) == dict.fromkeys(heard, ONE_STOPPED_TIMER)
    assert await kept_twice(deployment.dsn) == []


@pytest.mark.fault
async def test_an_api_whose_way_to_postgres_is_open_in_one_direction_takes_presses_and_refuses_reads(
    crew: Crew, client: Callable[..., httpx.AsyncClient], deployment: Deployment, tenant: Tenant
) -> None:
    """A press needs no Postgres here: its token is signed, and its verdict comes by Kafka. A read is given up."""
    await crew.be(apis=1, projectors=1)
    async with link_to_postgres(deployment) as (link, dsn):
        service = await crew.api({"COMMAND_API_POSTGRES_DSN": dsn})
        behind = Patient(client(service.url), tenant.token)

        async def running(owner: str) -> httpx.Response:
            return await behind.http.get(f"/v1/owners/{owner}/current", headers=behind.headers())

        async def reads(owner: str) -> bool:
            return (await running(owner)).status_code == 200

        for direction in ("answers", "requests"):
            stranger = await deployment.person(tenant)
            owner = fresh_owner()
            timer = (await behind.start(owner)).json()["id"]
            link.block(direction, owner.encode())
            refused = await running(owner)
            zoho = {"Authorization": f"Zoho-oauthtoken {stranger.token}"}
            unknown = await behind.http.get("/people/api/timetracker/getcurrentlyrunningtimer", headers=zoho)
            assert [one.status_code for one in (refused, unknown)] == [503, 503], "no caller hears 401 or 404"
            assert (await behind.press("stop", timer)).status_code == 200
            assert (await behind.http.get("/readyz")).status_code == 200
            link.open()
            await eventually(partial(reads, owner), "reads are answered again")
            assert (await running(owner)).json()["items"] == []


@pytest.mark.fault
@pytest.mark.skipif(CONTAINERS, reason="the broker's listeners are its container's")
async def test_a_press_that_is_lost_on_its_way_to_kafka_or_whose_ack_is_counts_once(
    crew: Crew, client: Callable[..., httpx.AsyncClient], deployment: Deployment, tenant: Tenant
) -> None:
    """Its caller hears 503 and may press again under its key, at once and elsewhere. The bytes arrive afterwards."""
    await crew.be(apis=1, projectors=1)
    right = Patient(client(), tenant.token)
    async with link_to_kafka(deployment) as (link, address):
        service = await crew.api(SHORT_OF_PATIENCE | {"COMMAND_API_KAFKA_BOOTSTRAP_SERVERS": address})
        behind = Patient(client(service.url), tenant.token)
        owners = []

        async def is_ready(wanted: int) -> bool:
            return (await behind.http.get("/readyz")).status_code == wanted

        for direction in ("answers", "requests"):
            owners.append(fresh_owner())
            link.block(direction, EVENTS.encode())
            lost = await behind.begin(owners[-1], key="once")
            assert (lost.status_code, bool(lost.headers["Retry-After"])) == (503, True)
            assert await starts_of(owners[-1], deployment) == (direction == "answers"), "control: of the two ways"
            await eventually(partial(is_ready, 503), "the API says that it is not ready")
            retried = await right.begin(owners[-1], key="once")
            assert retried.status_code == 201
            link.open()
            await eventually(partial(is_ready, 200), "the API is ready again")
            assert (await behind.begin(owners[-1], key="once")).json()["id"] == retried.json()["id"]
            await right.end(retried.json()["id"])
        await drained(deployment)
        assert await worked(deployment.dsn, *owners) == dict.fromkeys(owners, ONE_STOPPED_TIMER)
        assert await kept_twice(deployment.dsn) == []
    await crew.settled()


@asynccontextmanager
async def link_to_postgres(deployment: Deployment) -> AsyncIterator[tuple[Link, str]]:
    """Open a link to Postgres. Yield it, and the address at which Postgres is reached through it."""
    postgres = urlsplit(deployment.dsn)
    assert postgres.hostname is not None
    assert postgres.port is not None
    async with link_to(postgres.hostname, postgres.port) as (link, port):
        yield link, urlunsplit(postgres._replace(netloc=f"{postgres.netloc.rpartition(':')[0]}:{port}"))


@asynccontextmanager
async def link_to_kafka(deployment: Deployment) -> AsyncIterator[tuple[Link, str]]:
    """Open a link to Kafka. Yield it, and the address at which Kafka is reached through it.

    A broker tells its clients where they find it. So it has one more listener, of which it tells the link's address.
    """
    stack, (inner,) = deployment.stack, free_ports(1)
    before = stack.kafka.extra
    async with link_to(HOST, inner) as (link, port):
        plain = broker_properties(stack.settings, stack.kafka.log)
        more = {
            "listeners": f"LINKED://{HOST}:{inner}",
            "advertised.listeners": f"LINKED://{HOST}:{port}",
            "listener.security.protocol.map": "LINKED:PLAINTEXT",
        }
        stack.kafka.extra = {**before, **{name: f"{plain[name]},{value}" for name, value in more.items()}}
        try:
            await asyncio.to_thread(stack.stop_kafka)
            await asyncio.to_thread(stack.start_kafka)
            yield link, f"{HOST}:{port}"
        finally:
            stack.kafka.extra = before
            await asyncio.to_thread(stack.stop_kafka)
            await asyncio.to_thread(stack.start_kafka)


async def starts_of(owner: str, deployment: Deployment) -> int:
    """Return how many starts of an owner are on the log."""
    read = [record.press() for record in await read_topic(deployment.kafka, EVENTS)]
    starts = (one.event for one in read if isinstance(one, Press) and isinstance(one.event, TimerStarted))
    return sum(start.owner == owner for start in starts)


async def given_up(projector: Service) -> bool:
    return "commit_failed" in projector.said_since_mark()
