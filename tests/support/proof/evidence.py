"""Evidence of a run on the real stack: its topics, as another client reads them, and its tables."""

from collections.abc import Sequence
from typing import Final

from shared.events.topics import EVENTS, OUTCOMES, POLICIES
from tests.support.proof.checkers.fence import c15_fence
from tests.support.proof.checkers.history import CheckpointMove, Evidence, Op
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
from tests.support.stack.deployments import Deployment
from tests.support.stack.logs import LogRecord, read_topic
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
_KEPT: Final = "SELECT kpart, source_offset FROM outcome"


async def evidence_of(
    deployment: Deployment, history: Sequence[Op] = (), moves: Sequence[CheckpointMove] = ()
) -> Evidence:
    """Return the evidence of all presses on the stack, once all of them are folded and published."""
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
        moves=moves,
        breaks=frozenset({UNWRITABLE}),
    )


async def problems_of(
    deployment: Deployment, history: Sequence[Op] = (), moves: Sequence[CheckpointMove] = ()
) -> list[str]:
    """Return what the checkers find wrong with that evidence."""
    evidence = await evidence_of(deployment, history, moves)
    return [problem for check in _CHECKERS for problem in check(evidence)]
