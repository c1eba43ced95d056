"""Releases apart: processes of this release and of the next on one log and one database, in both orders of upgrade.

On a stack of their own, because a log with the next release's events cannot be folded anew by this one.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2 as httpx
import pytest

from shared.events.topics import OUTCOMES
from tests.faults import next_api, next_projector
from tests.support.proof.minutes import worked
from tests.support.stack.api import Api
from tests.support.stack.beside import beside
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Person, Tenant, deployed, fresh_owner
from tests.support.stack.holders import owner_on, said_by
from tests.support.stack.logs import end_offsets, read_topic
from tests.support.stack.stacks import stack_in
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained
from tests.support.stack.ways_in import bearer, fresh_number, zoho

pytestmark = [pytest.mark.real, pytest.mark.fault]

ZOHO_TIMER = "/people/api/timetracker/timer"


@dataclass(frozen=True, slots=True)
class Place:
    """A deployment of these tests' own, with one API of this release."""

    deployment: Deployment
    crew: Crew
    tenant: Tenant
    person: Person
    api: Api

    async def judged_and_unpublished(self) -> int:
        """Return how many outcomes are committed and not on the judged stream."""
        judged: int = await self.deployment.pool.fetchval("SELECT count(*) FROM outcome")
        return judged - sum((await end_offsets(self.deployment.kafka, OUTCOMES)).values())


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    with stack_in(tmp_path_factory.mktemp("apart")) as stack:
        async with deployed(stack) as deployment:
            crew, tenant = Crew(deployment), await deployment.tenant()
            person = await deployment.person(tenant)
            try:
                await crew.be(apis=1, projectors=0)
                async with httpx.AsyncClient(base_url=crew.apis[0].url, timeout=40) as http:
                    yield Place(deployment, crew, tenant, person, Api(http, tenant.token))
            finally:
                await crew.go_home()


async def press_in_every_dialect(place: Place) -> tuple[str, str]:
    """Start a timer in each dialect, hear the ordinary answer, and return dialect C's owner and timer."""
    http, tenant, person, owner = place.api.http, place.tenant, place.person, fresh_owner()
    said = {"owner": str(fresh_number())}
    a = await http.post("/v2/timer/start", json=said, headers=bearer(tenant.token))
    assert (a.status_code, set(a.json())) == (201, {"id", "message"})
    form = {
        "user": person.aliases[0],
        "jobId": "J-1",
        "workDate": datetime.now(UTC).date().isoformat(),
        "billingStatus": "Billable",
        "timer": "start",
    }
    b = await http.post(ZOHO_TIMER, data=form, headers=zoho(person.token))
    assert (b.status_code, b.json()["response"]["status"]) == (200, 0)
    c = await place.api.start(owner, key=owner)
    assert c.status_code == 201
    again = await place.api.start(owner, key=owner)
    assert (again.status_code, again.json()["id"]) == (201, c.json()["id"])
    return owner, c.json()["id"]


async def test_what_a_newer_projector_judges_is_answered_read_and_taken_over_by_this_release(place: Place) -> None:
    """Projectors are upgraded first, and one that is not good enough is taken back."""
    deployment, crew, api = place.deployment, place.crew, place.api
    newer = await crew.projector(module=next_projector.__name__)
    await crew.settled()
    await api.knows(place.tenant)
    owner, timer = await press_in_every_dialect(place)
    await drained(deployment)
    rows = await deployment.pool.fetch("SELECT event_id FROM outcome WHERE event_id IS NOT NULL")
    for row in rows:
        assert (await api.outcome(str(row["event_id"]))).status_code == 200
    assert (await api.timer(timer)).json()["state"] == "RUNNING"

    # Its successor commits, and ends before anything of that is on the judged stream.
    assert await newer.stop() == 0
    last = await crew.projector({"NEXT_PROJECTOR_UNPUBLISHED": "1"}, module=next_projector.__name__)
    await crew.settled()
    other_owner, other = await press_in_every_dialect(place)
    assert await place.judged_and_unpublished() > 0
    last.kill()

    await crew.be(apis=1, projectors=1)

    async def published() -> bool:
        return await place.judged_and_unpublished() == 0

    await eventually(published, "this release publishes what the next one judged")
    assert all(b'"mood"' in (one.value or b"") for one in await read_topic(deployment.kafka, OUTCOMES))
    for stopped in (timer, other):
        assert (await api.press("stop", stopped)).status_code == 200
    owner_of_this_release, _ = await press_in_every_dialect(place)
    owners = (owner, other_owner, owner_of_this_release)
    await drained(deployment)

    # And an empty database is filled by this release from the stream that the next one wrote.
    env = await beside(deployment, "apart")
    await crew.projector(env)
    await drained(deployment, env["PROJECTOR_POSTGRES_DSN"])
    assert await worked(env["PROJECTOR_POSTGRES_DSN"], *owners) == await worked(deployment.dsn, *owners)
    assert [said for one in crew.projectors + crew.extras for said in said_by(one, "recovery_failed")] == []
    await crew.dismiss_extras()


async def test_what_a_newer_api_says_waits_for_the_upgrade_of_the_projector_and_is_judged_after_it(
    place: Place,
) -> None:
    """An API that was upgraded first costs its callers time, and nothing that they pressed."""
    deployment, crew = place.deployment, place.crew
    await crew.be(apis=1, projectors=1)
    [projector] = crew.projectors
    crew.mark()
    newer = await crew.api(module=next_api.__name__)
    owner, behind, elsewhere = (owner_on({kpart}, deployment, place.tenant) for kpart in (3, 3, 4))
    async with httpx.AsyncClient(base_url=newer.url, timeout=40) as http:
        waiting = await Api(http, place.tenant.token).start(owner)
    assert waiting.status_code == 202
    await projector.says("event_newer_than_we_are")
    async with httpx.AsyncClient() as http:
        health = await http.get(f"{projector.url}/readyz")
    assert health.json()["waiting"] == {"3": "held: newer_event"}
    also_waiting = await place.api.start(behind)
    assert [also_waiting.status_code, (await place.api.start(elsewhere)).status_code] == [202, 201]
    assert await deployment.pool.fetchval("SELECT count(*) FROM dead_letter") == 0

    await crew.projector(module=next_projector.__name__, wait=False)
    await crew.be(apis=1, projectors=0)
    await drained(deployment)
    for press in (waiting, also_waiting):
        outcome = await place.api.http.get(press.headers["Location"], headers=place.api.headers())
        assert (outcome.status_code, outcome.json()["verdict"]) == (200, "accepted")
    assert await deployment.pool.fetchval("SELECT count(*) FROM dead_letter") == 0
    await crew.dismiss_extras()
