"""A batch: what one poll returned for one partition, on its way from raw records to a commit and its answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final
from uuid import UUID

from services.projector.domain.entry import Entry, LoggedPress, UnreadableRecord, moment_of
from services.projector.domain.fold import Folded, Voided, fold_entry, refuse_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.ledger import Known, KnownOutcome, Ledger
from services.projector.loop.partition.partition import Partition
from services.projector.ports import Advance, Checkpoint, Look, RawRecord, ToPublish, Wanted
from shared.events.codec import Newer, Unreadable, read
from shared.events.envelope import ReplyAddress
from shared.events.outcome import outcome_key
from shared.events.policies.book import PolicyBook


@dataclass(frozen=True, slots=True)
class NewerEvent:
    """The batch ends before a record that only a newer release can read."""

    type: str
    offset: int


@dataclass(frozen=True, slots=True)
class PolicyUnseen:
    """The batch ends before a record whose policy revision we have not read yet."""

    policy_rev: int
    offset: int


@dataclass(frozen=True, slots=True)
class LateEnough:
    """The batch ends before one more backdated press, so that the other partitions get their turn."""

    offset: int


Stop = NewerEvent | PolicyUnseen | LateEnough

# Each is a read and a commit of its own (ADR 15), some 5 ms, for which all partitions of this projector wait.
LATE_AT_ONCE: Final = 4


def entries_of(
    records: Iterable[RawRecord], policies: PolicyBook, policy_rev: int, no_such_policy_at: int | None = None
) -> tuple[list[Entry], Stop | None]:
    """Return the entries up to the first record that must wait, and what that record waits for.

    Of backdated presses at most `LATE_AT_ONCE`: the next one waits for the next poll.

    A press is judged by no older revision than `policy_rev`, the highest that its partition has met. A projector that
    takes a partition over may not have read the policies up to there yet. The press at offset `no_such_policy_at` names
    a revision that was never written, so it does not wait.
    """
    entries: list[Entry] = []
    late = 0
    for record in records:
        log_time = moment_of(record.timestamp)
        match read(record.headers, record.value):
            case Newer(type=type_):
                return entries, NewerEvent(type_, record.offset)
            case Unreadable() as unreadable:
                entries.append(UnreadableRecord(record.offset, log_time, unreadable))
            case press:
                needed = max(press.envelope.policy_rev, policy_rev)
                if needed > policies.position and record.offset != no_such_policy_at:
                    return entries, PolicyUnseen(needed, record.offset)
                entry = LoggedPress(record.offset, log_time, press)
                late += entry.is_backdated
                if late > LATE_AT_ONCE:
                    return entries, LateEnough(record.offset)
                entries.append(entry)
    return entries, None


@dataclass(slots=True)
class Batch:
    """Entries of one partition, folded. Nothing of a batch is visible outside until its `advance` is committed."""

    partition: Partition
    entries: Sequence[Entry]
    verdicts: dict[UUID, KnownOutcome]
    # What was taken for news without a read, so that the commit has to check it.
    unread: Wanted | None = None
    ledger: Ledger = field(init=False)
    answers: list[tuple[Entry, Folded]] = field(init=False)
    # Where the partition stands once the last `advance` is committed. Acks that come meanwhile are not in it.
    to: Checkpoint = field(init=False)
    _generation: object = field(init=False)

    def __post_init__(self) -> None:
        self._generation = self.partition.generation

    @property
    def is_current(self) -> bool:
        """False once the partition was taken up again after this batch was made.

        Its reads are then stale: do not fold or commit it.
        """
        return self._generation is self.partition.generation

    def fold(self, policies: PolicyBook) -> "Batch":
        """Fold all entries, from the first. A second call begins again with a fresh ledger."""
        self.ledger, self.answers = self._fresh_ledger(), []
        for entry in self.entries:
            self.answers.append((entry, self._fold_one(entry, policies)))
        return self

    def fold_as_failed(self, policies: PolicyBook) -> "Batch":
        """Refuse the one press of this batch, because it could not be read or written."""
        (entry,) = self.entries
        self.ledger = self._fresh_ledger()
        self.answers = [(entry, refuse_entry(self.ledger, entry, policies))]
        return self

    def alone(self) -> Sequence["Batch"]:
        """Return each entry as a batch of its own. Commit each before the next is folded, which then knows of it."""
        return [Batch(self.partition, [entry], self.verdicts) for entry in self.entries]

    def runs(self) -> Sequence["Batch"]:
        """Return the entries in as few batches as possible: a backdated press is a batch of its own.

        Cached sheets do not reach back so far, so what such a press needs is read for that press alone.
        """
        return [
            Batch(self.partition, run, self.verdicts)
            for goes_alone, group in groupby(self.entries, _goes_alone)
            for run in ([[entry] for entry in group] if goes_alone else [list(group)])
        ]

    def advance(self) -> Advance:
        """Return what the store is to commit."""
        self.to = self._target()
        return Advance(self.partition.at.next_offset, self.to, self.kept(), self.looks(), self.unread)

    def _target(self) -> Checkpoint:
        outbox, last = self.partition.outbox, self.entries[-1]
        return Checkpoint(
            kpart=self.partition.kpart,
            next_offset=last.offset + 1,
            last_event_id=last.envelope.event_id if isinstance(last, LoggedPress) else None,
            last_log_time=last.log_time,
            policy_rev=self.ledger.policy_rev,
            published=outbox.published,
            outcomes_next=outbox.outcomes_next,
        )

    def kept(self) -> list[Kept]:
        """Return the new outcomes."""
        return [folded for _, folded in self.answers if isinstance(folded, Kept)]

    def looks(self) -> list[Look]:
        """Return the deadlines at which nothing fell due."""
        return [
            Look(entry.offset, *folded.owner, folded.due)
            for entry, folded in self.answers
            if isinstance(folded, Voided) and folded.owner is not None
        ]

    def to_publish(self) -> list[ToPublish]:
        """Return the new outcomes as they are published."""
        return [ToPublish(k.outcome.source_offset, outcome_key(k.outcome), k.body) for k in self.kept()]

    def replies(self) -> list[tuple[ReplyAddress | None, bytes]]:
        """Return every answer with the address of the request that waits, None where none does."""
        answers = [(e.envelope.reply, folded.body) for e, folded in self.answers if isinstance(e, LoggedPress)]
        # Without a reply the API looks the row up itself, and answers that it is damaged.
        return [(reply, body) for reply, body in answers if body]

    @staticmethod
    def is_waited_for(entry: Entry) -> bool:
        """Return whether a request waits for the answer."""
        return isinstance(entry, LoggedPress) and entry.envelope.reply is not None

    def _fresh_ledger(self) -> Ledger:
        cache = self.partition.cache
        known = Known(cache.sheets, cache.owner_of, self.verdicts, self.partition.at.policy_rev)
        return Ledger(self.partition.kpart, self.partition.partitions, known)

    def _fold_one(self, entry: Entry, policies: PolicyBook) -> Folded:
        try:
            return fold_entry(self.ledger, entry, policies)
        except Exception:  # noqa: BLE001 - one press on which a rule fails must not stop the presses behind it
            return self._fold_again(entry, policies)

    def _fold_again(self, entry: Entry, policies: PolicyBook) -> Folded:
        try:
            return fold_entry(self.ledger, entry, policies)
        except Exception:
            self.partition.log.exception("press_failed", offset=entry.offset)
            return refuse_entry(self.ledger, entry, policies)


def _goes_alone(entry: Entry) -> bool:
    return isinstance(entry, LoggedPress) and entry.is_backdated
