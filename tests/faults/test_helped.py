"""A projector whose database is empty, with helpers: killed while they work, and started again."""

from tests.faults import helped_projector
from tests.support.proof.checkers.history import Evidence
from tests.support.proof.checkers.replay import c7_same_bytes
from tests.support.proof.evidence import at_rest, evidence_of
from tests.support.proof.tables import dump
from tests.support.stack.api import Api
from tests.support.stack.beside import beside
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment
from tests.support.stack.waits import drained


async def test_a_projector_killed_with_its_helpers_at_work_catches_up_when_it_is_back(
    api: Api, crew: Crew, deployment: Deployment, owner: str
) -> None:
    timer = (await api.start(owner, job_id="j-1")).json()["id"]
    for verb in ("pause", "resume", "stop"):
        await api.press(verb, timer)
    await drained(deployment)
    aside = await beside(deployment, "helped_again")
    dsn = aside["PROJECTOR_POSTGRES_DSN"]
    first = await crew.projector(aside, module=helped_projector.__name__, wait=False)
    await first.says("helper_started")
    first.kill()
    # The group waits for the session of the one that was killed.
    second = await crew.projector(aside, module=helped_projector.__name__)
    assert "helper_started" in second.said()
    assert "helper_gave_up" not in second.said()

    async def both() -> tuple[Evidence, dict[str, str]]:
        evidence = await evidence_of(deployment)
        await drained(deployment, dsn)
        return evidence, await dump(dsn)

    evidence, again = await at_rest(deployment, both)
    assert c7_same_bytes(evidence, again) == []
