"""Recover: how a partition is taken up, whatever happened before (docs/architecture.md, the write path, step 1).

Check, catch up, check, publish. An empty database, an older dump restored, a take-over and a plain start are one path.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from services.projector.domain.entry import moment_of
from services.projector.domain.outcomes import Kept
from services.projector.ports import (
    Advance,
    Checkpoint,
    EventLog,
    FencedError,
    Helpers,
    JudgedStream,
    OutcomeLog,
    RawRecord,
    Skipped,
    Store,
)
from shared.events.envelope import tolerant
from shared.events.outcome import UnreadableOutcomeError, read_outcome

# So many outcomes take about a second here, as long as a helper needs to start.
FAR_BEHIND: Final = 10_000

_PUBLISHED_AT_ONCE: Final = 500


class LogWentBackError(Exception):
    """The log is not the one that was folded: shorter, begun later, or with another record where we stood.

    The topic was made anew, or lost its tail or its head. Nothing is folded or published until an operator has looked.
    """


async def recover(
    kpart: int, log: EventLog, outcomes: OutcomeLog, store: Store, skipped: Skipped, helpers: Helpers | None = None
) -> Checkpoint:
    """Return the checkpoint at which a partition may be read on.

    1. Check: the record before the checkpoint is the one that was folded. A crash leaves everything as it was.
    2. Catch up: project the outcomes that this database has not seen. A crash leaves a database that is further on.
       When it is far behind, helpers do most of that, and commit as we would.
    3. Check again: the log must also hold the records of those outcomes. A crash leaves what step 2 left.
    4. Publish what is committed and was not acked. A crash leaves repeats on the stream, which readers skip.
    5. Save progress. A crash before this repeats step 4; a crash after it repeats nothing.

    Begin again at step 1 after any failure. Raises LogWentBackError, NewerOutcomeError, FencedError, and whatever
    Kafka or Postgres raises while it is away.
    """
    stored = await store.checkpoint(kpart)
    await _check(stored, log)
    if helpers is not None and (await outcomes.span(kpart)).end - stored.outcomes_next >= FAR_BEHIND:
        await helpers.catch_up(kpart, skipped)
        stored = await store.checkpoint(kpart)
    caught_up = await catch_up(stored, outcomes, store, skipped)
    await _check(caught_up, log)
    at = await _publish_committed(caught_up, outcomes, store)
    # Saved at once: a quiet partition has no next commit, and its next owner would publish all of this again.
    if at != stored and not (await store.save_progress([at])).get(kpart, True):
        raise FencedError(f"no longer at {at.next_offset}")
    return at


async def _check(at: Checkpoint, log: EventLog) -> None:
    span = await log.span(at.kpart)
    if not span.begin <= at.next_offset <= span.end:
        raise LogWentBackError(f"next_offset {at.next_offset} lies outside the log's [{span.begin}, {span.end}]")
    if at.next_offset == 0:
        return
    record = None if span.begin == at.next_offset else await log.first_from(at.kpart, at.next_offset - 1)
    if record is None or record.offset != at.next_offset - 1:
        raise LogWentBackError(f"the record before next_offset {at.next_offset} is missing")
    if not _was_passed(record, at):
        raise LogWentBackError(f"the record before next_offset {at.next_offset} is not the one that was folded")


def _was_passed(record: RawRecord, at: Checkpoint) -> bool:
    if moment_of(record.timestamp) != at.last_log_time:
        return False
    # An unreadable record was passed without an event id; a later release may find one in it.
    return at.last_event_id is None or at.last_event_id == _event_id(record)


def _event_id(record: RawRecord) -> UUID | None:
    # From the header alone, which every release reads alike: a newer release may have passed this record.
    try:
        return UUID(tolerant(record.headers).get("ce_id", ""))
    except ValueError:
        return None


async def catch_up(at: Checkpoint, outcomes: JudgedStream, store: Store, skipped: Skipped) -> Checkpoint:
    """Project the outcomes that this store has not seen, up to the end of the stream. Nothing is judged again."""
    span = await outcomes.span(at.kpart)
    if not span.begin <= at.outcomes_next <= span.end:
        # The stream lost its tail or its head. A press whose outcome is missing would pass for void.
        held = f"[{span.begin}, {span.end}]"
        raise LogWentBackError(f"outcomes_next {at.outcomes_next} lies outside the judged stream's {held}")
    position = at.outcomes_next
    while position < span.end:
        records = await outcomes.read(at.kpart, position, span.end)
        # The stream has offsets without a record where a foreign transaction ended.
        position = records[-1][0] + 1 if records else span.end
        written = list(_readable(records, skipped))
        at = replace(at, published=max(at.published, _published_up_to(written, at.next_offset)))
        if fresh := _first_occurrences(written, at.next_offset):
            to = after(at, fresh[-1], position)
            await store.commit([Advance(at.next_offset, to, fresh)])
            at = to
    return replace(at, outcomes_next=position)


def _readable(records: Sequence[tuple[int, bytes | None]], skipped: Skipped) -> Iterator[Kept]:
    """Return the outcomes among records of the judged stream. Raises NewerOutcomeError."""
    for offset, body in records:
        if body is None:
            skipped(offset, "no_body")
            continue
        try:
            yield Kept(read_outcome(body), body)
        except UnreadableOutcomeError as error:
            skipped(offset, str(error))


def _published_up_to(written: Sequence[Kept], next_offset: int) -> int:
    """Return the offset below which every committed outcome is known to be on the stream.

    Outcomes are published in order, so the highest one seen proves all before it.
    """
    offsets = [one.outcome.source_offset + 1 for one in written]
    return max((offset for offset in offsets if offset <= next_offset), default=0)


def _first_occurrences(written: Sequence[Kept], next_offset: int) -> list[Kept]:
    fresh: list[Kept] = []
    for one in written:
        if one.outcome.source_offset >= next_offset:
            fresh.append(one)
            next_offset = one.outcome.source_offset + 1
    return fresh


def after(at: Checkpoint, last: Kept, outcomes_next: int) -> Checkpoint:
    """Return the checkpoint just after an outcome."""
    # A record between two outcomes was void or a repeat, and stays skipped.
    next_offset = last.outcome.source_offset + 1
    return Checkpoint(
        kpart=at.kpart,
        next_offset=next_offset,
        last_event_id=last.outcome.event_id,
        last_log_time=last.outcome.log_time,
        policy_rev=last.outcome.policy_rev,
        published=next_offset,
        outcomes_next=outcomes_next,
    )


async def _publish_committed(at: Checkpoint, outcomes: OutcomeLog, store: Store) -> Checkpoint:
    while waiting := await store.unpublished(at.kpart, at.published, _PUBLISHED_AT_ONCE):
        outcomes_next = await outcomes.publish(at.kpart, waiting)
        at = replace(at, published=waiting[-1].source_offset + 1, outcomes_next=outcomes_next)
    return at
