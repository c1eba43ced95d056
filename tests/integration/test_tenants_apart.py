"""Tenants are kept apart, and texts too: they are where texts belong, and nowhere else."""

import asyncio
import json
from typing import Any, Final
from uuid import UUID, uuid4

import httpx2 as httpx

from shared.events.ids import slot_of, to_long
from shared.events.topics import DEAD, EVENTS, OUTCOMES, REPLIES, TEXTS
from shared.packing.bodies import body_of
from tests.support.proof.tables import FOLDED, dump
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Person, Tenant
from tests.support.stack.foreign_presses import ids
from tests.support.stack.logs import read_topic
from tests.support.stack.waits import drained, passed, texts_kept

OPEN: Final = "/v2/timer/open"
RUNNING: Final = "/people/api/timetracker/getcurrentlyrunningtimer"
VERBS: Final = ("pause", "resume", "stop")
# Fields that two presses on two timers at two moments cannot have in common.
OWN: Final = ("source_offset", "event_id", "subject", "digest", "recorded_at", "log_time", "at")


def zoho_headers(person: Person) -> dict[str, str]:
    return {"Authorization": f"Zoho-oauthtoken {person.token}"}


async def refusals(api: Api, person: Person, timer: str) -> list[tuple[int, bytes]]:
    """Return every answer to a tenant about a timer, in each way to ask."""
    zoho = zoho_headers(person)
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


async def event_at(deployment: Deployment, position: str) -> UUID:
    """Return the id of the press at a position, after it is folded."""
    await passed(deployment, position)
    partition, offset = (int(part) for part in position.split(":"))
    sql = "SELECT event_id FROM outcome WHERE kpart = $1 AND source_offset = $2"
    event_id = await deployment.pool.fetchval(sql, partition, offset)
    assert isinstance(event_id, UUID)
    return event_id


async def test_another_tenants_outcome_is_as_unknown_as_a_missing_one(
    api: Api, deployment: Deployment, owner: str
) -> None:
    """Asked for with its place and without. Its own tenant hears it both times, which is the control."""
    snoop = Api(api.http, (await deployment.tenant()).token)
    position = (await api.start(owner)).json()["position"]
    event_id = await event_at(deployment, position)
    for at in (position, None):
        assert (await api.outcome(str(event_id), at)).status_code == 200
        foreign, missing = [await snoop.outcome(str(each), at) for each in (event_id, uuid4())]
        assert (foreign.status_code, foreign.content) == (404, missing.content)


async def open_in(deployment: Deployment, tenant: Tenant) -> list[str]:
    """Return the ids of a tenant's open timers, in order."""
    sql = "SELECT id FROM timer WHERE tenant = $1 AND state <> 'STOPPED' ORDER BY id"
    return [to_long(row["id"]) for row in await deployment.pool.fetch(sql, tenant.name)]


async def test_one_owner_id_in_three_tenants_is_three_owners(api: Api, deployment: Deployment, owner: str) -> None:
    """A timer of the first runs, and one of the second. The third has none, and hears of none."""
    tenants = [await deployment.tenant() for _ in range(3)]
    people = [await deployment.person(tenant, owner) for tenant in tenants]
    started: list[dict[str, Any]] = []
    for tenant in tenants[:2]:
        await api.knows(tenant)
        started.append((await Api(api.http, tenant.token).start(owner)).json())
    await drained(deployment)

    async def listed(token: str) -> list[str]:
        page = await api.http.get(OPEN, params={"limit": 1000}, headers=Api(api.http, token).headers())
        return [timer["id"] for timer in page.json()["items"]]

    assert [await listed(person.token) for person in people] == [*([timer["id"]] for timer in started), []]
    of_machines = [await listed(tenant.token) for tenant in tenants]
    assert of_machines == [await open_in(deployment, tenant) for tenant in tenants]
    assert all(timer["id"] in ids for timer, ids in zip(started, of_machines, strict=False))
    told = [(await api.http.get(RUNNING, headers=zoho_headers(person))).json()["response"] for person in people]
    running = [answer.get("result", {}).get("timelogId") for answer in told]
    assert running == [*(timer["timelog_id"] for timer in started), None]


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
