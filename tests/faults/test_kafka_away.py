"""Kafka is away or stands still: presses are not recorded, every caller is told so, and recovery needs no operator."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx2 as httpx
import pytest

from shared.events.codec import Press
from shared.events.models import TimerStarted
from shared.events.topics import EVENTS
from tests.support.proof.minutes import worked
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Person, Tenant, fresh_owner
from tests.support.stack.holders import owner_on
from tests.support.stack.logs import read_topic
from tests.support.stack.stacks import CONTAINERS
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained

RECOVERED_WITHIN_SECONDS: Final = 30.0
EXPIRED_AFTER_SECONDS: Final = 6.2
# Clocks of one machine agree, and a press must expire after its latest ack by the worst clock.
IMPATIENT: Final = {
    "COMMAND_API_PUBLISH_WITHIN_SECONDS": "1",
    "COMMAND_API_EXPIRY_SECONDS": "6",
    "COMMAND_API_CLOCK_OFF_SECONDS_MAX": "0.9",
}


@pytest.mark.fault
async def test_every_caller_hears_that_kafka_is_away_until_it_is_back(
    crew: Crew,
    client: Callable[..., httpx.AsyncClient],
    deployment: Deployment,
    tenant: Tenant,
    record_property: Callable[[str, object], None],
) -> None:
    await crew.be(apis=1, projectors=1)
    callers = await callers_of(crew, client, deployment, tenant)
    await asyncio.to_thread(deployment.stack.stop_kafka)
    try:
        say_that_it_is_away(await asyncio.gather(*callers.presses()))
        assert (await callers.api.http.get("/readyz")).status_code == 503
        assert (await callers.api.timer(callers.timer)).json()["state"] == "RUNNING"
        await asyncio.sleep(EXPIRED_AFTER_SECONDS)
    finally:
        await asyncio.to_thread(deployment.stack.start_kafka)
    back_at = time.monotonic()
    await recovered(crew, callers, deployment, tenant)
    record_property("recovered_seconds", round(time.monotonic() - back_at, 1))
    assert time.monotonic() - back_at < RECOVERED_WITHIN_SECONDS

    await counts_what_is_pressed_again(callers, deployment)


@pytest.mark.fault
@pytest.mark.skipif(CONTAINERS, reason="the broker's process is in its container")
async def test_a_press_that_reaches_the_log_after_it_has_expired_counts_nothing(
    crew: Crew, client: Callable[..., httpx.AsyncClient], deployment: Deployment, tenant: Tenant
) -> None:
    """The broker is frozen with the presses in its sockets, and writes them when it goes on."""
    await crew.be(apis=1, projectors=1)
    callers = await callers_of(crew, client, deployment, tenant)
    with frozen_broker(deployment):
        # The start goes first, because one request is on its way to a broker at a time.
        start, *others = callers.presses()
        say_that_it_is_away([await start, *await asyncio.gather(*others)])
        await asyncio.sleep(EXPIRED_AFTER_SECONDS)
    await recovered(crew, callers, deployment, tenant)

    await drained(deployment)
    late = await presses_of(deployment, callers.owners)
    assert late, "none of the presses was on its way when Kafka stood still"
    assert all(log_time > expires_at for log_time, expires_at in late)
    await counts_what_is_pressed_again(callers, deployment)


@dataclass(frozen=True, slots=True)
class Callers:
    """One caller of each dialect, all of one API. `timer` runs; two `owners` have none."""

    api: Api
    person: Person
    timer: str
    owners: tuple[str, str]

    def presses(self) -> Sequence[Awaitable[httpx.Response]]:
        """Begin a press of each: two starts under a key, a pause, a stop."""
        zoho = {"Authorization": f"Zoho-oauthtoken {self.person.token}"}
        stop = {"timeLogId": self.timer, "timer": "stop"}
        return [
            self.api.http.post("/v2/timer/start", json={"owner": self.owners[0]}, headers=self.api.headers("key")),
            self.api.start(self.owners[1], key="key"),
            self.api.press("pause", self.timer),
            self.api.http.post("/people/api/timetracker/timer", params=stop, headers=zoho),
        ]


async def callers_of(
    crew: Crew, client: Callable[..., httpx.AsyncClient], deployment: Deployment, tenant: Tenant
) -> Callers:
    """Start an API that gives a press up after a second, and a timer of a person."""
    impatient = await crew.api(IMPATIENT)
    api, person = Api(client(impatient.url), tenant.token), await deployment.person(tenant)
    timer = (await api.start(person.owner)).json()["id"]
    return Callers(api, person, timer, (fresh_owner(), fresh_owner()))


@contextmanager
def frozen_broker(deployment: Deployment) -> Iterator[None]:
    """Let the broker's process stand still. Its sockets take what is sent meanwhile."""
    process = deployment.stack.kafka.process
    assert process is not None
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def recovered(crew: Crew, callers: Callers, deployment: Deployment, tenant: Tenant) -> None:
    """Return when presses are judged again on each partition, and every service says that it is ready."""

    async def heard() -> bool:
        everywhere = (owner_on({kpart}, deployment, tenant) for kpart in range(deployment.partitions))
        answers = await asyncio.gather(*map(callers.api.start, everywhere))
        return {answer.status_code for answer in answers} == {201}

    await eventually(heard, "presses are judged again, on each partition", RECOVERED_WITHIN_SECONDS)
    await asyncio.gather(*(service.ready(RECOVERED_WITHIN_SECONDS) for service in crew.everybody()))
    await crew.settled(RECOVERED_WITHIN_SECONDS)


async def counts_what_is_pressed_again(callers: Callers, deployment: Deployment) -> None:
    """See that the presses did nothing, and press them once more."""
    await drained(deployment)
    assert [one.timers for one in (await worked(deployment.dsn, *callers.owners)).values()] == [0, 0]
    # One after the other, because the stop of a paused timer is what dialect B refuses.
    assert [(await press).status_code for press in callers.presses()] == [201, 201, 200, 400]
    await drained(deployment)
    assert [one.timers for one in (await worked(deployment.dsn, *callers.owners)).values()] == [1, 1]


def say_that_it_is_away(answers: Sequence[httpx.Response]) -> None:
    assert [answer.status_code for answer in answers] == [503] * 4, [answer.text for answer in answers]
    assert all(answer.headers["Retry-After"] for answer in answers)
    assert answers[3].json()["response"]["message"] == "Error in pausing the timer"


async def presses_of(deployment: Deployment, owners: Sequence[str]) -> list[tuple[datetime, datetime]]:
    """Return when the starts of some owners reached the log, and when they expired."""
    read = [(record.log_time, record.press()) for record in await read_topic(deployment.kafka, EVENTS)]
    return [
        (log_time, press.envelope.expires_at)
        for log_time, press in read
        if isinstance(press, Press) and isinstance(press.event, TimerStarted) and press.event.owner in owners
        if log_time is not None and press.envelope.expires_at is not None
    ]
