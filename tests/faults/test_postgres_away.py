"""Postgres is away for ten seconds: presses are recorded, callers are told so, and everything is judged afterwards."""

import asyncio
import time
from collections.abc import Callable

import httpx2 as httpx
import pytest

from tests.support.proof.minutes import worked
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Person, Tenant, fresh_owner
from tests.support.stack.patient import Patient
from tests.support.stack.traffic import traffic
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained

AWAY_SECONDS = 10
TIMETRACKER = "/people/api/timetracker"
TIMER = f"{TIMETRACKER}/timer"


@pytest.mark.fault
async def test_with_postgres_away_presses_are_recorded_and_judged_when_it_is_back(
    api: Api,
    client: Callable[..., httpx.AsyncClient],
    deployment: Deployment,
    tenant: Tenant,
    record_property: Callable[[str, object], None],
) -> None:
    person = await deployment.person(tenant)
    zoho = {"Authorization": f"Zoho-oauthtoken {person.token}"}

    async def read() -> bool:
        return (await api.http.get(f"{TIMETRACKER}/getcurrentlyrunningtimer", headers=zoho)).status_code == 200

    # A read has one second, which other work on the machine may take.
    await eventually(read, "the person reads, and is known from then on")
    running = [(await api.start(owner)).json()["id"] for owner in (fresh_owner(), fresh_owner(), person.owner)]
    owner = fresh_owner()
    assert (await api.start(owner, key="used before")).status_code == 201
    patient = Patient(client(), tenant.token)
    # Who waits no longer than a screen hears from each dialect that there is no verdict yet.
    api = Api(client(), tenant.token)
    owners = [fresh_owner() for _ in range(3)]

    async with traffic([patient], tenant, workers=4) as load:
        await asyncio.to_thread(deployment.stack.stop_postgres)
        stopped_at = time.monotonic()
        await reads_are_refused(api, person, tenant, running[0])
        a_start, a_keyed, a_stop, b_pause, c_start, c_stop, c_reused = await asyncio.gather(
            api.http.post("/v2/timer/start", json={"owner": owners[0]}, headers=api.headers()),
            api.http.post("/v2/timer/start", json={"owner": owners[1]}, headers=api.headers("key")),
            api.http.put(f"/v2/timer/{running[0]}", headers=api.headers()),
            api.http.post(TIMER, params={"timeLogId": running[2], "timer": "stop"}, headers=zoho),
            api.start(owners[2]),
            api.press("stop", running[1]),
            api.start(owner, key="used before", job_id="J-2"),
        )
        assert (await api.http.get("/readyz")).status_code == 200
        await asyncio.sleep(stopped_at + AWAY_SECONDS - time.monotonic())
        await asyncio.to_thread(deployment.stack.start_postgres)
        back_at = time.monotonic()
        await load.goes_on()
        record_property("recovered_seconds", round(time.monotonic() - back_at, 1))

    say_that_nothing_is_judged_yet(a_start, a_keyed, a_stop, b_pause, c_start, c_stop, c_reused)
    await drained(deployment)
    for recorded in (c_start, c_stop):
        outcome = await api.http.get(recorded.headers["Location"], headers=api.headers())
        assert (outcome.status_code, outcome.json()["verdict"]) == (200, "accepted")
    outcome = await api.http.get(c_reused.headers["Location"], headers=api.headers())
    assert (outcome.status_code, outcome.json()["rule"]) == (422, "R24")
    states = [(await api.timer(timer)).json()["state"] for timer in [*running, a_start.json()["id"]]]
    assert states == ["STOPPED", "STOPPED", "PAUSED", "RUNNING"]
    again = await api.http.post("/v2/timer/start", json={"owner": owners[1]}, headers=api.headers("key"))
    assert again.status_code == 201
    assert [one.timers for one in (await worked(deployment.dsn, *owners)).values()] == [1, 1, 1]
    await load.is_whole(deployment, patient)


def say_that_nothing_is_judged_yet(*answers: httpx.Response) -> None:
    """See that each dialect says it in its own way: the fourth answer is dialect B's."""
    assert [answer.status_code for answer in answers] == [202, 503, 503, 503, 202, 202, 202], [a.text for a in answers]
    assert all(answer.headers["Retry-After"] for answer in answers)
    told = {"code": "SERVICE_UNAVAILABLE", "message": "Please try after some time"}
    assert answers[3].json()["response"]["errors"] == told


@pytest.mark.fault
async def test_the_threshold_counts_again_when_postgres_is_back(
    crew: Crew, client: Callable[..., httpx.AsyncClient], deployment: Deployment
) -> None:
    """R19, by requests that are malformed and so press nothing: 400 goes on, 429 does not."""
    on = {"COMMAND_API_ZOHO_THRESHOLD_PER_MINUTE": "20", "COMMAND_API_ZOHO_THRESHOLD_WITHIN_SECONDS": "5"}
    token = (await deployment.tenant()).token
    http = client((await crew.api(on)).url)

    async def ask() -> int:
        zoho = {"Authorization": f"Zoho-oauthtoken {token}"}
        return (await http.get(TIMER, params={"timer": "go"}, headers=zoho)).status_code

    assert [await ask() for _ in range(19)] == [400] * 19
    await asyncio.to_thread(deployment.stack.stop_postgres)
    assert [await ask() for _ in range(30)] == [400] * 30
    await asyncio.to_thread(deployment.stack.start_postgres)
    async with asyncio.timeout(30):
        while await ask() != 429:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.1)
    assert [await ask() for _ in range(5)] == [429] * 5


async def reads_are_refused(api: Api, person: Person, tenant: Tenant, timer: str) -> None:
    """Check that no caller hears 401 or 404 only because we cannot look."""
    zoho = {"Authorization": f"Zoho-oauthtoken {person.token}"}
    unknown = {"Authorization": f"Zoho-oauthtoken {person.token[:-4]}zzzz"}
    grant = {"grant_type": "client_credentials"}
    answers = await asyncio.gather(
        api.http.get("/v2/timer/open", headers=api.headers()),
        api.http.post("/oauth/token", data=grant, auth=(tenant.client, tenant.secret)),
        api.timer(timer),
        api.outcome("00000000-0000-7000-8000-000000000000"),
        api.http.get("/people/api/timetracker/getcurrentlyrunningtimer", headers=zoho),
        api.http.post(TIMER, params={"timeLogId": timer, "timer": "stop"}, headers=unknown),
    )
    assert [answer.status_code for answer in answers] == [503] * len(answers), [answer.text for answer in answers]
    assert all(answer.headers["Retry-After"] for answer in answers)
