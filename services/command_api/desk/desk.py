"""The desk: what the core of the API offers to a dialect. A dialect translates, and knows nothing behind these ports.

Safe to change: a new question that a dialect may ask.
Never: words, statuses or shapes of answers in here; they are the dialects'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol
from uuid import UUID

from services.command_api.desk.commands import Answer, Asked, Caller, Dialect
from services.command_api.desk.policies import PolicyLog
from services.command_api.desk.questions import TimerFilter, TimerKey, ViolationFilter, ViolationKey
from services.command_api.desk.rows import (
    DaysRow,
    HistoryRow,
    OpenTimer,
    OutcomeRow,
    OwnerRow,
    Person,
    RunningTimer,
    TimerRow,
    TimersFound,
    ViolationRow,
)
from services.command_api.desk.tally import Tally
from shared.events.policy import Policy
from shared.process.clock import Now


@dataclass(frozen=True, slots=True)
class Unknown:
    """The token is missing, unknown or expired (R01)."""


@dataclass(frozen=True, slots=True)
class Away:
    """The token is not remembered and Postgres is away, so its caller is not known: 503, never 401."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Too many clients ask for tokens at this moment: 503. Says nothing about the id or the secret."""

    retry_after_seconds: int = 1


@dataclass(frozen=True, slots=True)
class OverThreshold:
    """The caller has made too many requests, and may make none for this long (R19)."""

    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A signed token for a client of a tenant, and how long the token is good."""

    access_token: str
    expires_in_seconds: int


class Identities(Protocol):
    """Which caller a token stands for."""

    async def caller_of(self, authorization: str | None) -> Caller | Unknown | Away:
        """Return the caller of an Authorization header's token. Schemes: `Bearer` and `Zoho-oauthtoken`."""

    async def person_of(self, caller: Caller) -> Person | None:
        """Return the person behind a caller; None for a machine, and for a person whom our tables do not have.

        Raises ReadsAwayError when the person is not remembered and Postgres is away.
        """

    async def issue_token(self, client_id: str, secret: str) -> IssuedToken | Busy | None:
        """Return a token for a client, None when id and secret do not fit. Raises ReadsAwayError."""


class Threshold(Protocol):
    """How often a caller may call."""

    async def over(self, caller: Caller, uri: str) -> OverThreshold | None:
        """Count one request of a caller on a URI; None: it may go on. Never raises because a part is away."""


class Quotas(Protocol):
    """How often a client may call this process in one dialect."""

    def over(self, caller: Caller) -> OverThreshold | None:
        """Count one request of a caller; None: it may go on."""


class Submitter(Protocol):
    """Records presses and waits for their verdicts."""

    async def submit(self, asked: Asked) -> Answer:
        """Record one press and return what became of it in time. Never raises because a part is away."""

    async def first_answer(self, asked: Asked) -> Answer | None:
        """Return what became of the same press under its key, None when that is not known. Records nothing.

        Never raises because a part is away: the answer is then that nothing is recorded, and may be asked again.
        """


class Policies(Protocol):
    """Every tenant's rules, in memory."""

    def latest(self, tenant: str) -> Policy | None:
        """Return the tenant's document in force; None: there is none, or the policies of the past are not read yet."""


class Reads(Protocol):
    """The read models, one tenant at a time. All raise ReadsAwayError when Postgres is away."""

    async def open_timers(self, tenant: str, limit: int, offset: int, owner: str | None = None) -> list[OpenTimer]:
        """Return up to `limit + 1` open timers by id, of all owners or of one. One too many says: there are more."""

    async def timer(self, tenant: str, timer_id: int) -> TimerRow | None:
        """Return one timer with its texts and intervals."""

    async def running_timer(self, tenant: str, owner: str) -> RunningTimer | None:
        """Return the running timer of an owner: the one opened last, then the higher id."""

    async def owner(self, tenant: str, owner: str) -> OwnerRow:
        """Return what is known of an owner. An owner of whom nothing was stated has an empty row."""

    async def outcome(self, tenant: str, event_id: UUID, kpart: int | None) -> OutcomeRow | None:
        """Return the newest outcome of an event id, on partition `kpart` when it is given."""

    async def next_offset(self, kpart: int) -> int | None:
        """Return the next offset that partition `kpart` will fold; None: there is no such partition."""

    async def wait_for(self, tenant: str, kpart: int, offset: int, seconds: float) -> bool:
        """Wait until the read models have passed `offset` of a partition.

        False: `seconds` were not enough, or too many requests wait already. Raises NoSuchPartitionError.
        """


class Reports(Protocol):
    """What supervisors ask of the read models, one tenant at a time. All raise ReadsAwayError."""

    async def violations(
        self, tenant: str, asked: ViolationFilter, after: ViolationKey | None, limit: int
    ) -> list[ViolationRow]:
        """Return up to `limit + 1` findings in their order, after `after`. One too many says: there are more."""

    async def timers(self, tenant: str, asked: TimerFilter, after: TimerKey | None, limit: int) -> TimersFound:
        """Return up to `limit` timers, started last first, after `after`. There may be fewer, with more to come."""

    async def current(self, tenant: str, owner: str, limit: int) -> list[TimerRow]:
        """Return up to `limit` running and paused timers of an owner: opened last first, then the higher id."""

    async def history(self, timer_id: int, after: int, limit: int) -> list[HistoryRow]:
        """Return the lines of a timer's history behind offset `after`, in order: `limit`, and those of the last offset.

        The caller has asked before whose the timer is.
        """

    async def days(self, tenant: str, owner: str, first: date, last: date) -> DaysRow:
        """Return an owner's local days from `first` to `last`, both included, all as of one position."""

    async def work_days(
        self, tenant: str, kind: Literal["account", "job"], about: str, first: date, last: date
    ) -> DaysRow:
        """Return the same of all timers of an account or a job. Many partitions have no one position."""


class People(Protocol):
    """The tenants' persons. They are no fact on the log: operators and admins write them."""

    async def set_aliases(self, tenant: str, owner: str, aliases: Sequence[str]) -> bool:
        """Give a person these aliases instead of the old ones. False: there is no such person.

        Raises ReadsAwayError, and then the aliases may be set or not; the same call again does no harm.
        """


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a dialect may ask, part by part. Wired once, in `app`.

    `quotas` has the dialects in which each client has a limit: A and C. `answer_within_seconds` is how long a press
    waits for its verdict when its caller does not say; `backdate_days_max` is how far back this deployment lets an
    interval begin.
    """

    identities: Identities
    threshold: Threshold
    quotas: Mapping[Dialect, Quotas]
    submitter: Submitter
    policies: Policies
    policy_log: PolicyLog
    reads: Reads
    reports: Reports
    people: People
    tally: Tally
    now: Now
    answer_within_seconds: float
    backdate_days_max: int
