"""A zombie: a projector that froze during a commit, counted as dead, and wakes after its heir took over."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import httpx2 as httpx
import pytest

from services.stint_cli.database import connected
from tests.support.proof.checkers.fence import c15_fence
from tests.support.proof.checkers.history import Evidence
from tests.support.proof.minutes import HALF_AN_HOUR, ONE_STOPPED_TIMER, kept_twice, worked
from tests.support.proof.tables import dump
from tests.support.proof.trail import trail_of
from tests.support.stack.beside import beside
from tests.support.stack.crew import SESSION_MS, Crew, Service
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.holders import said_by
from tests.support.stack.patient import Patient
from tests.support.stack.traps import trapped
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained

pytestmark = pytest.mark.fault

# A projector frozen in its transaction delays the others until it is missed, and then until its session is ended. This
# is twice as long.
TIMEOUTS_SECONDS = 4 * SESSION_MS / 1000
NO_TIMEOUTS = {f"PROJECTOR_{name}_TIMEOUT_MS": "600000" for name in ("TRANSACTION", "IDLE_IN_TRANSACTION", "LOCK")}
# The projector itself must wait longer than its transactions last.
NO_TIMEOUTS["PROJECTOR_POSTGRES_WITHIN_SECONDS"] = "601"


@pytest.fixture
async def api(crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant) -> Patient:
    """Give a patient client, with one API and one projector up. That projector will be the zombie's heir."""
    await crew.be(apis=1, projectors=1)
    return Patient(client(), tenant.token)


async def test_a_projector_frozen_before_its_compare_and_set_is_fenced(
    api: Patient, crew: Crew, tenant: Tenant, deployment: Deployment
) -> None:
    zombie = await trapped(crew, "before_compare_and_set", "freeze")
    owner = await zombie.victim([*crew.projectors, zombie.service], deployment, tenant)
    timer = (await api.begin(owner)).json()["id"]

    stopping = asyncio.create_task(api.end(timer, key="stop"))
    await zombie.frozen()
    stopped = await stopping
    assert (stopped.status_code, stopped.json()["total_seconds"]) == (200, 1800), stopped.text
    zombie.service.thaw()
    await zombie.service.says('"reason": "fenced"')

    assert (await api.end(timer, key="stop")).content == stopped.content
    await drained(deployment)
    assert await worked(deployment.dsn, owner) == {owner: ONE_STOPPED_TIMER}
    assert await kept_twice(deployment.dsn) == []


async def test_without_the_compare_and_set_it_counts_the_minutes_twice(
    api: Patient, crew: Crew, tenant: Tenant, deployment: Deployment
) -> None:
    """The control of the test above, in a database of its own. Two keys and `unread` are fences, too: both are off."""
    aside = await beside(deployment, "unfenced")
    dsn = aside["PROJECTOR_POSTGRES_DSN"]
    async with connected(dsn) as conn:
        await conn.execute("ALTER TABLE outcome DROP CONSTRAINT outcome_pkey")
        await conn.execute("ALTER TABLE fold_v1.timer_history DROP CONSTRAINT timer_history_pkey")
    heir, zombie = await asyncio.gather(
        crew.projector(aside), trapped(crew, "before_compare_and_set", "freeze", aside, fence=False)
    )
    owner = await zombie.victim([heir, zombie.service], deployment, tenant)
    timer = (await api.begin(owner)).json()["id"]
    assert (await api.end(timer)).status_code == 200
    await zombie.frozen()
    await drained(deployment, dsn)
    assert await worked(dsn, owner) == {owner: ONE_STOPPED_TIMER}

    twice = {owner: replace(ONE_STOPPED_TIMER, day_us=2 * HALF_AN_HOUR)}

    async def doubled() -> bool:
        return await worked(dsn, owner) == twice

    async with trail_of(dsn) as trail:
        zombie.service.thaw()
        await eventually(doubled, "the day counts the timer twice")
        # Its stop, and whatever tick was in its batch.
        assert await kept_twice(dsn) != []
        evidence = Evidence(deployment.partitions, (), (), (), (), await dump(dsn, ["checkpoint"]), await trail.moves())
        # Ticks on other partitions may have been in its batch, and then those checkpoints go back with it.
        assert c15_fence(evidence)


async def test_a_projector_frozen_in_its_transaction_delays_its_heir_by_seconds(
    api: Patient, crew: Crew, tenant: Tenant, deployment: Deployment
) -> None:
    zombie = await trapped(crew, "after_compare_and_set", "freeze")
    owner = await zombie.victim([*crew.projectors, zombie.service], deployment, tenant)
    timer = (await api.begin(owner)).json()["id"]

    stopping = asyncio.create_task(api.end(timer))
    await zombie.frozen()
    # The patient client waits for some seconds, and no longer.
    stopped = await stopping
    assert (stopped.status_code, stopped.json()["total_seconds"]) == (200, 1800), stopped.text
    zombie.service.thaw()
    await zombie.service.says('"reason": "commit_failed"')

    await drained(deployment)
    assert await worked(deployment.dsn, owner) == {owner: ONE_STOPPED_TIMER}


async def test_without_timeouts_its_heir_does_not_come_to_its_turn(
    api: Patient, crew: Crew, tenant: Tenant, deployment: Deployment
) -> None:
    """The control of the test above: the session holds the checkpoint while its projector is frozen."""
    [heir] = crew.projectors
    zombie = await trapped(crew, "after_compare_and_set", "freeze", NO_TIMEOUTS)
    owner = await zombie.victim([heir, zombie.service], deployment, tenant)
    timer = (await api.begin(owner)).json()["id"]

    # Longer than the heir tries in vain: an answer that comes meanwhile must be a verdict.
    stopping = asyncio.create_task(replace(api, wait_seconds=30).end(timer))
    await zombie.frozen()
    frozen_at = time.monotonic()

    async def tried_for_long_enough() -> bool:
        waited = time.monotonic() - frozen_at
        return waited > TIMEOUTS_SECONDS and tried_in_vain(heir, deployment.partition_of(tenant, owner)) > 1

    await eventually(tried_for_long_enough, "the heir tries for longer than timeouts would have let it wait")
    assert not stopping.done()
    zombie.service.thaw()
    assert (await stopping).json()["total_seconds"] == 1800
    await drained(deployment)
    assert await worked(deployment.dsn, owner) == {owner: ONE_STOPPED_TIMER}


def tried_in_vain(heir: Service, kpart: int) -> int:
    """Return how often an heir waited in vain for a partition's checkpoint, to take it up or to move it."""
    troubles = (
        said_by(heir, "recovery_failed") + said_by(heir, "recovery_not_yet") + said_by(heir, "partition_in_trouble")
    )
    return sum(trouble["partition"] == kpart for trouble in troubles)
