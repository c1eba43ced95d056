"""A projector is killed with -9 at each point of a commit: no press is lost or counted twice, every caller hears."""

import asyncio
from collections.abc import Callable
from typing import Final

import httpx2 as httpx
import pytest

from tests.support.proof.minutes import ONE_STOPPED_TIMER, kept_twice, worked
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.patient import Patient
from tests.support.stack.trapped_projector import Place
from tests.support.stack.traps import trapped
from tests.support.stack.waits import drained

pytestmark = pytest.mark.fault

PLACES: Final[tuple[Place, ...]] = (
    "before_compare_and_set",
    "in_its_statement",
    "after_compare_and_set",
    "after_commit",
)
# Postgres commits a statement that it has, also when its projector is dead.
COMMITTED: Final = {"in_its_statement", "after_commit"}


async def test_a_projector_killed_in_its_commit_loses_and_doubles_nothing(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, deployment: Deployment
) -> None:
    await crew.be(apis=1, projectors=1)
    api = Patient(client(), tenant.token)
    doomed = dict(zip(PLACES, await asyncio.gather(*(trapped(crew, place, "die") for place in PLACES)), strict=True))
    group = [*crew.projectors, *(trap.service for trap in doomed.values())]
    owners = {place: await trap.victim(group, deployment, tenant) for place, trap in doomed.items()}
    timers = [(await api.begin(owner)).json()["id"] for owner in owners.values()]
    # A verdict that was committed but never sent is found by the lookup at the end of the wait.
    hasty = Patient(client(), tenant.token, wait_seconds=2)

    pressing = asyncio.gather(
        *(
            (hasty if place in COMMITTED else api).end(timer, key=place)
            for place, timer in zip(PLACES, timers, strict=True)
        )
    )
    for trap in doomed.values():
        await trap.sprung()
    answers = await pressing
    assert [answer.status_code for answer in answers] == [200] * len(PLACES), [answer.text for answer in answers]
    assert [answer.json()["total_seconds"] for answer in answers] == [1800] * len(PLACES)
    assert not any(trap.service.process.alive for trap in doomed.values())

    again = [await api.end(timer, key=place) for place, timer in zip(PLACES, timers, strict=True)]
    assert [answer.content for answer in again] == [answer.content for answer in answers]
    await drained(deployment)
    assert set((await worked(deployment.dsn, *owners.values())).values()) == {ONE_STOPPED_TIMER}
    assert await kept_twice(deployment.dsn) == []
