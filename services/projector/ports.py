"""Ports: what the projector's loop needs of the world, in its own words.

In production they are Kafka and Postgres; in tests/world they are a seeded world. The loop is the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.projector.domain.ledger import KnownOutcome, OwnerKey
from services.projector.domain.outcomes import Kept
from services.projector.domain.state import Timesheet
from shared.events.envelope import Headers


class RawRecord(Protocol):
    """A record as a broker hands it out. `timestamp` is its log time, in milliseconds since 1970."""

    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def headers(self) -> Headers: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Span:
    """Which offsets a partition holds: [begin, end)."""

    begin: int
    end: int


class EventLog(Protocol):
    """`timer.events.v1`, as one member of the projectors' group reads it."""

    async def poll(self) -> dict[int, Sequence[RawRecord]]:
        """Return what has come for the partitions that are read, at most a batch; after a short wait, nothing."""

    def hold(self, kpart: int) -> None:
        """Read no further in a partition until `read_from`. Nothing happens when it is not ours."""

    def read_from(self, kpart: int, offset: int) -> None:
        """Read a partition from this offset on. Nothing happens when it is not ours."""

    async def span(self, kpart: int) -> Span:
        """Return which offsets the partition holds now."""

    async def first_from(self, kpart: int, offset: int) -> RawRecord | None:
        """Return the first record at or after an offset; None: the log holds none there.

        Offsets have gaps: where a transaction ended, a control record lies that no reader is given.
        """


class OutcomeLog(Protocol):
    """`timer.outcomes.v1`: the judged stream."""

    async def span(self, kpart: int) -> Span:
        """Return which offsets the partition holds now."""

    async def read(self, kpart: int, start: int, end: int) -> Sequence[tuple[int, bytes | None]]:
        """Return some of the records in [start, end), in order with their offsets, at least one while there is one.

        Empty: there is none there. A value may be None.
        """

    async def publish(self, kpart: int, outcomes: "Sequence[ToPublish]") -> int:
        """Append in this order, wait for the ack of all, and return the offset after the last.

        Raises when the fate of any is unknown: some may be there, and none is to be overtaken.
        """


@dataclass(frozen=True, slots=True)
class ToPublish:
    """A committed outcome on its way to the judged stream."""

    source_offset: int
    key: bytes | None
    body: bytes


class Replies(Protocol):
    """`timer.replies.v1`: verdicts for whoever waits."""

    def send(self, topic: str, partition: int, answers: Sequence[tuple[str, bytes]]) -> None:
        """Send one record to one API process: request ids with their outcomes. Returns at once; may be lost."""


class PolicyProgress(Protocol):
    """How far the policies have been read (the book itself is `shared.events.policy_book.PolicyBook`)."""

    async def reach(self, policy_rev: int, seconds: float) -> bool:
        """Wait until the revision is applied, at most so long; say whether it is."""

    async def end(self) -> int:
        """Return where the topic of policies ends now: the offset that its next record gets.

        Raises while the broker is away.
        """


class Clock(Protocol):
    """The only time that the loop knows: how long it has waited. Nothing of it reaches the fold."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a partition's fold stands: every record below `next_offset` is folded, and committed.

    `last_event_id` and `last_log_time` are those of the record before it, whatever became of it. Outcomes of records
    below `published` are on the judged stream, which is read on from `outcomes_next`.
    """

    kpart: int
    next_offset: int = 0
    last_event_id: UUID | None = None
    last_log_time: datetime | None = None
    policy_rev: int = -1
    published: int = 0
    outcomes_next: int = 0


@dataclass(frozen=True, slots=True)
class Advance:
    """One partition's part of a commit: from where the fold stood to where it stands, with all that came of it."""

    read_at: int
    to: Checkpoint
    outcomes: Sequence[Kept]


@dataclass(slots=True)
class Wanted:
    """What a batch touches and the caches lack.

    Owners and timers come with the moment back to which the owner's closed intervals are asked for. An overlap is asked
    for by slot, tenant, owner (None: the timer's), timer and moment: of all intervals of other timers that end after
    that moment, and after the timer's last event, the one that begins first.
    """

    events: list[tuple[int, UUID]] = field(default_factory=list)
    timers: dict[tuple[int, int], datetime] = field(default_factory=dict)
    owners: dict[tuple[int, str, str], datetime] = field(default_factory=dict)
    overlaps: list[tuple[int, str | None, str | None, int, datetime]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """What the store knows of what was wanted: sheets by owner, verdicts by partition and event id."""

    sheets: dict[OwnerKey, Timesheet]
    verdicts: dict[tuple[int, UUID], KnownOutcome]


class FencedError(Exception):
    """The compare-and-set failed: a partition is no longer where we read it, so somebody else owns it now."""


class BusyError(Exception):
    """Somebody holds a partition's row for longer than we wait. Nothing was written."""


class ReadRefusedError(Exception):
    """The store cannot look for what is wanted, for its data (SQLSTATE class 22): trying again will not help."""


class WriteRefusedError(Exception):
    """The store refuses what is to be written for its data (SQLSTATE class 22 or 23): trying again will not help."""


class Store(Protocol):
    """Checkpoints, outcomes and read models, in one place and one transaction."""

    async def checkpoint(self, kpart: int) -> Checkpoint:
        """Return where a partition stands."""

    async def read(self, wanted: Wanted) -> Found:
        """Return what is known of what a batch touches, in one read. Raises ReadRefusedError, or trouble."""

    async def commit(self, advances: Sequence[Advance]) -> None:
        """Write all of it in one transaction whose first act is the compare-and-set of every checkpoint, or nothing.

        Raises BusyError, FencedError or WriteRefusedError, or whatever else went wrong; then its fate is unknown.
        """

    async def unpublished(self, kpart: int, published: int, limit: int) -> Sequence[ToPublish]:
        """Return committed outcomes of records from `published` on, in order."""

    async def save_progress(self, ats: Sequence[Checkpoint]) -> Mapping[int, bool]:
        """Write down how far outcomes are published, and say of each partition whether it stands where `ats` says.

        A partition that another transaction holds at this moment is left out. Never waits for a lock.
        """

    async def prune(self, kpart: int) -> bool:
        """Delete some published outcomes that lie 31 days behind the partition's newest record, and behind today.

        Say whether there may be others. Never more than a bite: the fold shares the store.
        """
