"""Evidence of a run on the real stack: its topics, as another client reads them, and its tables."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from shared.events.topics import EVENTS, OUTCOMES, POLICIES
from tests.support.proof.checkers.fence import c15_fence
from tests.support.proof.checkers.history import Evidence, Op
from tests.support.proof.checkers.presses import (
    c1_nothing_acknowledged_is_lost,
    c2_exactly_once_in_effect,
    c4_an_unknown_resolves_once,
    c5_order,
    c10_answers_are_final,
)
from tests.support.proof.checkers.replay import c7_audit
from tests.support.proof.checkers.tables import c6_read_model_is_fold_of_log, c8_time, c9_state_machine, c16_poison
from tests.support.proof.tables import dump
from tests.support.proof.trail import Trail
from tests.support.stack.deployments import Deployment
from tests.support.stack.logs import LogRecord, end_offsets, read_topic
from tests.support.stack.until import eventually
from tests.support.stack.waits import drained

# Presses of this client are those that Postgres refuses for their data.
UNWRITABLE: Final = "unwritable"

# All but C3: other tests press on the same stack, and one history does not have their presses.
_CHECKERS: Final = (
    c1_nothing_acknowledged_is_lost,
    c2_exactly_once_in_effect,
    c4_an_unknown_resolves_once,
    c5_order,
    c6_read_model_is_fold_of_log,
    c7_audit,
    c8_time,
    c9_state_machine,
    c10_answers_are_final,
    c15_fence,
    c16_poison,
)
_AT_REST_WITHIN_SECONDS: Final = 60.0

_T = TypeVar("_T")

_KEPT: Final = "SELECT kpart, source_offset FROM outcome"


async def at_rest(deployment: Deployment, look: Callable[[], Awaitable[_T]]) -> _T:
    """Return what `look` found while no record came to the log. The deadline clock may write one at any time."""
    async with asyncio.timeout(_AT_REST_WITHIN_SECONDS):
        while True:
            ends = await end_offsets(deployment.kafka, EVENTS)
            found = await look()
            if await end_offsets(deployment.kafka, EVENTS) == ends:
                return found


async def evidence_of(deployment: Deployment, history: Sequence[Op] = (), trail: Trail | None = None) -> Evidence:
    """Return the evidence of all presses on the stack, once all of them are folded and published."""
    return await at_rest(deployment, lambda: _evidence_now(deployment, history, trail))


async def _evidence_now(deployment: Deployment, history: Sequence[Op], trail: Trail | None) -> Evidence:
    await drained(deployment)
    outcomes: list[LogRecord] = []
    kept = {(row["kpart"], row["source_offset"]) for row in await deployment.pool.fetch(_KEPT)}

    async def published() -> bool:
        outcomes[:] = await read_topic(deployment.kafka, OUTCOMES)
        judged = Evidence(deployment.partitions, (), (), outcomes, (), {}).judged
        return kept <= {(kpart, outcome["source_offset"]) for kpart, outcome, _ in judged}

    await eventually(published, "all that was judged is published")
    return Evidence(
        partitions=deployment.partitions,
        history=history,
        events=await read_topic(deployment.kafka, EVENTS),
        outcomes=outcomes,
        policies=await read_topic(deployment.kafka, POLICIES),
        tables=await dump(deployment.dsn),
        moves=() if trail is None else await trail.moves(),
        breaks=frozenset({UNWRITABLE}),
    )


async def problems_of(deployment: Deployment, history: Sequence[Op] = (), trail: Trail | None = None) -> list[str]:
    """Return what the checkers find wrong with that evidence."""
    evidence = await evidence_of(deployment, history, trail)
    return [problem for check in _CHECKERS for problem in check(evidence)]
