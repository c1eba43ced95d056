"""Policy rows: the policies that came into force, in Postgres for whoever asks which rules judged a press."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from services.projector.store.queries import query
from shared.events.policy import PolicyRecord


@dataclass(frozen=True, slots=True)
class InForce:
    """One record that came into force: its offset, its tenant, what it says."""

    revision: int
    tenant: str
    record: PolicyRecord


async def keep_policies(conn: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy, kept: Sequence[InForce]) -> None:
    """Write policies down. Again, by whichever projector, changes nothing."""
    if not kept:
        return
    await conn.execute(
        query("keep_policies"),
        [policy.revision for policy in kept],
        [policy.tenant for policy in kept],
        [policy.record.replaces for policy in kept],
        [policy.record.set_by for policy in kept],
        [policy.record.set_at for policy in kept],
        # As the tenant wrote it: what it left out is the preset's, and the preset may learn.
        [policy.record.document.model_dump_json(by_alias=True, exclude_unset=True) for policy in kept],
    )
