"""R12 and the preset `zoho` against running services: an estimate that is used up, as each dialect says it."""

from datetime import UTC, datetime
from typing import Any, Final

import httpx2 as httpx

from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment
from tests.support.stack.ways_in import bearer, zoho

TIMER: Final = "/people/api/timetracker/timer"
USED_UP: Final = "Logged Hours is greater than Estimated hours"
# Under the preset a pause may be refused, so the timer must have an end.
ZOHO: Final[dict[str, Any]] = {
    "preset": "zoho",
    "zone": "Asia/Jerusalem",
    "rules": {"R16": {"auto_close_seconds": 50_400}},
}


def _refusal(message: str) -> bytes:
    return (
        f'{{"response":{{"message":"{message}.{USED_UP}","uri":"/api/timetracker/timer","errors":{{"code":8005,'
        '"message":"Timer is disabled in Settings. Contact your Administrator"},"status":1}}'
    ).encode()


async def test_a_used_up_estimate_refuses_all_but_the_stop_under_zoho(api: Api, deployment: Deployment) -> None:
    """Dana starts, her estimate is set to nothing, and from then on B refuses what Zoho refuses."""
    tenant, http = await deployment.tenant(role="admin"), api.http
    person = await deployment.person(tenant)
    await api.knows(tenant)
    admin = bearer(tenant.token)
    put = await http.put("/v1/policy", json=ZOHO | {"replaces": tenant.revision}, headers=admin)
    assert put.status_code == 200, put.text
    start = {"user": person.owner, "jobId": "roof", "workDate": datetime.now(UTC).date().isoformat(), "timer": "start"}
    start |= {"billingStatus": "non-billable"}

    async def press(**said: str) -> httpx.Response:
        return await http.post(TIMER, data=said, headers=zoho(person.token))

    running = (await press(**start)).json()["response"]["result"][0]["timeLogId"]
    paused = (await press(**start)).json()["response"]["result"][0]["timeLogId"]
    assert (await press(timeLogId=paused, timer="stop")).status_code == 200
    estimated = await http.put(f"/v1/owners/{person.owner}/estimates/roof", json={"seconds": 0}, headers=admin)
    assert estimated.status_code == 200, estimated.text

    assert (await press(**start)).content == _refusal("Error in adding/modifying Timelog")
    assert (await press(timeLogId=running, timer="stop")).content == _refusal("Error in pausing the Timer")
    assert (await press(timeLogId=paused, timer="start")).content == _refusal("Error in restarting the Timer")
    assert (await press(**start | {"jobId": "cellar"})).status_code == 200
    a = await http.post("/v2/timer/start", json={"owner": person.owner}, headers=admin)
    assert a.status_code == 201  # dialect A names no job
    c = await http.post("/v1/timers", json={"owner": person.owner, "job_id": "roof"}, headers=admin)
    assert (c.status_code, c.json()["rule"]) == (422, "R12")
    stopped = await http.post(f"/v1/timers/{running}/stop", json={}, headers=admin)
    assert (stopped.status_code, "R12" in stopped.json()["flags"]) == (200, True)
    told = await http.get(
        "/v1/violations", params={"rule": "R12"}, headers=admin | {"X-Min-Position": stopped.json()["position"]}
    )
    assert {item["rule"] for item in told.json()["items"]} == {"R12"}
