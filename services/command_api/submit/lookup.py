"""The lookup of an outcome: what became of a press whose verdict did not come in time, or that was made before."""

from datetime import UTC, datetime
from typing import assert_never

import structlog

from services.command_api.desk.desk import Reads
from services.command_api.desk.rows import OutcomeRow, ReadsAwayError
from services.command_api.submit.press import OutgoingPress
from services.command_api.submit.sender import Acked
from shared.events.idempotency import Use, key_reused, recall
from shared.events.outcome import NewerOutcomeError, Outcome, UnreadableOutcomeError, read_outcome


async def look(
    reads: Reads, press: OutgoingPress, partition: int, timer_id: int | None, policy_rev: int, acked: Acked
) -> Outcome | None:
    """Return the outcome, None when it is not written yet, or Postgres is away."""
    try:
        row = await reads.outcome(press.event.tenant, press.event_id, partition)
    except ReadsAwayError:
        return None
    if row is None or row.unread is not None:
        return None  # why it cannot be read was logged
    if row.digest is None:
        # The body of a newer projector. What was asked stands in it, so no key is called reused because of it.
        return _read(row)
    log_time = datetime.fromtimestamp((acked.log_time_ms or 0) / 1000, UTC)
    match recall(Use(row.digest, row.log_time), Use(press.event.digest, log_time)):
        case "known":
            return _read(row)
        case "reused":
            return key_reused(press.envelope(timer_id, policy_rev), press.event, acked.offset, log_time, policy_rev)
        case "forgotten":
            return None
        case recalled:
            assert_never(recalled)


async def repeated(reads: Reads, press: OutgoingPress, partition: int) -> Outcome | None:
    """Return the outcome of the same press under its key, None when none is written down.

    Raises ReadsAwayError, also when its row cannot be read: there is an answer, and we do not know it.
    """
    row = await reads.outcome(press.event.tenant, press.event_id, partition)
    if row is not None and row.unread is not None:
        raise ReadsAwayError
    if row is None or row.digest is None:
        return None
    again = Use(press.event.digest, press.recorded_at)
    return _read(row) if recall(Use(row.digest, row.log_time), again) == "known" else None


def _read(row: OutcomeRow) -> Outcome | None:
    try:
        return read_outcome(row.body)
    except (NewerOutcomeError, UnreadableOutcomeError):
        # A newer projector wrote the outcome. The press is recorded all the same.
        log = structlog.get_logger()
        log.error("outcome_unreadable", reason="newer", kpart=row.kpart, source_offset=row.source_offset)  # noqa: TRY400 - no rows in logs
        return None
