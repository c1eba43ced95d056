"""Ports: what the loop and the clock need from outside, in their own words.

In production the ports lead to Kafka and Postgres, in `tests/world` to a seeded world. The loop is the same.

`kpart` is a partition's number, as in the tables. A `Partition` (`loop/partition/partition.py`) is the object: one
partition as its writer holds it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Protocol
from uuid import UUID

from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.ledger import KnownOutcome, OwnerKey
from services.projector.domain.sheet.state import Timesheet
from shared.events.envelope import Headers

# A day after all that matter: no day is wanted. (`date.max` is "infinity" in Postgres.)
NO_DAY: Final = date(9999, 1, 1)


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
        """Read no further in a partition until `read_from`. Does nothing when the partition is not ours."""

    def read_from(self, kpart: int, offset: int) -> None:
        """Read a partition from this offset on. Does nothing when the partition is not ours."""

    async def span(self, kpart: int) -> Span:
        """Return which offsets the partition holds now."""

    async def first_from(self, kpart: int, offset: int) -> RawRecord | None:
        """Return the first record at or after an offset; None: the log holds none there.

        Offsets have gaps: a transaction ends with a control record, which the broker hands to no reader.
        """


# Called with the offset of a record on the judged stream that is no outcome, and the reason.
Skipped = Callable[[int, str], None]


class JudgedStream(Protocol):
    """`timer.outcomes.v1`, read."""

    async def span(self, kpart: int) -> Span:
        """Return which offsets the partition holds now."""

    async def read(self, kpart: int, start: int, end: int) -> Sequence[tuple[int, bytes | None]]:
        """Return some of the records in [start, end), in order with their offsets. A value may be None.

        Empty only when there is no record there.
        """


class OutcomeLog(JudgedStream, Protocol):
    """`timer.outcomes.v1`: the judged stream, read and appended to."""

    async def publish(self, kpart: int, outcomes: "Sequence[ToPublish]") -> int:
        """Append in this order, wait for the ack of all, and return the offset after the last.

        Raises when the fate of any is unknown: some may be on the stream. Publish the same ones again before others.
        """


@dataclass(frozen=True, slots=True)
class ToPublish:
    """A committed outcome on its way to the judged stream."""

    source_offset: int
    key: bytes | None
    body: bytes


class Helpers(Protocol):
    """Processes beside this one that catch up a database which is far behind."""

    async def catch_up(self, kpart: int, skipped: Skipped) -> None:
        """Bring a partition of the store nearer to the end of its judged stream. Its checkpoint says how far it came.

        Returns also when a helper has failed. The caller does the rest.
        """


class Replies(Protocol):
    """`timer.replies.v1`: verdicts for the requests that wait."""

    def send(self, topic: str, partition: int, answers: Sequence[tuple[str, bytes]]) -> None:
        """Send one record to one API process: request ids with their outcomes. Returns at once; it may get lost."""


class PolicyProgress(Protocol):
    """How far the policies have been read. The book itself is a `PolicyBook`."""

    async def reach(self, policy_rev: int, seconds: float) -> bool:
        """Wait until the revision is applied, at most `seconds`; return whether it is."""

    async def end(self) -> int:
        """Return where the policies' topic ends now: the offset of its next record. Raises while the broker is away."""


class Clock(Protocol):
    """The only clock of the loop: how long it has waited. The fold never sees it."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a partition's fold stands: every record below `next_offset` is folded, and committed.

    `last_event_id` and `last_log_time` are those of the record just before, whatever its verdict. Outcomes of records
    below `published` are on the judged stream. The stream is read on from `outcomes_next`.
    """

    kpart: int
    next_offset: int = 0
    last_event_id: UUID | None = None
    last_log_time: datetime | None = None
    policy_rev: int = -1
    published: int = 0
    outcomes_next: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """A tick at which nothing fell due. There is no outcome of it, and the owner's deadline moves all the same.

    `due_at` is the owner's next deadline after it, None when there is none.
    """

    source_offset: int
    tenant: str
    owner: str
    due_at: datetime | None


@dataclass(slots=True)
class Wanted:
    """What a batch touches and the caches lack.

    Owners and timers come with the moment back to which the owner's closed intervals are wanted. An overlap is wanted
    by slot, tenant, owner (None: the timer's), timer and moment. It is the interval that begins first, of all intervals
    of other timers that end after that moment and after the timer's last event. What is known of local days is wanted
    from `days_since` on, and from two days before the owner's first interval that runs. Jobs are wanted by slot,
    tenant, owner and job, and those of all timers that are found.
    """

    events: list[tuple[int, UUID]] = field(default_factory=list)
    timers: dict[tuple[int, int], datetime] = field(default_factory=dict)
    owners: dict[tuple[int, str, str], datetime] = field(default_factory=dict)
    overlaps: list[tuple[int, str | None, str | None, int, datetime]] = field(default_factory=list)
    # Those of `timers` whose ids a start drew. Such a timer hardly ever exists.
    drawn: set[tuple[int, int]] = field(default_factory=set)
    days_since: date = NO_DAY
    # A dict keeps its order; a set of text has another order in each process.
    jobs: dict[tuple[int, str, str, str], None] = field(default_factory=dict)

    @property
    def is_news(self) -> bool:
        """Return whether nothing is wanted but what is new: events that have no verdict yet, and ids just drawn."""
        return not self.owners and not self.overlaps and not self.jobs and self.timers.keys() <= self.drawn


