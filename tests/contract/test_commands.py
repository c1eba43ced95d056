"""Dialect D: commands on Kafka, against running services."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import Producer

from shared.events.ids import to_long
from shared.events.topics import COMMANDS, DEAD, EVENTS
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.logs import LogRecord, read_topic
from tests.support.stack.other_service import OtherService, other_service
from tests.support.stack.until import eventually


@pytest.fixture
async def service(api: Api, deployment: Deployment, tenant: Tenant) -> AsyncIterator[OtherService]:
    """Give a service of the tenant. One API takes its commands."""
    assert api.token == tenant.token
    async with other_service(deployment, tenant) as service:
        yield service


async def _dead(deployment: Deployment, places: list[tuple[int, int]]) -> list[LogRecord]:
    """Return the dead letters of these places, in order, once all are there."""
    found: dict[tuple[int, int], LogRecord] = {}

    async def all_there() -> bool:
        for letter in await read_topic(deployment.kafka, DEAD):
            found[int(letter.header("dead_partition") or 0), int(letter.header("dead_offset") or 0)] = letter
        return all(place in found for place in places)

    await eventually(all_there, "the dead letters are there")
    return [found[place] for place in places]


async def test_each_verb_is_answered_with_its_outcome(service: OtherService, owner: str, api: Api) -> None:
    started = await service.asks(
        "start", f"{owner}-1", key=owner, owner=owner, job_id="J-1", billable=False, work_date="2026-03-01"
    )
    assert started.timer is not None
    assert (started.verdict, started.timer.owner, started.timer.job_id, started.timer.billable) == (
        "accepted",
        owner,
        "J-1",
        False,
    )
    assert (started.dialect, started.actor and started.actor.client) == ("kafka", service.tenant.client)
    timer = started.timer.id
    states = []
    for number, (verb, spelt) in enumerate((("pause", str(timer)), ("resume", to_long(timer)), ("stop", timer))):
        outcome = await service.asks(verb, f"{owner}-press-{number}", key=owner, timer_id=spelt)
        states.append((outcome.verdict, outcome.timer and outcome.timer.state))
    assert states == [("accepted", "PAUSED"), ("accepted", "RUNNING"), ("accepted", "STOPPED")]
    shown = await api.timer(str(timer))
    assert (shown.json()["state"], shown.json()["work_date"]) == ("STOPPED", "2026-03-01")


async def test_the_same_command_again_is_the_same_press(
    service: OtherService, deployment: Deployment, owner: str, api: Api
) -> None:
    """Over Kafka and over HTTP alike: the same client, target and key."""
    first = await service.asks("start", f"{owner}-1", key=owner, owner=owner)
    again = await service.asks("start", f"{owner}-1", key=owner, owner=owner)
    assert again == first
    over_http = await api.start(owner, key=f"{owner}-1")
    assert over_http.json()["timelog_id"] == str(first.timer and first.timer.id)
    other = await service.asks("start", f"{owner}-1", key=owner, owner=owner, job_id="another")
    assert (other.verdict, other.rule) == ("refused", "R24")
    async with deployment.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM timer WHERE owner = $1", owner) == 1


async def test_a_refusal_is_answered_with_its_rule(service: OtherService, owner: str) -> None:
    started = await service.asks("start", f"{owner}-1", key=owner, owner=owner)
    assert started.timer is not None
    twice = await service.asks("resume", f"{owner}-2", key=owner, timer_id=started.timer.id)
    unknown = await service.asks("stop", f"{owner}-3", key=owner, timer_id=started.timer.id ^ 1)
    assert [(one.verdict, one.rule) for one in (twice, unknown)] == [("refused", "R07"), ("refused", "R05")]


async def test_a_command_that_no_projector_judges_is_answered_when_one_does(
    service: OtherService, crew: Crew, owner: str
) -> None:
    """It is committed meanwhile: the API passes the press on, and the projector answers by itself."""
    await crew.be(apis=1, projectors=0)
    await service.press("start", f"{owner}-1", key=owner, owner=owner)
    # The next command of its key is taken when this one is settled, and does not wait for a verdict.
    place = await service.put(owner, b"{}", service.headers("start", f"{owner}-dead"))
    await _dead(service.deployment, [place])
    assert not service.answers
    await crew.be(apis=1, projectors=1)
    started = (await service.heard([f"{owner}-1"]))[f"{owner}-1"]
    assert (started.verdict, started.owner) == ("accepted", owner)
    again = await service.asks("start", f"{owner}-1", key=owner, owner=owner)
    assert again == started


async def test_what_cannot_be_read_is_buried_whole_and_blocks_nothing(
    service: OtherService, deployment: Deployment, owner: str
) -> None:
    good = service.headers("start", "x")
    body = b'{"tenant":"%s","owner":"%s"}' % (service.tenant.name.encode(), owner.encode())
    bad: list[tuple[str, bytes | None, dict[str, bytes]]] = [
        ("value_invalid", b"\xff not JSON", good),
        ("value_invalid", None, good),
        ("header_missing", body, service.headers("start", "x", ce_source=None)),
        ("type_unknown", body, service.headers("lunch", "x")),
        ("client_unknown", body, service.headers("start", "x", ce_source=b"nobody")),
        ("other_tenant", body.replace(service.tenant.name.encode(), b"another"), good),
        ("reply_address", body, service.headers("start", "x", reply_to=b"timer.events.v1")),
        ("reply_address", body, service.headers("start", "x", reply_to=b"timer.replies.v1")),
        ("reply_address", body, service.headers("start", "x", reply_to=b"timer.replies.of-nobody")),
        ("reply_address", body, service.headers("start", "x", reply_partition=b"7")),
    ]
    places = [await service.put(owner, value, headers) for _, value, headers in bad]
    after = await service.asks("start", f"{owner}-after", key=owner, owner=owner)
    assert after.verdict == "accepted"
    letters = await _dead(deployment, places)
    for (reason, value, headers), place, letter in zip(bad, places, letters, strict=True):
        assert letter.header("dead_reason") == reason
        assert (letter.key, letter.value) == (owner.encode(), value)
        assert letter.headers[: len(headers)] == tuple(headers.items())
        assert dict(letter.headers[-3:]) == {
            "dead_topic": COMMANDS.encode(),
            "dead_partition": str(place[0]).encode(),
            "dead_offset": str(place[1]).encode(),
        }
    assert service.answers.keys() == {f"{owner}-after"}
    async with deployment.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM timer WHERE owner = $1", owner) == 1


async def test_a_letter_too_large_for_its_topic_names_where_its_bytes_are(
    service: OtherService, deployment: Deployment, owner: str
) -> None:
    headers = service.headers("start", "x")
    room = 1024 * 1024 - sum(len(name) + len(value) for name, value in headers.items())
    place = await service.put(owner, b"x" * (room - 200), headers)
    (letter,) = await _dead(deployment, [place])
    assert (letter.header("dead_reason"), letter.value, letter.key) == ("value_invalid", b"", None)
    assert letter.header("dead_bytes") == "too many: read them at the place named here"


async def test_a_null_header_and_one_that_is_no_text_cost_nothing(service: OtherService, owner: str) -> None:
    """FastStream alone loses a whole batch to the first of them."""
    strange = {"x-null": None, "x-bytes": b"\xff\xfe"}
    headers = [*service.headers("start", f"{owner}-1").items(), *strange.items()]
    body = b'{"tenant":"%s","owner":"%s"}' % (service.tenant.name.encode(), owner.encode())
    await service.deployment.producer.send_and_wait(COMMANDS, body, owner.encode(), 0, headers=headers)
    assert (await service.heard([f"{owner}-1"]))[f"{owner}-1"].verdict == "accepted"


async def test_a_command_without_reply_address_is_pressed_and_committed(
    service: OtherService, deployment: Deployment, owner: str
) -> None:
    key = str(uuid4())
    await service.press("start", key, key=owner, owner=owner, headers={"reply_to": None, "reply_partition": None})

    async def pressed() -> bool:
        return any(
            (record.value or b"").find(owner.encode()) >= 0 for record in await read_topic(deployment.kafka, EVENTS)
        )

    await eventually(pressed, "the press is on the log")
    [command] = [one for one in await read_topic(deployment.kafka, COMMANDS) if owner.encode() in (one.value or b"")]

    async def committed() -> bool:
        admin = AIOKafkaAdminClient(**deployment.kafka.options())
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets("stint.commands")
        finally:
            await admin.close()
        place = offsets.get(TopicPartition(COMMANDS, command.partition))
        return place is not None and place.offset > command.offset

    await eventually(committed, "the command is committed")


async def test_a_command_of_a_transaction_counts_before_its_end_and_when_it_is_aborted(
    service: OtherService, deployment: Deployment, owner: str
) -> None:
    """Waiting for the end would let one service that hangs hold up everybody's commands of a partition."""
    programs = Producer({"bootstrap.servers": deployment.kafka.bootstrap_servers, "transactional.id": owner})

    def in_a_transaction() -> None:
        programs.init_transactions(30)
        programs.begin_transaction()
        value = json.dumps({"tenant": service.tenant.name, "owner": owner}).encode()
        headers: list[tuple[str, str | bytes | None]] = [*service.headers("start", owner).items()]
        programs.produce(COMMANDS, value, owner.encode(), partition=0, headers=headers)
        programs.flush(30)

    await asyncio.to_thread(in_a_transaction)
    assert (await service.heard([owner]))[owner].verdict == "accepted"
    await asyncio.to_thread(programs.abort_transaction, 30)
    # The partition goes on behind what the abort leaves there.
    await deployment.producer.send_and_wait(
        COMMANDS,
        json.dumps({"tenant": service.tenant.name, "owner": owner}).encode(),
        owner.encode(),
        0,
        headers=list(service.headers("start", f"{owner}-next").items()),
    )
    assert (await service.heard([f"{owner}-next"]))[f"{owner}-next"].verdict == "accepted"
