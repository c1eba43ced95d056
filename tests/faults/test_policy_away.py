"""A part is away while policies are set and read: reading goes on from memory, and setting says what became of it."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2 as httpx
import pytest

from services.stint_cli.tenants import issue_bearer_token
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import TOKEN_KEY, Deployment
from tests.support.stack.until import eventually

IMPATIENT: Final = {
    "COMMAND_API_PUBLISH_WITHIN_SECONDS": "1",
    "COMMAND_API_EXPIRY_SECONDS": "2",
    "COMMAND_API_CLOCK_OFF_SECONDS_MAX": "0.9",
}
# Up to the topic's end, the ack, up to our own record: a second each. Kafka's client by itself tries for 40 s.
ANSWERED_WITHIN_SECONDS: Final = 20.0
RECOVERED_WITHIN_SECONDS: Final = 30.0


@pytest.mark.fault
async def test_with_kafka_away_policies_are_read_and_a_put_is_503_until_it_is_back(
    crew: Crew, client: Callable[..., httpx.AsyncClient], deployment: Deployment
) -> None:
    await crew.be(apis=1, projectors=1)
    http = client((await crew.api(IMPATIENT)).url)
    tenant = await deployment.tenant(role="admin")
    await Api(http, tenant.token).knows(tenant)
    headers = {"Authorization": f"Bearer {tenant.token}"}
    said: dict[str, Any] = {"preset": "native", "zone": "Asia/Tokyo", "replaces": tenant.revision}

    async def put() -> httpx.Response:
        return await http.put("/v1/policy", json=said, headers=headers)

    await asyncio.to_thread(deployment.stack.stop_kafka)
    try:
        began_at = time.monotonic()
        answer = await put()
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.json()["detail"] == "The policy was not recorded. Please try again."
        assert time.monotonic() - began_at < ANSWERED_WITHIN_SECONDS
        reads = [
            await http.get(f"/v1/policy{path}", headers=headers) for path in ("", f"/{tenant.revision}", "/history")
        ]
        assert [read.status_code for read in reads] == [200, 200, 200]
        assert reads[0].json()["zone"] == "Asia/Jerusalem"
    finally:
        await asyncio.to_thread(deployment.stack.start_kafka)

    async def is_set() -> bool:
        return (await put()).status_code == 200

    await eventually(is_set, "the policy is set", RECOVERED_WITHIN_SECONDS)
    assert (await http.get("/v1/policy", headers=headers)).json()["zone"] == "Asia/Tokyo"
    # However often it was sent, it came into force once.
    assert len((await http.get("/v1/policy/history", headers=headers)).json()["items"]) == 2
    await asyncio.gather(*(service.ready(RECOVERED_WITHIN_SECONDS) for service in crew.everybody()))
    await crew.settled(RECOVERED_WITHIN_SECONDS)


@pytest.mark.fault
async def test_with_postgres_away_policies_are_set_and_read(api: Api, deployment: Deployment) -> None:
    """A machine's token is known by its signature, and policies are in memory."""
    tenant = await deployment.tenant(role="admin")
    await api.knows(tenant)
    machine = issue_bearer_token(TOKEN_KEY, tenant.name, "crm", datetime.now(UTC), timedelta(hours=1))
    said = {"preset": "native", "zone": "Asia/Tokyo"}
    await asyncio.to_thread(deployment.stack.stop_postgres)
    try:
        named = {"Authorization": f"Bearer {tenant.token}", "If-Match": f'"{tenant.revision}"'}
        put = await api.http.put("/v1/policy", json=said, headers=named)
        headers = {"Authorization": f"Bearer {machine}"}
        reads = [await api.http.get(f"/v1/policy{path}", headers=headers) for path in ("", "/history")]
    finally:
        await asyncio.to_thread(deployment.stack.start_postgres)
    assert [answer.status_code for answer in (put, *reads)] == [200, 200, 200]
    assert reads[0].content == put.content
