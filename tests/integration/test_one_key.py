"""One Idempotency-Key: however often, wherever and whenever it is sent, it is one press with one answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

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
from tests.support.stack.waits import drained, published


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


async def test_a_retry_of_a_press_whose_row_is_damaged_stops_no_press_behind_it(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, deployment: Deployment, owner: str
) -> None:
    """It was judged, so it is not judged again; what was answered nobody can tell, and the projector says so."""
    await crew.be(apis=1, projectors=1)
    api = Patient(client(), tenant.token)
    first = await api.start(owner, key="once")
    await published(deployment)
    async with damaged_row(deployment, first.json()["position"]):
        again = await replace(api, wait_seconds=1).start(owner, key="once")
        assert again.status_code == 202, again.text
        behind = await api.start(owner)
        assert behind.status_code == 201, behind.text
        assert behind.json()["flags"] == ["R13"]
        told = await api.http.get(again.headers["Location"], headers=api.headers())
        assert told.status_code == 500
    assert "outcome_unreadable" in crew.projectors[0].said_since_mark()
    assert "partition_in_trouble" not in crew.projectors[0].said_since_mark()
    assert "reply_unreadable" not in crew.apis[0].said_since_mark()
    # The first answer, and one timer for both presses under the key.
    assert (await api.start(owner, key="once")).content == first.content
    await drained(deployment)
    assert (await worked(deployment.dsn, owner))[owner].timers == 2


@asynccontextmanager
async def damaged_row(deployment: Deployment, position: str) -> AsyncIterator[None]:
    """Let a disk have changed the last byte of an outcome's row, and mend it again."""
    where = [int(part) for part in position.split(":")]
    turn = (
        "UPDATE outcome SET packed = set_byte(packed, length(packed) - 1, get_byte(packed, length(packed) - 1) # 255)"
        " WHERE kpart = $1 AND source_offset = $2"
    )
    assert await deployment.pool.execute(turn, *where) == "UPDATE 1"
    try:
        yield
    finally:
        await deployment.pool.execute(turn, *where)
