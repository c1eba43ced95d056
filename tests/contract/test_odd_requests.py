"""Odd but lawful requests against running services: a server may pass on other bytes than a test client sends."""

import httpx2 as httpx
import pytest

from tests.support.stack.deployments import Tenant
from tests.support.stack.ways_in import bearer, fresh_number


async def _started(http: httpx.AsyncClient, tenant: Tenant) -> str:
    said = {"owner": str(fresh_number())}
    return str((await http.post("/v1/timers", json=said, headers=bearer(tenant.token))).headers["location"])


async def _state(http: httpx.AsyncClient, tenant: Tenant, location: str) -> object:
    return (await http.get(location, headers=bearer(tenant.token))).json()["state"]


@pytest.mark.parametrize("slash", ["%2F", "%2f"])
async def test_an_encoded_slash_stops_no_timer(http: httpx.AsyncClient, tenant: Tenant, slash: str) -> None:
    location = await _started(http, tenant)
    answer = await http.post(f"{location}{slash}stop", headers=bearer(tenant.token))
    assert (answer.status_code, await _state(http, tenant, location)) == (404, "RUNNING")


async def test_a_second_authorization_shuts_out_the_first(http: httpx.AsyncClient, tenant: Tenant) -> None:
    good, bad = ("Authorization", f"Bearer {tenant.token}"), ("Authorization", "Bearer nope")
    for path, headers in (
        ("/v2/timer/open", [good, bad]),
        ("/v2/timer/open", [good, good]),
        ("/people/api/timetracker/getcurrentlyrunningtimer", [good, bad]),
        ("/v1/timers/1", [bad, good]),
    ):
        assert (await http.get(path, headers=headers)).status_code == 401


async def test_an_empty_array_stops_a_timer_in_a_and_in_c(http: httpx.AsyncClient, tenant: Tenant) -> None:
    first, second = await _started(http, tenant), await _started(http, tenant)
    a_stop = await http.put(f"/v2/timer/{first.rpartition('/')[2]}", content=b"[]", headers=bearer(tenant.token))
    c_stop = await http.post(f"{second}/stop", content=b"[]", headers=bearer(tenant.token))
    assert (a_stop.status_code, c_stop.status_code) == (201, 200)


async def test_a_time_in_the_query_and_a_member_given_twice_stop_nothing(
    http: httpx.AsyncClient, tenant: Tenant
) -> None:
    location = await _started(http, tenant)
    query = await http.post(f"{location}/stop?at=2026-01-01T00:00:00Z", headers=bearer(tenant.token))
    twice = await http.post(f"{location}/stop", content=b'{"at":"","at":""}', headers=bearer(tenant.token))
    assert (query.status_code, twice.status_code) == (400, 400)
    assert await _state(http, tenant, location) == "RUNNING"


async def test_a_position_on_no_partition_is_no_reason_to_try_again(http: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await http.get("/v2/timer/open", headers=bearer(tenant.token) | {"X-Min-Position": "999999999:0"})
    assert answer.status_code == 400


async def test_a_client_id_may_be_percent_encoded(http: httpx.AsyncClient, tenant: Tenant) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in tenant.client.encode())
    form = {"grant_type": "client_credentials"}
    answer = await http.post("/oauth/token", data=form, auth=httpx.BasicAuth(encoded, tenant.secret))
    assert answer.status_code == 200
