"""Poison: unreadable records do not delay their neighbours, and are reported."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from shared.events.topics import POLICIES, REPLIES, REPLY_PARTITIONS, TEXTS
from tests.support.proof.evidence import UNWRITABLE
from tests.support.proof.minutes import worked
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant
from tests.support.stack.foreign_presses import put_start, start_of
from tests.support.stack.holders import owner_on, said_by
from tests.support.stack.logs import put
from tests.support.stack.waits import drained, texts_kept

POISON: Final[dict[str, dict[str, bytes | None]]] = {
    "not JSON": {"body": b"{'owner'}"},
    "a type of no known shape": {"ce_type": b"Timer Started!"},
    "deep nesting": {"body": b"[" * 100_000},
    "invalid UTF-8": {"body": b'{"owner":"\xff\xfe"}'},
    "a tombstone": {"body": None},
    "a null header": {"ce_type": None},
    "a header of a megabyte": {"ce_time": b"9" * 1_000_000},
}


@asynccontextmanager
async def one_batch(crew: Crew) -> AsyncIterator[None]:
    """Let the records that are written in the block reach the projector in one batch."""
    [projector] = crew.projectors
    projector.freeze()
    yield
    projector.thaw()


async def test_poison_does_not_hold_up_its_neighbours(
    api: Api, crew: Crew, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    kpart = deployment.partition_of(tenant, owner)
    neighbours = [owner_on({kpart}, deployment, tenant) for _ in POISON]
    async with one_batch(crew):
        presses = []
        poisoned = {}
        for (name, said), neighbour in zip(POISON.items(), neighbours, strict=True):
            presses.append(asyncio.create_task(api.start(neighbour)))
            poisoned[name] = await put_start(deployment, tenant, owner, said)
    answers = await asyncio.gather(*presses)
    assert [answer.status_code for answer in answers] == [201] * len(POISON)

    await drained(deployment)
    query = "SELECT source_offset FROM dead_letter WHERE kpart = $1 AND source_offset >= $2 ORDER BY source_offset"
    parked = await deployment.pool.fetch(query, kpart, min(poisoned.values()))
    assert [row["source_offset"] for row in parked] == list(poisoned.values())
    [projector] = crew.projectors
    assert [said["offset"] for said in said_by(projector, "record_unreadable")] == list(poisoned.values())
    assert (await worked(deployment.dsn, owner))[owner].timers == 0


async def test_a_press_with_broken_optional_headers_is_judged(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    assert api.token
    await put_start(deployment, tenant, owner, {"traceparent": None, "ce_correlationid": b"\xff", "stranger": None})
    await drained(deployment)
    assert (await worked(deployment.dsn, owner))[owner].timers == 1


@pytest.mark.parametrize("where", ["owner", "account_id"])
async def test_a_press_that_postgres_refuses_for_its_data_is_refused_alone(
    where: str, api: Api, crew: Crew, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    """One press has an owner that cannot be looked up, the other an account that cannot be stored."""
    kpart = deployment.partition_of(tenant, owner)
    refused = owner_on({kpart}, deployment, tenant, "nul\0" if where == "owner" else "owner")
    headers, body = start_of(tenant, refused, UNWRITABLE)
    said = json.dumps(json.loads(body) | ({} if where == "owner" else {"account_id": "nul\0"})).encode()
    async with one_batch(crew):
        before = asyncio.create_task(api.start(owner))
        offset = await put(deployment, kpart, said, headers)
        after = asyncio.create_task(api.start(owner_on({kpart}, deployment, tenant)))
    assert [answer.status_code for answer in await asyncio.gather(before, after)] == [201, 201]

    await drained(deployment)
    outcome = await outcome_at(deployment, kpart, offset)
    assert (outcome["verdict"], outcome["rule"], outcome["owner"], outcome["timer"]) == ("refused", "R23", None, None)
    [projector] = crew.projectors
    assert [said["offset"] for said in said_by(projector, "press_refused_internally")] == [offset]
    assert "nul" not in projector.said_since_mark()


async def test_a_press_on_a_partition_that_is_not_its_owners_is_refused(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    """Its minutes would be counted on a partition where no read looks for them."""
    assert api.token
    elsewhere = (deployment.partition_of(tenant, owner) + 1) % deployment.partitions
    offset = await put_start(deployment, tenant, owner, kpart=elsewhere)
    await drained(deployment)
    outcome = await outcome_at(deployment, elsewhere, offset)
    assert (outcome["verdict"], outcome["rule"], outcome["reason"]) == ("refused", "R23", "wrong_partition")
    assert (await worked(deployment.dsn, owner))[owner].timers == 0


CANARY: Final = "canary-7f3a"


async def test_no_process_quotes_a_record_that_says_nothing_to_it(
    api: Api, crew: Crew, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    """What people wrote stays out of the logs, whichever topic it lies on and however broken it is."""
    [projector], [command_api] = crew.projectors, crew.apis
    said = json.dumps({CANARY: CANARY, "replaces": CANARY, "verdict": CANARY, "comment": CANARY, "v": CANARY}).encode()
    values = [said, said[:-1], said + b"\xff", b"[" + said + b"]", b'"' + CANARY.encode() + b'"']
    for value in values:
        await put_start(deployment, tenant, owner, {"body": value, "ce_type": CANARY.encode()})
        await put_start(deployment, tenant, owner, {"body": value, CANARY: value})
        for topic, partitions in ((TEXTS, 1), (POLICIES, 1), (REPLIES, REPLY_PARTITIONS)):
            for kpart in range(partitions):
                await put(deployment, kpart, value, {CANARY: value}, key=CANARY.encode(), topic=topic)
    for topic in (TEXTS, POLICIES):
        await put(deployment, 0, None, {}, key=CANARY.encode(), topic=topic)
    address = {"reply_to": f"timer.replies.{CANARY}".encode(), "reply_partition": b"0", "request_id": b"r-1"}
    await put_start(deployment, tenant, owner, address)
    await drained(deployment)
    await texts_kept(deployment)
    await asyncio.gather(
        *(one.says("policy_void") for one in (projector, command_api)),
        command_api.says("reply_unreadable"),
        *(projector.says(event) for event in ("record_unreadable", "text_unreadable", "reply_dropped")),
    )
    assert (await api.start(owner)).status_code == 201
    for one in (projector, command_api):
        assert CANARY not in one.said_since_mark()


async def outcome_at(deployment: Deployment, kpart: int, offset: int) -> dict[str, Any]:
    """Return the outcome of one record."""
    query = "SELECT body FROM outcome WHERE kpart = $1 AND source_offset = $2"
    outcome: dict[str, Any] = json.loads(await deployment.pool.fetchval(query, kpart, offset))
    return outcome
