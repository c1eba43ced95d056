"""A burst of commands on Kafka while processes are killed with -9: none is lost, left unanswered or counted twice."""

import asyncio
from collections import Counter
from typing import Final

import pytest

from shared.events.codec import Press
from shared.events.idempotency import keyed_event_id
from shared.events.topics import EVENTS
from tests.support.stack.api import Api
from tests.support.stack.crew import Crew
from tests.support.stack.deployments import Deployment, Tenant, fresh_owner
from tests.support.stack.logs import read_topic
from tests.support.stack.other_service import OtherService, other_service
from tests.support.stack.waits import drained

pytestmark = pytest.mark.fault

OWNERS: Final = 100
# After the start, whose answer names the timer.
VERBS: Final = ("pause", "resume") * 9 + ("pause", "stop")
KILLED_AFTER: Final = (300, 900)
ANSWERED_WITHIN_SECONDS: Final = 60.0


async def _started(service: OtherService) -> dict[str, int]:
    owners = [fresh_owner() for _ in range(OWNERS)]
    await asyncio.gather(*(service.press("start", f"{owner}-start", key=owner, owner=owner) for owner in owners))
    heard = await service.heard([f"{owner}-start" for owner in owners])
    return {owner: heard[f"{owner}-start"].timer.id for owner in owners}  # type: ignore[union-attr] # it was accepted


@pytest.mark.parametrize("kind", ["apis", "projectors"])
async def test_no_command_of_a_burst_is_lost_when_its_api_is_killed(
    api: Api, crew: Crew, deployment: Deployment, tenant: Tenant, kind: str
) -> None:
    """2,000 commands: twenty for each of a hundred timers, in their order. The same when the projector is killed."""
    [service] = getattr(crew, kind)
    assert api.token == tenant.token
    async with other_service(deployment, tenant) as waiting:
        timers = await _started(waiting)
        ids = {f"{owner}-{number}": timers[owner] for owner in timers for number in range(len(VERBS))}
        sending = [
            waiting.press(verb, f"{owner}-{number}", key=owner, timer_id=timer)
            for number, verb in enumerate(VERBS)
            for owner, timer in timers.items()
        ]
        burst = asyncio.gather(*sending)
        for kill_after in KILLED_AFTER:
            while sum(map(len, waiting.answers.values())) < OWNERS + kill_after:
                await waiting.listen()
            service.kill()
            service.launch()
        await burst
        heard = await waiting.heard(ids, ANSWERED_WITHIN_SECONDS)
        again = sum(len(answers) > 1 for answers in waiting.answers.values())
    # In order, or a press would have been refused in its state.
    assert Counter(outcome.verdict for outcome in heard.values()) == {"accepted": len(ids)}
    assert {str(outcome.event_id) for outcome in heard.values()} == {
        str(keyed_event_id(tenant.name, tenant.client, "timer", str(timer), ce_id)) for ce_id, timer in ids.items()
    }
    assert all(outcome == answers[0] for answers in waiting.answers.values() for outcome in answers)
    await service.ready()
    await drained(deployment)
    presses = [record.press() for record in await read_topic(deployment.kafka, EVENTS)]
    logged = Counter(
        press.envelope.subject for press in presses if isinstance(press, Press) and press.event.dialect == "kafka"
    )
    assert again > 0 or any(logged[timer] > 1 + len(VERBS) for timer in timers.values()), (
        "control: nothing was repeated"
    )
    async with deployment.pool.acquire() as conn:
        states = await conn.fetch(
            "SELECT state, count(*) FROM timer WHERE owner = ANY($1) GROUP BY state", list(timers)
        )
        intervals = await conn.fetchval("SELECT count(*) FROM interval WHERE timer_id = ANY($1)", list(timers.values()))
    assert [tuple(row) for row in states] == [("STOPPED", OWNERS)]
    assert intervals == OWNERS * 10


async def test_without_its_guard_the_burst_loses_commands(
    api: Api, crew: Crew, deployment: Deployment, tenant: Tenant
) -> None:
    """The control: this API commits a round before it is settled."""
    assert api.token == tenant.token
    await crew.be(apis=0, projectors=1)
    hasty = await crew.api(module="tests.faults.hasty_api")
    async with other_service(deployment, tenant) as waiting:
        owners = [fresh_owner() for _ in range(OWNERS * 10)]
        burst = asyncio.gather(*(waiting.press("start", owner, key=owner, owner=owner) for owner in owners))
        while not waiting.answers:
            await waiting.listen()
        hasty.kill()
        await burst
        await crew.be(apis=1, projectors=1)
        # One key for each partition: all that lies before these is read by then, and settled with the round before.
        markers = [[f"marker-{turn}-{number}" for number in range(200)] for turn in range(2)]
        for marked in markers:
            await asyncio.gather(*(waiting.press("start", name, key=name, owner=fresh_owner()) for name in marked))
            await waiting.heard(marked)
        lost = [owner for owner in owners if owner not in waiting.answers]
    assert lost
