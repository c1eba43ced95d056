"""Questions: what a read asks for where an id is not enough."""

from dataclasses import dataclass
from datetime import datetime

from shared.events.outcome import State
from shared.events.rules import Rule


@dataclass(frozen=True, slots=True)
class ViolationFilter:
    """Which findings of a tenant: those that begin in [since, until), of one owner and by one rule where given."""

    owner: str | None = None
    rule: Rule | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ViolationKey:
    """A finding by its key, which never changes. Findings are listed in the order of these fields."""

    from_at: datetime
    timer_id: int
    rule: str


@dataclass(frozen=True, slots=True)
class TimerFilter:
    """Which timers of a tenant: those that were started in [since, until), and have all that is given."""

    owner: str | None = None
    state: State | None = None
    account_id: str | None = None
    job_id: str | None = None
    reference: str | None = None
    flag: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimerKey:
    """A timer's place in a list, which never changes. The one that was started last comes first."""

    started_at: datetime
    timer_id: int
