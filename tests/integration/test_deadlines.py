"""Deadlines on real parts: what is due is on the log within two seconds, and its row moves with the commit."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import pytest

from services.projector.clock.tick import tick_for
from services.projector.kafka.ticks import KafkaTicks
from services.projector.ports import TickExpiredError
from services.stint_cli.policies import publish_policy
from shared.events.codec import Press
from shared.events.ids import slot_of
from shared.events.models import Actor, DeadlineReached
from shared.events.policy import Policy, Preset
from shared.events.topics import EVENTS
from shared.kafka.clients import durable_producer
from shared.kafka.kept_producer import KeptProducer
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.logs import read_topic
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained

WITHIN_SECONDS: Final = 2.0


@pytest.fixture
async def ticks(deployment: Deployment) -> AsyncIterator[KafkaTicks]:
    kept = KeptProducer(lambda: durable_producer(deployment.kafka), (EVENTS,))
    keeping = asyncio.create_task(kept.run())
    try:
        yield KafkaTicks(kept)
    finally:
        keeping.cancel()
        await kept.close()


async def falls_due(deployment: Deployment, tenant: Tenant, *owners: str) -> None:
    """Put deadlines that are due now, as a commit would."""
    conn = await asyncpg.connect(deployment.dsn)
    try:
        await conn.executemany(
            "INSERT INTO deadline (kpart, tenant, owner, due_at) VALUES ($1, $2, $3, now())",
            [(deployment.partition_of(tenant, owner), tenant.name, owner) for owner in owners],
        )
    finally:
        await conn.close()


async def ticks_of(deployment: Deployment, *owners: str) -> list[tuple[int, Press]]:
    """Return the ticks for these owners that are on the log, with their partitions."""
    found = []
    for record in await read_topic(deployment.kafka, EVENTS):
        press = record.press()
        if isinstance(press, Press) and isinstance(press.event, DeadlineReached) and press.event.owner in owners:
            found.append((record.partition, press))
    return found


async def deadlines_of(deployment: Deployment, *owners: str) -> list[str]:
    """Return those of these owners who have a deadline."""
    return await _asked(deployment, "SELECT owner FROM deadline WHERE owner = ANY ($1)", list(owners))


async def _asked(deployment: Deployment, sql: str, *values: object) -> list[str]:
    conn = await asyncpg.connect(deployment.dsn)
    try:
        return [row[0] for row in await conn.fetch(sql, *values)]
    finally:
        await conn.close()


async def test_what_is_due_is_on_the_log_within_two_seconds_and_its_row_goes(
    api: Api, deployment: Deployment, tenant: Tenant, owner: str
) -> None:
    """Nothing falls due for an owner whose timer is stopped: the tick is void, and no outcome tells of it."""
    asked = time.monotonic()
    await api.press("stop", (await api.start(owner)).json()["id"])
    began = time.monotonic()
    # Where two presses take long, a tick does: it is written, folded and committed as they are.
    within_seconds = WITHIN_SECONDS + 10 * (began - asked)
    await falls_due(deployment, tenant, owner)

    async def gone() -> bool:
        return not await deadlines_of(deployment, owner)

    await eventually(gone, "the row moves with the tick")
    assert time.monotonic() - began < within_seconds
    [(partition, press)] = await ticks_of(deployment, owner)
    assert partition == deployment.partition_of(tenant, owner)
    assert press.event.actor == Actor(client="stint", role="system")
    assert press.envelope.policy_rev >= tenant.revision
    assert await _asked(deployment, "SELECT body FROM outcome WHERE event_id = $1", press.envelope.event_id) == []


async def test_a_projector_killed_meanwhile_leaves_its_deadlines_to_the_other(
    crew: Crew, deployment: Deployment, tenant: Tenant
) -> None:
    await crew.be(projectors=2)
    owners = [fresh_owner() for _ in range(3 * deployment.partitions)]
    doomed, _ = crew.projectors
    doomed.freeze()
    await falls_due(deployment, tenant, *owners)
    doomed.kill()

    async def all_gone() -> bool:
        return not await deadlines_of(deployment, *owners)

    await eventually(all_gone, "the other projector ticks for all")
    ticked = {press.event.owner for _, press in await ticks_of(deployment, *owners) if hasattr(press.event, "owner")}
    assert ticked == set(owners)
    await drained(deployment)


async def test_a_new_policy_looks_at_whoever_runs(api: Api, deployment: Deployment, tenant: Tenant, owner: str) -> None:
    """Under the new policy a deadline may lie nearer than the row says, or there was no row."""
    timer = (await api.start(owner)).json()["id"]
    idle = fresh_owner()
    await api.press("stop", (await api.start(idle)).json()["id"])
    policy = Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")
    now = datetime.now(UTC)
    latest = await _latest_revision(deployment, tenant)
    await publish_policy(deployment.producer, tenant.name, policy, replaces=latest, set_by="tests", set_at=now)

    async def looks(one: str) -> list[int]:
        # A projector that has just taken the partitions up looks too, before there was the new policy.
        return [kpart for kpart, look in await ticks_of(deployment, one) if look.envelope.policy_rev > latest]

    async def looked_at() -> bool:
        return bool(await looks(owner))

    await eventually(looked_at, "the running owner is looked at")
    partition, *_ = await looks(owner)
    assert partition == deployment.partition_of(tenant, owner)
    assert await looks(idle) == []
    assert slot_of(tenant.name, owner) % deployment.partitions == partition
    await api.press("stop", timer)


async def test_more_ticks_than_one_batch_holds_are_on_the_log_in_order(
    deployment: Deployment, tenant: Tenant, ticks: KafkaTicks
) -> None:
    owners = [f"many-{number:04}" for number in range(1500)]
    now = datetime.now(UTC)
    await ticks.send(0, [tick_for(tenant.name, owner, now, tenant.revision) for owner in owners])
    found = await ticks_of(deployment, *owners)
    assert [press.event.owner for _, press in found if isinstance(press.event, DeadlineReached)] == owners


async def test_a_tick_that_the_log_has_after_it_expired_is_no_success(tenant: Tenant, ticks: KafkaTicks) -> None:
    """Our clock is a minute behind the broker's. The fold voids the tick, so nobody was looked at."""
    behind = datetime.now(UTC) - timedelta(minutes=1)
    with pytest.raises(TickExpiredError):
        await ticks.send(0, [tick_for(tenant.name, "nobody", behind, tenant.revision)])


async def _latest_revision(deployment: Deployment, tenant: Tenant) -> int:
    (latest,) = await _asked(deployment, "SELECT max(revision)::int FROM policy WHERE tenant = $1", tenant.name)
    return int(latest)
