"""One press, from the caller to the log, to the tables, and back in the same answer."""

from collections.abc import Callable

import httpx2 as httpx

from shared.events.codec import Press
from shared.events.models import TimerStarted
from shared.events.topics import EVENTS, OUTCOMES, TEXTS
from tests.support.proof.tables import dump
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.logs import LogRecord, read_topic
from tests.support.stack.waits import drained, passed, texts_kept


async def records_of(deployment: Deployment, topic: str, words: str) -> list[LogRecord]:
    """Return the records of a topic that mention `words`."""
    return [record for record in await read_topic(deployment.kafka, topic) if words.encode() in (record.value or b"")]


async def test_a_press_is_on_the_log_once_and_answered_by_its_verdict(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    started = await api.start(owner, comment="canary in the log", job_id="j-1")
    assert started.status_code == 201, started.text
    timer = started.json()
    assert (timer["owner"], timer["state"], timer["total_seconds"]) == (owner, "RUNNING", 0)

    [press] = await records_of(deployment, EVENTS, owner)
    said = press.press()
    assert isinstance(said, Press)
    assert isinstance(said.event, TimerStarted)
    assert press.partition == deployment.partition_of(tenant, owner)
    assert press.position == timer["position"]
    assert press.log_time is not None
    assert b"canary" not in (press.value or b"")

    [text] = await records_of(deployment, TEXTS, owner)
    assert text.partition == press.partition
    assert b"canary in the log" in (text.value or b"")


async def test_the_tables_know_what_the_caller_was_told(api: Api, deployment: Deployment, owner: str) -> None:
    timer = (await api.start(owner, comment="quiet words")).json()["id"]
    assert [(await api.press(verb, timer)).status_code for verb in ("pause", "resume", "stop")] == [200, 200, 200]
    pressed = await api.press("stop", timer)
    assert pressed.status_code == 200, pressed.text
    await passed(deployment, pressed.json()["position"])
    await texts_kept(deployment)

    tables = await dump(deployment.dsn)
    assert tables["timer"].count(f'"owner":"{owner}"') == 1
    assert tables["interval"].count(f'"owner":"{owner}"') == 2
    read = (await api.timer(timer, pressed.json()["position"])).json()
    assert (read["state"], read["comment"], len(read["intervals"])) == ("STOPPED", "quiet words", 2)
    assert read["total_seconds"] == pressed.json()["total_seconds"]
    assert "quiet words" not in "".join(tables.values())


async def test_outcomes_are_published_without_words(api: Api, deployment: Deployment, owner: str) -> None:
    timer = (await api.start(owner, comment="never in outcomes")).json()["id"]
    await api.press("stop", timer)
    await drained(deployment)
    await api.start(owner)  # a later commit saves how far outcomes were published before it
    outcomes = await records_of(deployment, OUTCOMES, owner)
    assert len(outcomes) >= 2
    assert not any(b"never in outcomes" in (record.value or b"") for record in outcomes)


async def test_two_apis_and_two_projectors_share_the_work(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, deployment: Deployment, owner: str
) -> None:
    await crew.be(apis=2, projectors=2)
    one, other = (Api(client(service.url), tenant.token) for service in crew.apis)
    timers = [(await one.start(f"{owner}-{number}")).json()["id"] for number in range(24)]
    for timer in timers:
        assert (await other.press("stop", timer)).json()["state"] == "STOPPED"
    await drained(deployment)


async def test_a_position_is_seen_by_every_replica_and_time_never_goes_back(
    crew: Crew, client: Callable[..., httpx.AsyncClient], tenant: Tenant, owner: str
) -> None:
    """A client reads what it pressed, at whichever replica, and each later read is of a later state."""
    await crew.be(apis=2, projectors=2)
    one, other = (Api(client(service.url), tenant.token) for service in crew.apis)
    timer = (await one.start(owner)).json()["id"]
    worked = [0.0]
    for verb, state in [("pause", "PAUSED"), ("resume", "RUNNING")] * 4:
        pressed = (await one.press(verb, timer)).json()
        read = [(await replica.timer(timer, pressed["position"])).json() for replica in (other, one)]
        assert [(said["state"], said["total_seconds"]) for said in read] == [(state, pressed["total_seconds"])] * 2
        worked.append(read[0]["total_seconds"])
    assert worked == sorted(worked)
    assert worked[-1] > 0
