"""Commands and answers: what every dialect translates to, and from.

A dialect turns a request into one of these commands, hands it to the submitter and turns the answer into its own words.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from shared.events.models import Role
from shared.events.outcome import Outcome

Dialect = Literal["thebase", "zoho", "native"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling. `person` is the owner whose own token this is; a machine has none."""

    tenant: str
    client: str
    role: Role
    person: str | None = None


@dataclass(frozen=True, slots=True)
class AskedTime:
    """A time the caller gave: the instant it means, how it was spelt, and whether we had to assume the zone."""

    instant: datetime
    spelt: str
    zone_assumed: bool = False


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Start a timer for `owner`. `billable` None: the dialect has no such field, or it was left out."""

    owner: str
    account_id: str | None = None
    job_id: str | None = None
    project_id: str | None = None
    billable: bool | None = None
    work_date: date | None = None
    comment: str | None = None
    work_item: str | None = None
    at: AskedTime | None = None


@dataclass(frozen=True, slots=True)
class PressTimer:
    """Pause, resume or stop one timer, by its short id."""

    verb: Literal["pause", "resume", "stop"]
    timer_id: int
    at: AskedTime | None = None


Command = StartTimer | PressTimer


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict, with the partition on which it was judged (`outcome.source_offset` is the offset)."""

    partition: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class StillWaiting:
    """Recorded, and not judged in time. `timer_id` is the one drawn for a start (a keyed retry may hear another)."""

    event_id: UUID
    timer_id: int
    partition: int
    offset: int
    digest: str


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """Refused before the log, or of unknown fate, or void by its expiry: the caller may try again. `why` is a code."""

    why: str
    retry_after_seconds: int = 1


Answer = Judged | StillWaiting | NotRecorded
