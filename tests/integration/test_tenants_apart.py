"""Tenants are kept apart, and texts too: they are where texts belong, and nowhere else."""

import asyncio
import json
from typing import Any, Final

import httpx2 as httpx

from shared.events.ids import slot_of
from shared.events.topics import DEAD, EVENTS, OUTCOMES, REPLIES, TEXTS
from shared.packing.bodies import body_of
from tests.support.proof.tables import FOLDED, dump
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Person, Tenant
from tests.support.stack.foreign_presses import ids
from tests.support.stack.logs import read_topic
from tests.support.stack.waits import drained, texts_kept

VERBS: Final = ("pause", "resume", "stop")
# Fields that two presses on two timers at two moments cannot have in common.
OWN: Final = ("source_offset", "event_id", "subject", "digest", "recorded_at", "log_time", "at")


async def refusals(api: Api, person: Person, timer: str) -> list[tuple[int, bytes]]:
    """Return every answer to a tenant about a timer, in each way to ask."""
    zoho = {"Authorization": f"Zoho-oauthtoken {person.token}"}
    asked: list[httpx.Response] = [await api.press(verb, timer) for verb in VERBS]
    asked.append(await api.timer(timer))
    asked.append(await api.http.put(f"/v2/timer/{timer}", headers=api.headers()))
    for word in ("start", "stop"):
        params = {"timeLogId": timer, "timer": word}
        asked.append(await api.http.post("/people/api/timetracker/timer", params=params, headers=zoho))
    return [(answer.status_code, answer.content) for answer in asked]


async def test_another_tenants_timer_is_as_unknown_as_a_missing_one(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    stranger = await deployment.tenant()
    await api.knows(stranger)
    snoop, person = Api(api.http, stranger.token), await deployment.person(stranger)
    foreign = (await api.start(owner, comment="nobody else's business")).json()["timelog_id"]
    unknown = str(ids.draw(slot_of(tenant.name, owner)))
    assert await refusals(snoop, person, foreign) == await refusals(snoop, person, unknown)
    assert (await api.timer(foreign)).json()["state"] == "RUNNING"

    await drained(deployment)
    rows = await deployment.pool.fetch(
        "SELECT body, packed FROM outcome WHERE tenant = $1 ORDER BY source_offset", stranger.name
    )
    outcomes = [json.loads(body_of(row["body"], row["packed"])) for row in rows]
    about = {subject: [alike(o) for o in outcomes if o["subject"] == subject] for subject in (foreign, unknown)}
    assert about[foreign] == about[unknown]
    assert len(about[foreign]) == len(VERBS) + 3
    assert all(outcome["rule"] == "R05" and outcome["owner"] is None for outcome in about[foreign])


def alike(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return an outcome without its own ids, times and places."""
    return {name: value for name, value in outcome.items() if name not in OWN}


async def test_free_text_is_in_the_texts_and_nowhere_else(
    api: Api, crew: Crew, deployment: Deployment, owner: str
) -> None:
    comment, work_item = f"canary-{owner} sang", f"a task, canary-{owner}"
    started = await api.start(owner, comment=comment, work_item=work_item)
    timer = started.json()["id"]
    answers = [started, *[await api.press(verb, timer) for verb in VERBS]]
    # The log has a refused press too, because it was written before it was judged.
    answers.append(await api.start(owner, comment=comment, work_item=work_item, at="2999-01-01T00:00:00Z"))
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 422]
    await drained(deployment)
    await texts_kept(deployment)

    read = (await api.timer(timer, answers[3].json()["position"])).json()
    assert (read["comment"], read["work_item"]) == (comment, work_item)
    told = [record.value or b"" for record in await read_topic(deployment.kafka, TEXTS)]
    assert sum(b"canary-%s" % owner.encode() in value for value in told) == 2

    topics = await asyncio.gather(*(read_topic(deployment.kafka, name) for name in (EVENTS, OUTCOMES, REPLIES, DEAD)))
    elsewhere = [str((record.key, record.value, record.headers)) for records in topics for record in records]
    elsewhere += [answer.text for answer in answers]
    elsewhere += (await dump(deployment.dsn, FOLDED)).values()
    elsewhere += [service.said() for service in crew.everybody()]
    assert owner in "".join(elsewhere)
    assert f"canary-{owner}" not in "".join(elsewhere)
