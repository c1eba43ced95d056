"""An end that is taken back, on real parts: a switch, and a stop of before it that comes late."""

from datetime import timedelta
from typing import Any, Final

from tests.support.proof.minutes import BEGAN, ENDED
from tests.support.stack.api import Api
from tests.support.stack.deployments import Deployment
from tests.support.stack.patient import Patient

# Each timer ends the one before it, and every day is locked.
SWITCHING: Final[dict[str, Any]] = {
    "preset": "native",
    "zone": "Asia/Jerusalem",
    "rules": {
        "R13": {"mode": "stop_previous"},
        "R15": {"mode": "flag", "locked_before": "2099-01-01"},
        "R16": {"auto_close_seconds": 50_400},
    },
}


async def an_end_taken_back(api: Api, deployment: Deployment, owner: str) -> None:
    """Leave behind a switch, and a stop of before it that came late, on a day that is locked."""
    tenant = await deployment.tenant(role="admin")
    await api.knows(tenant)
    office = Patient(api.http, tenant.token)
    put = await api.http.put("/v1/policy", json=SWITCHING | {"replaces": tenant.revision}, headers=office.headers())
    assert put.status_code == 200, put.text
    worked = (await office.begin(owner)).json()["id"]
    other = (await office.start(owner, at=ENDED.isoformat())).json()
    switched = (await office.timer(worked, other["position"])).json()
    assert (switched["state"], switched["total_seconds"]) == ("STOPPED", 1800)
    stopped = await office.press("stop", worked, at=(BEGAN + timedelta(minutes=10)).isoformat())
    assert (stopped.json()["total_seconds"], "R15" in stopped.json()["flags"]) == (600, True)
    assert (await office.press("stop", other["id"])).status_code == 200
