"""A later release writes events before today's readers are upgraded: their partition waits, and nothing is lost."""

from collections.abc import Callable

import httpx

from tests.support import upgraded_projector
from tests.support.api import Api
from tests.support.crew import Crew
from tests.support.deployments import Deployment
from tests.support.foreign_presses import put_start
from tests.support.holders import owner_on
from tests.support.minutes import worked
from tests.support.upgraded_projector import NEWER
from tests.support.waits import drained

WRITTEN_LATER = {"ce_type": NEWER.encode()}


async def test_an_event_newer_than_the_projector_waits_for_the_upgrade_and_is_judged_after_it(
    own_deployment: Deployment, own_crew: Crew, client: Callable[..., httpx.AsyncClient]
) -> None:
    tenant = await own_deployment.tenant()
    await own_crew.be(apis=1, projectors=1)
    [projector] = own_crew.projectors
    api = Api(client(own_crew.apis[0].url), tenant.token)
    await api.knows(tenant)
    newer, behind, elsewhere = (owner_on({kpart}, own_deployment, tenant) for kpart in (3, 3, 4))

    await put_start(own_deployment, tenant, newer, WRITTEN_LATER)
    await projector.says("event_newer_than_we_are")
    async with httpx.AsyncClient() as http:
        health = await http.get(f"{projector.url}/readyz")
    assert (health.status_code, health.json()["waiting"]) == (503, {"3": "held: newer_event"})
    assert (await api.start(elsewhere)).status_code == 201
    waiting = await api.start(behind)
    assert waiting.status_code == 202

    upgraded = await own_crew.projector(module=upgraded_projector.__name__, wait=False)
    await own_crew.be(apis=1, projectors=0)
    # The last record of its partition, which a projector that is not upgraded yet will find where it goes on.
    last = owner_on({5}, own_deployment, tenant)
    await put_start(own_deployment, tenant, last, WRITTEN_LATER)
    await drained(own_deployment)
    judged = await worked(own_deployment.dsn, newer, behind, elsewhere, last)
    assert [one.timers for one in judged.values()] == [1, 1, 1, 1]
    outcome = await api.http.get(waiting.headers["Location"], headers=api.headers())
    assert (outcome.status_code, outcome.json()["verdict"]) == (200, "accepted")
    assert await own_deployment.pool.fetchval("SELECT count(*) FROM dead_letter") == 0

    assert await upgraded.stop() == 0
    await own_crew.be(apis=1, projectors=1)
    assert (await api.start(owner_on({5}, own_deployment, tenant))).status_code == 201
