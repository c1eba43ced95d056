"""Kafka is away: presses cannot be recorded, every caller is told so, and recovery needs no operator."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
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
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.holders import owner_on
from tests.support.stack.logs import read_topic
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained

RECOVERED_WITHIN_SECONDS: Final = 30.0
# The presses have expired by then. Their producer is cut off five seconds later, and takes a moment to find a broker
# that is back. One that comes back earlier or later proves nothing here.
BACK_AFTER_SECONDS: Final = (6.1, 9.5)
TRIES: Final = 4
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
    impatient = await crew.api(IMPATIENT)
    api, person = Api(client(impatient.url), tenant.token), await deployment.person(tenant)
    zoho = {"Authorization": f"Zoho-oauthtoken {person.token}"}
    timer = (await api.start(person.owner)).json()["id"]

    def presses(owners: Sequence[str]) -> Sequence[Awaitable[httpx.Response]]:
        return [
            api.http.post("/v2/timer/start", json={"owner": owners[0]}, headers=api.headers("key")),
            api.start(owners[1], key="key"),
            api.press("pause", timer),
            api.http.post("/people/api/timetracker/timer", params={"timeLogId": timer, "timer": "stop"}, headers=zoho),
        ]

    async def heard() -> bool:
        everywhere = (owner_on({kpart}, deployment, tenant) for kpart in range(deployment.partitions))
        answers = await asyncio.gather(*map(api.start, everywhere))
        return {answer.status_code for answer in answers} == {201}

    earliest, latest = BACK_AFTER_SECONDS
    # How long a broker takes to start depends on what else the machine does, and so the next try knows better.
    start_seconds = 3.0
    for _ in range(TRIES):
        owners = [fresh_owner() for _ in range(2)]
        await asyncio.to_thread(deployment.stack.stop_kafka)
        pressed_at = time.monotonic()
        say_that_it_is_away(await asyncio.gather(*presses(owners)))
        assert (await api.http.get("/readyz")).status_code == 503
        assert (await api.timer(timer)).json()["state"] == "RUNNING"

        await asyncio.sleep(pressed_at + (earliest + latest) / 2 - start_seconds - time.monotonic())
        started_at = time.monotonic()
        await asyncio.to_thread(deployment.stack.start_kafka)
        back_at = time.monotonic()
        if earliest < back_at - pressed_at < latest:
            break
        start_seconds = back_at - started_at
        await eventually(heard, "presses are judged again, for another try", RECOVERED_WITHIN_SECONDS)
    else:
        pytest.fail("the broker never came back after the presses had expired and before their producer was cut off")

    await eventually(heard, "presses are judged again, on each partition", RECOVERED_WITHIN_SECONDS)
    await asyncio.gather(*(service.ready(RECOVERED_WITHIN_SECONDS) for service in crew.everybody()))
    await crew.settled(RECOVERED_WITHIN_SECONDS)
    record_property("recovered_seconds", round(time.monotonic() - back_at, 1))
    assert time.monotonic() - back_at < RECOVERED_WITHIN_SECONDS

    await are_late(deployment, owners)
    assert [one.timers for one in (await worked(deployment.dsn, *owners)).values()] == [0, 0]
    # One after the other, because the stop of a paused timer is what dialect B refuses.
    assert [(await press).status_code for press in presses(owners)] == [201, 201, 200, 400]
    await drained(deployment)
    assert [one.timers for one in (await worked(deployment.dsn, *owners)).values()] == [1, 1]


def say_that_it_is_away(answers: Sequence[httpx.Response]) -> None:
    assert [answer.status_code for answer in answers] == [503] * 4, [answer.text for answer in answers]
    assert all(answer.headers["Retry-After"] for answer in answers)
    assert answers[3].json()["response"]["message"] == "Error in pausing the timer"


async def are_late(deployment: Deployment, owners: Sequence[str]) -> None:
    """See that starts of these owners reached the log, all of them after they had expired."""
    await drained(deployment)
    late = await presses_of(deployment, owners)
    assert late, "none of the presses was on its way when Kafka went away"
    assert all(log_time > expires_at for log_time, expires_at in late)


async def presses_of(deployment: Deployment, owners: Sequence[str]) -> list[tuple[datetime, datetime]]:
    """Return when the starts of some owners reached the log, and when they expired."""
    read = [(record.log_time, record.press()) for record in await read_topic(deployment.kafka, EVENTS)]
    return [
        (log_time, press.envelope.expires_at)
        for log_time, press in read
        if isinstance(press, Press) and isinstance(press.event, TimerStarted) and press.event.owner in owners
        if log_time is not None and press.envelope.expires_at is not None
    ]
