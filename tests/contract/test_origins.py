"""A page of another site calls a running API from a browser, when the site's origin is configured (CORS)."""

import httpx2 as httpx

from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Tenant
from tests.support.stack.ways_in import bearer

PAGE = {"Origin": "https://app.example.com"}
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}


def let_in(answer: httpx.Response) -> str | None:
    said: str | None = answer.headers.get("access-control-allow-origin")
    return said


async def test_a_page_of_a_configured_origin_presses_and_hears_each_answer(
    crew: Crew, api: Api, tenant: Tenant, owner: str
) -> None:
    """A refusal without a token and a body that is too large too: those answers must carry the headers as well."""
    extra = await crew.api({"COMMAND_API_CORS_ORIGINS": PAGE["Origin"]})
    await extra.ready()
    sends = PAGE | bearer(tenant.token)
    async with httpx.AsyncClient(base_url=extra.url) as http:
        asked = await http.options("/v1/timers", headers=PAGE | ASKS)
        started = await http.post("/v1/timers", headers=sends | {"Idempotency-Key": owner}, json={"owner": owner})
        answers = [
            asked,
            started,
            await http.post(started.headers["location"] + "/pause", headers=sends),
            await http.put(f"/v2/timer/{started.json()['id']}", headers=sends),
            await http.post("/v1/timers", headers=PAGE, json={"owner": owner}),
            await http.post("/v1/timers", headers=sends, content=b" " * 100_000),
        ]
        foreign = await http.get("/livez", headers={"Origin": "https://app.example.com.evil.test"})
    assert [answer.status_code for answer in answers] == [200, 201, 200, 201, 401, 413]
    assert [let_in(answer) for answer in answers] == [PAGE["Origin"]] * 6
    assert "Location" in started.headers["access-control-expose-headers"]
    assert let_in(foreign) is None
    # The control: the other replica has no origins.
    unasked = [await api.http.options("/v1/timers", headers=PAGE | ASKS), await api.http.get("/livez", headers=PAGE)]
    assert [(answer.status_code, let_in(answer)) for answer in unasked] == [(405, None), (200, None)]
    assert "vary" not in unasked[1].headers
