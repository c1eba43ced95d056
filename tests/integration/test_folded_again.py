"""Folded again: an empty database on the same log gets the same bytes, whatever happened to the first one."""

from shared.events.topics import OUTCOMES
from tests.integration.taken_back import an_end_taken_back
from tests.support.proof.checkers.history import Evidence
from tests.support.proof.checkers.replay import c7_same_bytes
from tests.support.proof.evidence import at_rest, evidence_of, problems_of
from tests.support.proof.tables import dump
from tests.support.stack.api import Api
from tests.support.stack.beside import beside
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment
from tests.support.stack.logs import read_topic
from tests.support.stack.patient import Patient
from tests.support.stack.waits import drained


async def test_an_empty_database_catches_up_to_the_same_bytes(
    api: Api, crew: Crew, deployment: Deployment, owner: str
) -> None:
    await some_of_everything(Patient(api.http, api.token), owner)
    await an_end_taken_back(api, deployment, owner)
    aside = await beside(deployment, "again")
    dsn = aside["PROJECTOR_POSTGRES_DSN"]
    await crew.projector(aside)

    async def both() -> tuple[Evidence, dict[str, str]]:
        evidence = await evidence_of(deployment)
        await drained(deployment, dsn)
        return evidence, await dump(dsn)

    evidence, again = await at_rest(deployment, both)
    assert all(
        evidence.tables[table] for table in ("timer", "interval", "day_total", "job_total", "violation", "outcome")
    )
    told = {change["by"] for _, outcome, _ in evidence.judged for change in outcome["changed"]}
    ended = [change["closed"] for _, outcome, _ in evidence.judged for change in outcome["changed"] if change["closed"]]
    assert "switch" in told
    assert any(closed["was"] is not None for closed in ended)
    assert any(day["changed_after_lock"] for day in evidence.rows("day_total"))
    assert c7_same_bytes(evidence, again) == []
    # Judged presses are not judged again, and so not published again.
    assert len(await read_topic(deployment.kafka, OUTCOMES)) == len(evidence.outcomes)


async def test_judging_all_presses_again_gives_the_verdicts_that_were_told(
    api: Api, deployment: Deployment, owner: str
) -> None:
    """This also checks all that the tests before this one did to the log and the tables."""
    await some_of_everything(Patient(api.http, api.token), owner)
    await an_end_taken_back(api, deployment, owner)
    assert await problems_of(deployment) == []


async def some_of_everything(api: Patient, owner: str) -> None:
    """Leave behind minutes, a pause, an overlap, a repeat and refusals."""
    worked = (await api.begin(owner, key="start")).json()["id"]
    await api.begin(owner, key="start")
    other = (await api.start(owner, job_id="j-1")).json()["id"]
    for verb in ("pause", "pause", "resume", "stop", "stop", "resume"):
        await api.press(verb, other)
    await api.end(worked, key="stop")
    await api.end(worked, key="stop")
    await api.press("stop", worked, key="stop")
