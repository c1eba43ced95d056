"""A log that its reader does not expect: written by a later release, or not the one that was folded.

The tests run on a stack of their own, because the last ones delete its logs. They run in this order.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2 as httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import Producer
from pydantic import SecretStr

from services.stint_cli.brokers import Brokers
from services.stint_cli.database import connected
from services.stint_cli.deployment.topics import ensure_topics, make_topics
from services.stint_cli.settings import DoctorSettings
from services.stint_cli.trouble import Trouble
from services.stint_cli.watch.diagnosis import Diagnosis
from services.stint_cli.watch.doctor import examine
from shared.events.outcome import UnreadableOutcomeError, read_outcome
from shared.events.topics import EVENTS, OUTCOMES, POLICIES, TEXTS, topics
from tests.faults import upgraded_projector
from tests.faults.upgraded_projector import NEWER
from tests.support.proof.minutes import worked
from tests.support.proof.tables import dump
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew, Service
from tests.support.stack.deployments import Deployment, Tenant, deployed
from tests.support.stack.foreign_presses import put_start
from tests.support.stack.holders import owner_on, said_by
from tests.support.stack.logs import LogRecord, end_offsets, put, read_topic
from tests.support.stack.stacks import stack_in
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained, published, texts_kept

pytestmark = [pytest.mark.real, pytest.mark.fault]

WRITTEN_LATER = {"ce_type": NEWER.encode()}


@dataclass(frozen=True, slots=True)
class Place:
    """These tests' own deployment, with one API and one projector."""

    deployment: Deployment
    crew: Crew
    tenant: Tenant
    api: Api

    def owner_on(self, kpart: int) -> str:
        """Return a fresh owner on a partition."""
        return owner_on({kpart}, self.deployment, self.tenant)

    async def timers(self, *owners: str) -> list[int]:
        """Return how many timers each owner has."""
        return [one.timers for one in (await worked(self.deployment.dsn, *owners)).values()]


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    with stack_in(tmp_path_factory.mktemp("strange")) as stack:
        async with deployed(stack) as deployment:
            crew, tenant = Crew(deployment), await deployment.tenant()
            try:
                await crew.be(apis=1, projectors=1)
                async with httpx.AsyncClient(base_url=crew.apis[0].url, timeout=40) as http:
                    api = Api(http, tenant.token)
                    await api.knows(tenant)
                    yield Place(deployment, crew, tenant, api)
            finally:
                await crew.go_home()


async def test_a_newer_event_waits_for_the_upgrade_and_is_then_judged(place: Place) -> None:
    deployment, crew, api = place.deployment, place.crew, place.api
    [projector] = crew.projectors
    newer, behind, elsewhere, last = (place.owner_on(kpart) for kpart in (3, 3, 4, 5))
    await put_start(deployment, place.tenant, newer, WRITTEN_LATER)
    await projector.says("event_newer_than_we_are")
    assert await health_of(projector) == (503, {"3": "held: newer_event"})
    assert (await api.start(elsewhere)).status_code == 201
    waiting = await api.start(behind)
    assert waiting.status_code == 202

    upgraded = await crew.projector(module=upgraded_projector.__name__, wait=False)
    await crew.be(apis=1, projectors=0)
    # The last record of its partition. A projector that is not upgraded yet finds it at its position.
    await put_start(deployment, place.tenant, last, WRITTEN_LATER)
    await drained(deployment)
    assert await place.timers(newer, behind, elsewhere, last) == [1, 1, 1, 1]
    outcome = await api.http.get(waiting.headers["Location"], headers=api.headers())
    assert (outcome.status_code, outcome.json()["verdict"]) == (200, "accepted")
    assert await deployment.pool.fetchval("SELECT count(*) FROM dead_letter") == 0

    assert await upgraded.stop() == 0
    await crew.be(apis=1, projectors=1)
    assert (await api.start(place.owner_on(5))).status_code == 201


async def test_a_strangers_transactions_leave_gaps_that_are_passed_on_both_logs(place: Place) -> None:
    """A connector's transactions leave offsets that no reader is given, also at the end of a log."""
    deployment, crew, api = place.deployment, place.crew, place.api
    for commits in (True, False):
        assert (await api.start(place.owner_on(6))).status_code == 201
        await asyncio.to_thread(write_in_a_transaction, deployment, 6, commits=commits)
        assert (await api.start(place.owner_on(6))).status_code == 201
    [before] = crew.projectors
    await crew.be(apis=1, projectors=0)
    # The recovering projector reads the judged stream from here on.
    await asyncio.to_thread(write_in_a_transaction, deployment, 6, commits=True)
    await asyncio.to_thread(write_in_a_transaction, deployment, 6, commits=False)
    await crew.be(apis=1, projectors=1)
    [after] = crew.projectors
    assert (await api.start(place.owner_on(6))).status_code == 201
    assert said_by(before, "offsets_missing")
    assert {alarm["partition"] for alarm in said_by(after, "outcome_record_skipped")} == {6}