@dataclass(frozen=True, slots=True)
class Advance:
    """One partition's part of a commit: from where the fold stood to where it stands, with all that it changed.

    `unread` is what the fold took for news without a read: see `Wanted.is_news`. The commit checks it.
    """

    read_at: int
    to: Checkpoint
    outcomes: Sequence[Kept]
    looks: Sequence[Look] = ()
    unread: Wanted | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the store knows of what was wanted: sheets by owner, verdicts by partition and event id."""

    sheets: dict[OwnerKey, Timesheet]
    verdicts: dict[tuple[int, UUID], KnownOutcome]


@dataclass(frozen=True, slots=True, order=True)
class DueOwner:
    """An owner for whom something falls due: a row of `deadline`. Ordered as the rows of one partition are read."""

    due_at: datetime
    tenant: str
    owner: str
    kpart: int


@dataclass(frozen=True, slots=True, order=True)
class RunningOwner:
    """An owner with a running timer. Ordered as the owners of one partition are read."""

    slot: int
    tenant: str
    owner: str


class Deadlines(Protocol):
    """The table `deadline` as the clock reads it, and how far the clock has come with new policies.

    Rows of `deadline` are written by commits alone. Raises whatever the store raises while it is away.
    """

    async def due(
        self, after: Mapping[int, DueOwner | None], now: datetime, limit: int
    ) -> Mapping[int, Sequence[DueOwner]]:
        """Return for each partition what is due at `now`, oldest first: at most `limit` after the owner given.

        None: from the first. A partition without any is left out.
        """

    async def running(
        self, kpart: int, tenants: Sequence[str], after: RunningOwner | None, limit: int
    ) -> Sequence[RunningOwner]:
        """Return, in order, at most `limit` owners of these tenants with a running timer, after the owner given."""

    async def looked(self, kparts: Sequence[int]) -> Mapping[int, int]:
        """Return for each partition the revision under which every running owner was looked at; -1: under none."""

    async def save_looked(self, kpart: int, revision: int) -> None:
        """Write down that every running owner of a partition was looked at under `revision`. It never goes back."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A `deadline.reached`, ready to be sent: "look at this owner now". Recorded after `expires_at` it is void."""

    key: bytes
    headers: Headers
    value: bytes
    expires_at: datetime


class TickExpiredError(Exception):
    """The log has a tick after it expired, so it is void: the broker is slow, or the clocks disagree."""


class Ticks(Protocol):
    """`timer.events.v1`, as the clock writes to it."""

    async def send(self, kpart: int, ticks: Sequence[Tick]) -> None:
        """Append to a partition, and wait for the acks. Raises TickExpiredError, or trouble: the fate is unknown."""


class FencedError(Exception):
    """The compare-and-set failed: a checkpoint has moved since we read it, so another projector owns the partition."""


class ClockOffError(Exception):
    """Kafka refuses the time that this process writes on its records. The message says which clock to look at."""


class KnownError(Exception):
    """The store knows something that was taken for news. Nothing was written: read it, and fold again."""


class BusyError(Exception):
    """Another session holds a partition's row for longer than we wait. Nothing was written."""


class ReadRefusedError(Exception):
    """The data of a press cannot be looked up (SQLSTATE class 22). A retry will not help."""


class WriteRefusedError(Exception):
    """The data of a press cannot be written (SQLSTATE class 22 or 23). A retry will not help."""


class Store(Protocol):
    """Checkpoints, outcomes and read models, in one place and one transaction."""

    async def checkpoint(self, kpart: int) -> Checkpoint:
        """Return where a partition stands."""

    async def read(self, wanted: Wanted) -> Found:
        """Return what is known of what a batch touches, in one read. Raises ReadRefusedError, or trouble."""

    async def commit(self, advances: Sequence[Advance]) -> None:
        """Write all of it in one transaction, or nothing. It begins with the compare-and-set of checkpoints.

        Raises BusyError, FencedError, KnownError or WriteRefusedError: nothing was written. After any other error the
        fate of the commit is unknown.
        """

    async def unpublished(self, kpart: int, published: int, limit: int) -> Sequence[ToPublish]:
        """Return committed outcomes of records from `published` on, in order."""

    async def save_progress(self, ats: Sequence[Checkpoint]) -> Mapping[int, bool]:
        """Write down how far outcomes are published. Return for each partition whether it stands where `ats` says.

        A partition that another transaction holds at this moment is left out. Never waits for a lock.
        """

    async def prune(self, kpart: int) -> bool:
        """Delete some published outcomes that lie 31 days behind the partition's newest record, and behind today.

        Return whether there may be more. Deletes little at a time, because the fold shares the store.
        """
