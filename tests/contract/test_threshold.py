"""The threshold of dialect B (R19) against running services: two API processes, one count."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import httpx2 as httpx

from deploy.local.machine import free_ports
from deploy.local.settings import HOST
from services.stint_cli.database import connected
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import Deployment, Person, Tenant, fresh_owner
from tests.support.stack.ways_in import zoho

TIMER: Final = "/people/api/timetracker/timer"
RUNNING: Final = "/people/api/timetracker/getcurrentlyrunningtimer"
# A count on two busy cores may need longer than a person would be kept waiting.
ON: Final = {"COMMAND_API_ZOHO_THRESHOLD_PER_MINUTE": "20", "COMMAND_API_ZOHO_THRESHOLD_WITHIN_SECONDS": "20"}

Client = Callable[..., httpx.AsyncClient]


async def _fifty(clients: list[httpx.AsyncClient], token: str) -> Counter[int]:
    """Send fifty requests at once, and count their statuses."""
    asked = (clients[n % len(clients)].get(RUNNING, headers=zoho(token)) for n in range(50))
    return Counter(answer.status_code for answer in await asyncio.gather(*asked))


async def _presses(http: httpx.AsyncClient, tenant: Tenant) -> Counter[int]:
    """Start fifty timers at once with a machine's token, and count the statuses."""
    today = datetime.now(UTC).date().isoformat()
    said = {"jobId": "J", "workDate": today, "billingStatus": "billable", "timer": "start"}
    asked = (http.post(TIMER, data=said | {"user": fresh_owner()}, headers=zoho(tenant.token)) for _ in range(50))
    return Counter(answer.status_code for answer in await asyncio.gather(*asked))


async def _seconds_of_presses(http: httpx.AsyncClient, tenant: Tenant) -> float:
    """Start fifty timers at once, see that all start, and return how long that took."""
    began = time.monotonic()
    assert await _presses(http, tenant) == {200: 50}
    return time.monotonic() - began


async def _is_told_in_one_line(api: Service) -> None:
    await api.says("requests_uncounted")
    [line] = [json.loads(line) for line in api.said().splitlines() if "requests_uncounted" in line]
    assert line["level"] == "warning"
    assert 1 <= line["requests"] <= 50  # the others are in the line of ten seconds later


async def test_two_processes_let_twenty_of_fifty_requests_through(
    crew: Crew, client: Client, person: Person, other_person: Person, tenant: Tenant
) -> None:
    one, other = [await crew.api(ON) for _ in range(2)]
    clients = [client(one.url), client(other.url)]
    assert await _fifty(clients, person.token) == {200: 20, 429: 30}

    locked = await clients[0].get(RUNNING, headers=zoho(person.token))
    assert 1 <= int(locked.headers["Retry-After"]) <= 300
    assert locked.text == (
        '{"response":{"message":"Error in fetching the running timer",'
        '"uri":"/api/timetracker/getcurrentlyrunningtimer","errors":{"code":7209,"message":"API access blocked since '
        'threshold limit exceeded. Please try after some time"},"status":1}}'
    )
    # Another URI, another person and the other dialects are free.
    assert (await clients[0].post(TIMER, headers=zoho(person.token))).status_code == 400
    assert (await clients[0].get(RUNNING, headers=zoho(other_person.token))).status_code == 200
    bearer = {"Authorization": f"Bearer {tenant.token}"}
    assert {(await clients[0].get("/v2/timer/open", headers=bearer)).status_code for _ in range(25)} == {200}

    await one.stop()
    await one.start()
    again = await client(one.url).get(RUNNING, headers=zoho(person.token))
    assert (again.status_code, int(again.headers["Retry-After"]) <= 300) == (429, True)


async def test_without_the_threshold_all_fifty_go_on(crew: Crew, client: Client, person: Person) -> None:
    """The control. 0 is off."""
    off = await crew.api({"COMMAND_API_ZOHO_THRESHOLD_PER_MINUTE": "0"})
    assert await _fifty([client(off.url)], person.token) == {200: 50}


async def test_with_postgres_away_requests_go_on_uncounted(crew: Crew, client: Client, tenant: Tenant) -> None:
    """Of an API that never reaches Postgres. Its token is signed, and the projector that judges has its Postgres."""
    await crew.be(projectors=1)
    alone = await crew.api(ON | {"COMMAND_API_POSTGRES_DSN": f"postgresql://stint@{HOST}:{free_ports(1)[0]}/stint"})
    assert await _presses(client(alone.url), tenant) == {200: 50}
    await _is_told_in_one_line(alone)


async def test_with_a_postgres_that_hangs_a_press_waits_half_a_second_and_goes_on(
    crew: Crew, client: Client, tenant: Tenant
) -> None:
    await crew.be(projectors=1)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, HOST, 0) as silent:
        dsn = f"postgresql://stint@{HOST}:{silent.sockets[0].getsockname()[1]}/stint?sslmode=disable"
        slow = await crew.api(
            ON | {"COMMAND_API_ZOHO_THRESHOLD_WITHIN_SECONDS": "0.5", "COMMAND_API_POSTGRES_DSN": dsn}
        )
        usual = await _seconds_of_presses(client(crew.apis[0].url), tenant)
        # Each waiting by itself would be 25 s more.
        assert await _seconds_of_presses(client(slow.url), tenant) < usual + 15
        await _is_told_in_one_line(slow)
        await slow.stop()


async def test_a_count_that_raises_lets_requests_go_on(
    crew: Crew, client: Client, tenant: Tenant, deployment: Deployment
) -> None:
    """Such as that of a database without the migration, or of a role without the right to write."""
    dsn = await deployment.fresh_database("no_count")
    async with connected(dsn) as conn:
        await conn.execute("DROP FUNCTION count_requests")
    await crew.be(projectors=1)
    api = await crew.api(ON | {"COMMAND_API_POSTGRES_DSN": dsn})
    assert await _presses(client(api.url), tenant) == {200: 50}
    await _is_told_in_one_line(api)


async def test_a_machine_is_counted_as_a_person_is(crew: Crew, client: Client, deployment: Deployment) -> None:
    """The control of the three above: the same presses, with a count that works.

    The tenant is its own, because the lock would outlast this test.
    """
    tenant = await deployment.tenant()
    await crew.be(projectors=1)
    assert await _presses(client((await crew.api(ON)).url), tenant) == {200: 20, 429: 30}
