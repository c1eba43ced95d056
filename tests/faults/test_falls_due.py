"""Limits fire while nobody presses: at their exact instant, told in two seconds, over a projector that is killed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2 as httpx
import pytest

from services.stint_cli.policies import publish_policy
from shared.events.policy import DailyCap, LongRunning, Policy, Preset, Rules
from tests.support.proof.evidence import problems_of
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.holders import holders
from tests.support.stack.patient import Patient

# Nothing falls due in the first 60 s after the press that opened an interval.
CAP: Final = timedelta(seconds=61)
LENGTH: Final = timedelta(seconds=71)
# Far behind the cap: what the cap brings is read while the timer runs, also on a machine on which a read takes long.
LIMIT: Final = timedelta(seconds=81)
TOLD_WITHIN: Final = timedelta(seconds=2)
# Found, sent, folded, committed: with what they wait for, each takes about as long as a read.
STEPS: Final = 10

pytestmark = pytest.mark.fault


async def test_limits_and_an_automatic_stop_come_by_themselves(own_crew: Crew, own_deployment: Deployment) -> None:
    """Nobody presses: a cap, an estimate, a check-out and two lengths are told, each within two seconds."""
    cap = int(CAP.total_seconds())
    tenant = await _under(own_deployment, cap, LongRunning(auto_close_seconds=int(LIMIT.total_seconds())))
    shared = await _under(own_deployment, cap, LongRunning(long_running_seconds=int(LENGTH.total_seconds())))
    await own_crew.be(apis=1, projectors=2)
    owner, third = fresh_owner(), fresh_owner()
    async with httpx.AsyncClient(base_url=own_crew.apis[0].url, timeout=40) as http:
        api = Patient(http, tenant.token)
        await api.knows(tenant)
        timer = (await api.start(owner, job_id="roof")).json()
        started_at = datetime.fromisoformat(timer["started_at"])
        await _told_about(api, owner, estimate=cap, leaves_at=started_at + LENGTH)
        beside = Patient(http, shared.token)
        await beside.knows(shared)
        both = [(await beside.start(owner)).json() for _ in range(2)]
        long = (await beside.start(third)).json()
        began = datetime.fromisoformat(long["started_at"])
        # Long before anything is due: to take a partition over takes seconds, and on a busy machine more.
        await asyncio.sleep(20)
        # The one that would find them: the other must have its partition, and what is due for it, from the tables.
        held = await holders(own_crew.projectors, own_deployment.partitions)
        held[own_deployment.partition_of(tenant, owner)].kill()

        at = {"R11": started_at + CAP, "R12": started_at + CAP, "R10": started_at + LENGTH, "R16": started_at + LIMIT}
        *found, at_length = await asyncio.gather(
            *(_told(api, owner, rule, from_ + TOLD_WITHIN) for rule, from_ in at.items()),
            _told(beside, third, "R16", began + LENGTH + TOLD_WITHIN),
        )
        assert {one["rule"]: datetime.fromisoformat(one["from"]) for one in found} == at
        assert datetime.fromisoformat(at_length["from"]) == began + LENGTH
        # What was told long before the stop had no end then.
        assert [(one["to"], one["amount_seconds"]) for one in (found[0], at_length)] == [(None, None)] * 2
        stopped = (await api.timer(timer["id"])).json()
        assert (stopped["state"], stopped["total_seconds"]) == ("STOPPED", LIMIT.total_seconds())
        assert datetime.fromisoformat(stopped["stopped_at"]) == started_at + LIMIT
        over = await _told(api, owner, "R11", datetime.now(UTC))
        assert over["amount_seconds"] == (LIMIT - CAP).total_seconds()
        # The owner had stopped a second before the cap, and their phone says so only now.
        late = (started_at + CAP - timedelta(seconds=1)).isoformat()
        stopped = (await api.press("stop", timer["id"], at=late)).json()
        assert (stopped["total_seconds"], stopped["flags"]) == (60, sorted(at))
        day = await api.http.get(f"/v1/owners/{owner}/days", params=_around(started_at), headers=api.headers())
        assert sum(item["seconds"] for item in day.json()["items"]) == 60
        for rule in at:
            over = await _told(api, owner, rule, datetime.now(UTC))
            assert (over["to"], over["amount_seconds"]) == (over["from"], 0)
        await _a_late_stop_moves_the_crossing_of_the_other(beside, owner, *both)
    # The naive fold and the audit have the same rows.
    assert await problems_of(own_deployment) == []


async def _under(deployment: Deployment, cap: int, long: LongRunning) -> Tenant:
    """Make a tenant with a cap, and with lengths at which something comes of a timer."""
    tenant = await deployment.tenant(role="admin")
    document = Policy(
        preset=Preset.NATIVE,
        zone="Etc/UTC",
        rules=Rules(R11=DailyCap(billable_seconds_per_day=cap), R16=long),
    )
    await publish_policy(
        *(deployment.producer, tenant.name, document),
        replaces=tenant.revision,
        set_by="tests",
        set_at=datetime.now(UTC),
    )
    return tenant


async def _told_about(api: Api, owner: str, estimate: int, leaves_at: datetime) -> None:
    """Tell how long the owner has for the roof, and when they leave today."""
    came_at = leaves_at - timedelta(seconds=90)
    there = {"checked_in_at": came_at.isoformat(), "checked_out_at": leaves_at.isoformat()}
    for put in (
        await api.http.put(f"/v1/owners/{owner}/estimates/roof", json={"seconds": estimate}, headers=api.headers()),
        await api.http.post(f"/v1/owners/{owner}/attendance", json=there, headers=api.headers()),
    ):
        assert put.is_success, put.text


async def _a_late_stop_moves_the_crossing_of_the_other(
    api: Api, owner: str, stays: dict[str, Any], stops: dict[str, Any]
) -> None:
    """Two timers reached the cap together, with nobody pressing. One of them had stopped after ten seconds."""
    told = await _findings(api, owner, stays["id"])
    assert list(told.values()) == [None]
    late = datetime.fromisoformat(stops["started_at"]) + timedelta(seconds=10)
    answer = await api.press("stop", stops["id"], at=late.isoformat())
    assert answer.json()["total_seconds"] == 10
    began = datetime.fromisoformat(stays["started_at"])
    moved_to = began + CAP - timedelta(seconds=10)
    assert moved_to not in told
    assert await _findings(api, owner, stays["id"]) == {**dict.fromkeys(told, 0), moved_to: None}


async def _findings(api: Api, owner: str, timer_id: str) -> dict[datetime, float | None]:
    """Return how long each finding of R11 about a timer lasted, by its beginning. None: it lasts."""
    answer = await api.http.get("/v1/violations", params={"owner": owner, "rule": "R11"}, headers=api.headers())
    items = [item for item in answer.json()["items"] if item["timer_id"] == timer_id]
    return {datetime.fromisoformat(item["from"]): item["amount_seconds"] for item in items}


def _around(moment: datetime) -> dict[str, str]:
    return {
        "from": (moment - timedelta(days=1)).date().isoformat(),
        "to": (moment + timedelta(days=1)).date().isoformat(),
    }


async def _told(api: Api, owner: str, rule: str, until: datetime) -> dict[str, Any]:
    """Return the owner's finding of a rule, which must be there at the moment `until`.

    A machine on which a read takes long may be as many times later as a telling has steps.
    """
    slowest = timedelta()
    while True:
        asked_at = datetime.now(UTC)
        answer = await api.http.get("/v1/violations", params={"owner": owner, "rule": rule}, headers=api.headers())
        slowest = max(slowest, datetime.now(UTC) - asked_at)
        if answer.json()["items"]:
            [item] = answer.json()["items"]
            return dict(item)
        assert asked_at < until + STEPS * slowest, f"{rule} was not told within {TOLD_WITHIN}"
        await asyncio.sleep(0.1)
