"""The lookup of `outcome`: what became of a press that is recorded and whose verdict did not come in time."""

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from services.command_api.desk.desk import Reads
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.submit.press import Press
from services.command_api.submit.sender import Acked
from shared.events.outcome import NewerOutcomeError, Outcome, UnreadableOutcomeError, read_outcome
from shared.events.rules import Rule

# Longer ago, the same key is a new press.
REMEMBERED: Final = timedelta(days=30)


async def look(
    reads: Reads, press: Press, partition: int, timer_id: int, policy_rev: int, acked: Acked
) -> Outcome | None:
    """Return the verdict, if it is written down by now. With Postgres away nobody knows: None, as if it were not."""
    log = structlog.get_logger()
    try:
        row = await reads.outcome(press.event.tenant, press.event_id, partition)
    except ReadsAwayError:
        return None
    log_time = datetime.fromtimestamp((acked.log_time_ms or 0) / 1000, UTC)
    if row is None or log_time - row.log_time >= REMEMBERED:
        return None
    if row.digest != press.event.digest:
        return key_reused(press, timer_id, policy_rev, acked.offset, log_time)
    try:
        return read_outcome(row.body)
    except (NewerOutcomeError, UnreadableOutcomeError):
        # Written by a newer projector. The press is recorded all the same.
        log.error("outcome_unreadable", kpart=row.kpart, source_offset=row.source_offset)  # noqa: TRY400 - no rows in logs
        return None


def key_reused(press: Press, timer_id: int, policy_rev: int, offset: int, log_time: datetime) -> Outcome:
    """Return R24 as the fold replies it: the key was used for something else."""
    event = press.event
    return Outcome(
        source_offset=offset,
        event_id=press.event_id,
        event_type=event.type,
        subject=timer_id,
        tenant=event.tenant,
        owner=None,
        actor=event.actor.told,
        dialect=event.dialect,
        digest=event.digest,
        recorded_at=press.recorded_at,
        log_time=log_time,
        asked_at=event.asked_at,
        at=min(event.asked_at or press.recorded_at, log_time),
        policy_rev=policy_rev,
        policy_revision=None,
        verdict="refused",
        rule=Rule.KEY_REUSED.value,
        reason=Rule.KEY_REUSED.reason,
    )
