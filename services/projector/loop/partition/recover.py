"""Recover: how a partition is taken up, whatever happened before (docs/architecture.md, the write path, step 1).

Check, catch up, check, publish. An empty database, an older dump restored, a take-over and a plain start are one path.

    events           0 ......... published ......... next_offset ......... end
                       on the stream |    committed,      |    to be judged
                                     | not known as acked |
    judged stream    0 ......... outcomes_next ......... end
                      known to this database |  not seen by this database

    CHECKED ---> CAUGHT UP ---> CHECKED ---> PUBLISHED ---> SAVED: the partition may be read on from next_offset
       |             |             |
       |             |             +--- a record of those outcomes is missing ---> LogWentBackError
       |             +--- the stream is shorter than outcomes_next --------------> LogWentBackError
       |             +--- the outcome before outcomes_next is of a later press --> LogWentBackError
       |             +--- written by a newer release ----------------------------> NewerOutcomeError
       +--- the record before next_offset is missing, or another one ------------> LogWentBackError

Each commit and the last step may raise FencedError: another projector has moved the checkpoint. After any error all
begins anew from what is stored, so nothing of a failed try is remembered.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol
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
    ToPublish,
)
from shared.events.envelope import tolerant
from shared.events.outcome import NewerOutcomeError, Outcome, UnreadableOutcomeError, read_outcome

# So many outcomes take this process about a second. For fewer, starting helpers is not worth it.
FAR_BEHIND: Final = 10_000

_PUBLISHED_AT_ONCE: Final = 500


class LogWentBackError(Exception):
    """A log is not the one that was folded: shorter, begun later, or with another record where we stood.

    A topic was made anew, or lost its tail or its head. Nothing is folded or published until an operator has looked.
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

    Begin again at step 1 after any failure. Raises LogWentBackError, NewerOutcomeError, ClockOffError, FencedError, and
    whatever Kafka or Postgres raises while it is away.
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


class Piece(Protocol):
    """One piece of the stream on its way into a store: outcomes of one partition, each once."""

    def add(self, one: Kept) -> None:
        """Add the next outcome."""

    async def commit(self, read_at: int, to: Checkpoint) -> None:
        """Write what was added, and move the checkpoint. Raises what `Store.commit` raises."""


class _Listed:
    """A piece that is a list of outcomes, for any store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._outcomes: list[Kept] = []

    def add(self, one: Kept) -> None:
        """Add the next outcome."""
        self._outcomes.append(one)

    async def commit(self, read_at: int, to: Checkpoint) -> None:
        """Write what was added, and move the checkpoint."""
        await self._store.commit([Advance(read_at, to, self._outcomes)])


async def catch_up(
    at: Checkpoint,
    outcomes: JudgedStream,
    store: Store,
    skipped: Skipped,
    read: Callable[[bytes], Outcome] = read_outcome,
    gather: Callable[[int], Piece] | None = None,
) -> Checkpoint:
    """Project the outcomes that this store has not seen, up to the end of the stream. Nothing is judged again.

    `gather` begins a piece of a partition; None: a list of outcomes, which every store takes.
    """
    span = await outcomes.span(at.kpart)
    if not span.begin <= at.outcomes_next <= span.end:
        # The stream lost its tail or its head. A press whose outcome is missing would pass for void.
        held = f"[{span.begin}, {span.end}]"
        raise LogWentBackError(f"outcomes_next {at.outcomes_next} lies outside the judged stream's {held}")
    if at.outcomes_next > span.begin:
        await _check_stream(at, outcomes)
    position = at.outcomes_next
    while position < span.end:
        records = await outcomes.read(at.kpart, position, span.end)
        # The stream has offsets without a record where a foreign transaction ended.
        position = records[-1][0] + 1 if records else span.end
        piece, last = _Listed(store) if gather is None else gather(at.kpart), None
        next_offset, published = at.next_offset, at.published
        for one in _readable(records, skipped, read):
            passed = one.outcome.source_offset + 1
            if _is_first(one, next_offset):
                piece.add(one)
                next_offset, last = passed, one
            else:  # committed before. Outcomes are published in order, so all before it are published too.
                published = max(published, passed)
        if last is None:
            at = replace(at, published=published)
        else:
            to = after(at, last, position)
            await piece.commit(at.next_offset, to)
            at = to
    return replace(at, outcomes_next=position)


async def _check_stream(at: Checkpoint, outcomes: JudgedStream) -> None:
    """Compare the outcome before `outcomes_next` with what is known to be published."""
    # A stream that was made anew already holds the batch whose ack showed that, and may be as long as the old one.
    # Nothing on such a stream counts as published.
    for _, body in await outcomes.read(at.kpart, at.outcomes_next - 1, at.outcomes_next):
        try:
            found = None if body is None else read_outcome(body)
        except (UnreadableOutcomeError, NewerOutcomeError):
            continue  # there is nothing to compare
        if found is not None and found.source_offset >= at.published:
            raise LogWentBackError(
                f"the outcome before outcomes_next {at.outcomes_next} is that of record {found.source_offset}, "
                f"and only those below {at.published} are published"
            )


def _readable(
    records: Sequence[tuple[int, bytes | None]], skipped: Skipped, read: Callable[[bytes], Outcome]
) -> Iterator[Kept]:
    """Return the outcomes among records of the judged stream. Raises NewerOutcomeError."""
    for offset, body in records:
        if body is None:
            skipped(offset, "no_body")
            continue
        try:
            yield Kept(read(body), body)
        except NewerOutcomeError:
            raise NewerOutcomeError(
                f"a newer release wrote the outcome at offset {offset} of the judged stream: upgrade this process"
            ) from None
        except UnreadableOutcomeError as error:
            skipped(offset, str(error))


def _is_first(one: Kept, next_offset: int) -> bool:
    """Return whether an outcome occurs for the first time. A publish of unknown fate is repeated, with its outcomes."""
    return one.outcome.source_offset >= next_offset


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
        outcomes_next = await append(at.kpart, outcomes, waiting, at.outcomes_next)
        at = replace(at, published=waiting[-1].source_offset + 1, outcomes_next=outcomes_next)
    return at


async def append(kpart: int, outcomes: OutcomeLog, batch: Sequence[ToPublish], known_to: int) -> int:
    """Publish a batch behind a stream that is known up to offset `known_to`, and return the offset after the batch.

    Raises LogWentBackError when the batch lies before that, and what `OutcomeLog.publish` raises.
    """
    end = await outcomes.publish(kpart, batch)
    # Repeats, gaps and the batches of other projectors only move the end further on.
    if end < known_to + len(batch):
        raise LogWentBackError(f"{len(batch)} outcomes behind offset {known_to} of the judged stream ended at {end}")
    return end
