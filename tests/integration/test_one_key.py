"""One Idempotency-Key: however often, wherever and whenever it is sent, it is one press with one answer."""

import asyncio
from collections.abc import Callable

import httpx2 as httpx

from shared.events.codec import Press
from shared.events.topics import EVENTS
from tests.support.proof.minutes import Worked, kept_twice, worked
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.holders import owner_on
from tests.support.stack.logs import end_offsets, read_topic
from tests.support.stack.patient import Patient
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained


async def test_fifty_starts_under_one_key_over_two_processes_are_one_timer(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, deployment: Deployment, owner: str
) -> None:
    await crew.be(apis=2, projectors=1)
    apis = [Patient(client(service.url), tenant.token) for service in crew.apis]
    answers = await asyncio.gather(*(apis[number % 2].start(owner, key="one") for number in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1

    await drained(deployment)
    assert await worked(deployment.dsn, owner) == {owner: Worked(1, 0, 0, 0, 0)}
    assert await kept_twice(deployment.dsn) == []
    presses = [record.press() for record in await read_topic(deployment.kafka, EVENTS) if owner in str(record.value)]
    # Fifty presses drew an id each, and became one event.
    assert len(presses) == 50
    assert len({press.envelope.subject for press in presses if isinstance(press, Press)}) > 1
    assert len({press.envelope.event_id for press in presses if isinstance(press, Press)}) == 1


async def test_without_a_key_fifty_starts_are_fifty_timers(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, deployment: Deployment, owner: str
) -> None:
    """The control of the test above: without the key they are not one."""
    await crew.be(apis=2, projectors=1)
    apis = [Patient(client(service.url), tenant.token) for service in crew.apis]
    answers = await asyncio.gather(*(apis[number % 2].start(owner) for number in range(50)))
    assert len({answer.json()["id"] for answer in answers}) == 50
    await drained(deployment)
    assert (await worked(deployment.dsn, owner))[owner].timers == 50


async def test_a_press_whose_api_dies_after_the_ack_is_judged_once(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, deployment: Deployment
) -> None:
    """Its key hears the verdict."""
    await crew.be(apis=1, projectors=1)
    doomed = await crew.api()
    other, dying = (Patient(client(service.url), tenant.token) for service in (crew.apis[0], doomed))
    kpart = 0
    owner = owner_on({kpart}, deployment, tenant)

    # No projector judges for a moment, so that the press is acked but not answered.
    [projector] = crew.projectors
    projector.freeze()
    before = (await end_offsets(deployment.kafka, EVENTS))[kpart]
    starting = asyncio.create_task(dying.start(owner, key="once"))

    async def acked() -> bool:
        return (await end_offsets(deployment.kafka, EVENTS))[kpart] > before

    await eventually(acked, "the press lies on the log")
    doomed.kill()
    assert isinstance((await asyncio.gather(starting, return_exceptions=True))[0], httpx.TransportError)
    projector.thaw()

    again = await other.start(owner, key="once")
    assert again.status_code == 201, again.text
    await drained(deployment)
    assert (await worked(deployment.dsn, owner))[owner].timers == 1
    [first, *_] = [record for record in await read_topic(deployment.kafka, EVENTS) if owner in str(record.value)]
    assert again.json()["timelog_id"] == first.header("ce_subject")
    assert again.json()["position"] == first.position
