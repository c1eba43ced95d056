"""Outside identity against running services: an issuer and a source for introspection on loopback."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import httpx2 as httpx

from tests.contract.provider import Provider, quotes_nothing
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.until import until

ACTIVE, UNKNOWN = "opaque-active-0123456789", "opaque-unknown-0123456789"
COMMENT: Final = "a-comment-that-no-log-has"


async def start(http: httpx.AsyncClient, token: str, owner: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return await http.post("/v1/timers", json={"owner": owner or fresh_owner(), "comment": COMMENT}, headers=headers)


async def start_in_b(http: httpx.AsyncClient, token: str, user: str, tenant: Tenant) -> int:
    """Start a timer by dialect B. Return its code, 0 when the press counts."""
    today = datetime.now(ZoneInfo(tenant.zone)).date().isoformat()
    said = {"timer": "start", "user": user, "jobId": "J-1", "billingStatus": "billable", "workDate": today}
    headers = {"Authorization": f"Bearer {token}"}
    response = (await http.post("/people/api/timetracker/timer", params=said, headers=headers)).json()["response"]
    return response["errors"]["code"] if response["status"] else 0


async def until_answered(http: httpx.AsyncClient, token: str, wanted: int) -> None:
    async def status() -> int:
        return (await start(http, token)).status_code

    await until(status, wanted)


async def test_an_identity_provider_vouches_for_callers_through_rotation_and_outage(
    crew: Crew, client: Callable[..., httpx.AsyncClient], deployment: Deployment, tenant: Tenant
) -> None:
    provider, owner = Provider(), fresh_owner()
    # The process never sees the person's token of ours, and knows the aliases all the same.
    (alias,) = (await deployment.person(tenant, owner)).aliases
    machine, person = provider.token("one"), provider.token("one", employee=owner)
    # The provider is away, and the API is ready all the same. Its tokens are neither good nor bad.
    api = await crew.api(provider.settings(tenant), "tests.contract.quick_issuers")
    await crew.be(projectors=1)
    http = client(api.url)
    away = await start(http, machine)
    assert (away.status_code, away.headers["Retry-After"]) == (503, "1")

    await provider.open()
    await until_answered(http, machine, 201)
    assert [(await start(http, person, one)).status_code for one in (owner, fresh_owner())] == [201, 403]
    assert [await start_in_b(http, person, user, tenant) for user in (owner, alias, "another")] == [0, 0, 7038]
    reader = provider.token("one", role="reader")
    assert (await start(http, reader)).status_code == 403
    wrong = [provider.token("one", aud="other"), provider.token("one", role="root"), provider.token("one", exp=1)]
    assert [(await start(http, token)).status_code for token in wrong] == [401, 401, 401]

    rotated = provider.token("two")
    await until_answered(http, rotated, 201)

    provider.active[ACTIVE] = {"tenant": tenant.name, "employee": owner, "token_type": "Bearer"}
    assert (await start(http, ACTIVE, owner)).status_code == 201
    assert [(await start(http, UNKNOWN)).status_code for _ in range(3)] == [401, 401, 401]
    assert (provider.asked[ACTIVE], provider.asked[UNKNOWN]) == (1, 1)

    await provider.close()
    assert [(await start(http, token)).status_code for token in (machine, rotated)] == [201, 201]
    assert (await start(http, ACTIVE, owner)).status_code == 201
    fresh = [provider.token("three"), "opaque-and-new-0123456789"]
    # Keys are asked for beside the requests. Until they are missed, an unknown one is nobody's.
    await until_answered(http, fresh[0], 503)
    assert (await start(http, fresh[1])).status_code == 503
    assert (await start(http, UNKNOWN)).status_code == 401
    await api.says("introspection_failed")
    await api.says("issuer_keys_not_fetched")
    await quotes_nothing(crew, http, [machine, person, reader, rotated, ACTIVE, UNKNOWN, *wrong, *fresh], COMMENT)
