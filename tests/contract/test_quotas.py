"""The limits of each client of dialects A and C against a running service."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

import httpx2 as httpx

from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Tenant, fresh_owner
from tests.support.stack.ways_in import bearer

FEW: Final = {"COMMAND_API_NATIVE_REQUESTS_PER_SECOND": "0.01", "COMMAND_API_NATIVE_REQUESTS_BURST": "5"}

FEW_OF_A: Final = {name.replace("NATIVE", "THEBASE"): value for name, value in FEW.items()}


async def fifty(http: httpx.AsyncClient, path: str, token: str) -> Counter[int]:
    """Send fifty requests at once, and count their statuses."""
    answers = await asyncio.gather(*(http.get(path, headers=bearer(token)) for _ in range(50)))
    return Counter(answer.status_code for answer in answers)


async def test_a_client_over_its_limit_hears_429_and_nobody_else_does(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, admin: str
) -> None:
    http = client((await crew.api(FEW)).url)
    assert await fifty(http, "/v1/policy", tenant.token) == {200: 5, 429: 45}
    over = await http.get("/v1/policy", headers=bearer(tenant.token))
    assert 1 <= int(over.headers["Retry-After"]) <= 100
    # Another client and other dialects are free.
    assert (await http.get("/v1/policy", headers=bearer(admin))).status_code == 200
    assert await fifty(http, "/v2/timer/open", tenant.token) == {200: 50}
    # The control: no other process counts, and without the setting none does.
    assert await fifty(client((await crew.api()).url), "/v1/policy", tenant.token) == {200: 50}


async def test_a_client_over_its_limit_in_dialect_a_hears_400_with_the_time_to_wait(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, admin: str
) -> None:
    """A has no 429. What is told apart is the sentence, and Retry-After."""
    http = client((await crew.api(FEW_OF_A)).url)
    assert await fifty(http, "/v2/timer/open", tenant.token) == {200: 5, 400: 45}
    start = await http.post("/v2/timer/start", json={"owner": fresh_owner()}, headers=bearer(tenant.token))
    assert (start.status_code, start.json()["message"]) == (400, "There were too many requests.")
    assert 1 <= int(start.headers["Retry-After"]) <= 100
    # Another client and other dialects are free.
    assert (await http.get("/v2/timer/open", headers=bearer(admin))).status_code == 200
    assert await fifty(http, "/v1/policy", tenant.token) == {200: 50}