def write_in_a_transaction(deployment: Deployment, kpart: int, *, commits: bool) -> None:
    """Put a strange record on each log, in one transaction that is committed or aborted."""
    producer = Producer({"bootstrap.servers": deployment.stack.kafka.address, "transactional.id": "a-stranger"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for topic in (EVENTS, OUTCOMES):
        producer.produce(topic, value=b"canary, not json", partition=kpart)
    producer.flush(30)
    if commits:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


async def test_texts_made_anew_under_their_position_are_an_alarm_until_the_position_is_taken_away(place: Place) -> None:
    """What is written there now lies below the position, and was passed over without a word."""
    deployment, api = place.deployment, place.api
    [projector] = place.crew.projectors
    for kpart in (1, 1, 2):
        assert (await api.start(place.owner_on(kpart), comment="before")).status_code == 201
    await texts_kept(deployment)
    assert await wrong_with(deployment, "texts") == []

    await make_anew(deployment, TEXTS)
    unseen = place.owner_on(1)
    assert (await api.start(unseen, comment="after")).status_code == 201

    async def alarmed() -> bool:
        return [1, 2] in [alarm["partitions"] for alarm in said_by(projector, "texts_went_back")]

    await eventually(alarmed, "both partitions are an alarm", 120)
    assert await wrong_with(deployment, "texts") == [[1, 2]]
    # The control: nobody has it yet, although it is on the topic.
    assert await comments_of(deployment, unseen) == []

    await deployment.pool.execute("DELETE FROM text_position")

    async def seen() -> bool:
        return await comments_of(deployment, unseen) == ["after"]

    await eventually(seen, "the comment is shown", 120)
    assert await wrong_with(deployment, "texts") == []


async def comments_of(deployment: Deployment, owner: str) -> list[str]:
    """Return the comments that reports show of an owner."""
    rows = await deployment.pool.fetch("SELECT comment FROM timer_text WHERE owner = $1", owner)
    return [row["comment"] for row in rows]


async def test_a_judged_stream_made_anew_under_quiet_projectors_is_an_alarm(place: Place) -> None:
    """Its first outcome told nobody, and a database that was filled from that stream later lacked those before it."""
    deployment, crew, api = place.deployment, place.crew, place.api
    [projector] = crew.projectors
    for kpart in (8, 8, 8, 9):
        assert (await api.start(place.owner_on(kpart))).status_code == 201
    await published(deployment)
    stream, ends = await read_topic(deployment.kafka, OUTCOMES), await end_offsets(deployment.kafka, OUTCOMES)

    await make_anew(deployment, OUTCOMES)
    assert await stream_found_wrong(deployment) == {kpart for kpart, end in ends.items() if end}
    # One stream is shorter than what was published. The other is as long, once it has the outcome of this press.
    for kpart in (8, 9):
        assert (await api.start(place.owner_on(kpart))).status_code == 201

    async def alarmed_again() -> bool:
        told = [alarm["partition"] for alarm in said_by(projector, "log_went_back")]
        return all(told.count(kpart) >= 2 for kpart in (8, 9))

    await eventually(alarmed_again, "both partitions have looked again, and are held", 40)
    assert await health_of(projector) == (503, {"8": "held: log_went_back", "9": "held: log_went_back"})
    assert (await api.start(place.owner_on(8))).status_code in {202, 503}

    await make_anew(deployment, OUTCOMES)
    await restored(deployment, stream, ends)

    async def goes_on() -> bool:
        return await health_of(projector) == (200, {})

    await eventually(goes_on, "with the right stream back, both partitions go on", 40)
    await published(deployment)
    assert await stream_found_wrong(deployment) == set()
    kept = {(row["kpart"], row["source_offset"]) for row in await deployment.pool.fetch("TABLE outcome")}
    assert {(one.partition, offset_in(one)) for one in await read_topic(deployment.kafka, OUTCOMES)} >= kept


async def stream_found_wrong(deployment: Deployment) -> set[int]:
    """Return the partitions of which `stint doctor` says that the judged stream went back."""
    found = [one.as_json for one in await examined(deployment)]
    return {one["partition"] for one in found if one.get("state") == "the judged stream went back"}


async def wrong_with(deployment: Deployment, check: str) -> list[object]:
    """Return the partitions of which one check of `stint doctor` says that the topic went back."""
    return [one.as_json["went_back"] for one in await examined(deployment) if one.check == check and one.advice]


async def examined(deployment: Deployment) -> list[Diagnosis]:
    """Return what `stint doctor` finds of Kafka and Postgres."""
    settings = DoctorSettings(
        kafka_bootstrap_servers=deployment.kafka.bootstrap_servers, postgres_dsn=SecretStr(deployment.dsn)
    )
    return await examine(settings, None)


async def restored(deployment: Deployment, stream: list[LogRecord], ends: dict[int, int]) -> None:
    """Put records where they were. Where a transaction had ended, another record takes the offset."""
    there = {(record.partition, record.offset): record for record in stream}
    for kpart, end in ends.items():
        for offset in range(end):
            one = there.get((kpart, offset))
            key, value = (None, b"a gap") if one is None else (one.key, one.value)
            assert await put(deployment, kpart, value, [], key=key, topic=OUTCOMES) == offset


def offset_in(record: LogRecord) -> int | None:
    """Return the offset of the press in an outcome; None: the record is no outcome."""
    try:
        return read_outcome(record.value or b"").source_offset
    except UnreadableOutcomeError:
        return None


async def test_a_log_made_anew_under_its_checkpoints_is_an_alarm(place: Place) -> None:
    """Nothing of it is folded."""
    deployment, crew, api = place.deployment, place.crew, place.api
    for kpart in (2, 2, 2, 7, 7):
        assert (await api.start(place.owner_on(kpart))).status_code == 201
    await drained(deployment)
    moved = await deployment.pool.fetch("SELECT kpart FROM fold_v1.checkpoint WHERE next_offset > 0")
    folded = {row["kpart"] for row in moved}

    await published(deployment)
    await crew.be(apis=1, projectors=0)
    tables, outcomes = await dump(deployment.dsn), await end_offsets(deployment.kafka, OUTCOMES)

    await make_anew(deployment, EVENTS)
    # One partition is shorter than what was folded of it. Another has grown past that.
    for kpart in (2, 7, 7, 7):
        await put_start(deployment, place.tenant, place.owner_on(kpart))
    projector = await crew.projector(wait=False)

    async def alarmed() -> bool:
        return {alarm["partition"] for alarm in said_by(projector, "log_went_back")} == folded

    await eventually(alarmed, "every partition that was folded is an alarm")
    assert (await api.start(place.owner_on(7))).status_code in {202, 503}
    assert await health_of(projector) == (503, {str(kpart): "held: log_went_back" for kpart in sorted(folded)})
    assert await dump(deployment.dsn) == tables
    assert await end_offsets(deployment.kafka, OUTCOMES) == outcomes


async def test_policies_made_anew_that_grew_past_what_was_read_are_an_alarm(place: Place) -> None:
    """Processes went on with the documents that they had, and others were in force for those that began later."""
    deployment, crew = place.deployment, place.crew
    await crew.dismiss_extras()
    await crew.be(apis=1, projectors=0)
    [api], old = crew.apis, await read_topic(deployment.kafka, POLICIES)
    assert await wrong_with(deployment, "policies") == []

    await make_anew(deployment, POLICIES)
    for _ in range(len(old) + 1):
        await put(deployment, 0, old[0].value, [], key=b"made-anew", topic=POLICIES)

    async def noticed() -> bool:
        return len(old) - 1 in [alarm.get("another_record_at") for alarm in said_by(api, "policies_went_back")]

    await eventually(noticed, "the API has noticed", 60)
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{api.url}/readyz")).json()["checks"]["policies"] is False
    assert await wrong_with(deployment, "policies") == [[one.offset for one in old]]

    later = await crew.projector(wait=False)
    await later.says("policies_went_back")
    assert [alarm["other_rows"] for alarm in said_by(later, "policies_went_back")] == [[0]]


async def health_of(projector: Service) -> tuple[int, dict[str, str]]:
    """Return the status of a projector's health, and the partitions that wait."""
    async with httpx.AsyncClient() as http:
        health = await http.get(f"{projector.url}/readyz")
    return health.status_code, health.json()["waiting"]


async def make_anew(deployment: Deployment, topic: str) -> None:
    """Delete a topic and make it again by hand, because `stint topics` does not."""
    admin = AIOKafkaAdminClient(**deployment.kafka.options())
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()
    async with Brokers(deployment.kafka) as brokers, connected(deployment.dsn) as conn:

        async def gone() -> bool:
            return not await brokers.find([topic])

        await eventually(gone, "the topic is gone")
        with pytest.raises(Trouble, match=f"^Missing, in a deployment that has history: {topic}"):
            await ensure_topics(brokers, conn, deployment.partitions)
        assert not await brokers.find([topic])
        await make_topics(brokers, [one for one in topics(deployment.partitions) if one.name == topic], None)
