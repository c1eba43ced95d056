"""Outcome: event, verdict and all that it changed (CONTRACT, section 9).

The value on `timer.outcomes.v1`, the body of an `outcome` row and an element of a reply are the same bytes. It is
enough to write every fold table without judging, policy or zone data. Free text is never in it.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, TypeAdapter

from shared.events.base import Instant, Model, TimerId
from shared.events.models import Actor


class State(StrEnum):
    """The states of a timer. STOPPED is final."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class Finding(Model):
    """A violation: a rule that flagged or refused. `to` and `amount_us` are None where the rule measures nothing."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    timer_id: TimerId
    rule: str
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant | None = None
    amount_us: int | None = None
    refused: bool = False


class TimerAfter(Model):
    """The pressed timer as it stands after the press. `total_us` counts closed intervals only."""

    id: TimerId
    owner: str
    account_id: str | None
    job_id: str | None
    project_id: str | None
    billable: bool
    work_date: date | None
    state: State
    started_at: Instant
    stopped_at: Instant | None
    total_us: int
    last_at: Instant
    flags: tuple[str, ...]


class Opened(Model):
    """An interval that began. Its zone cuts all of it into days, whatever the owner's zone becomes."""

    seq: int
    start: Instant
    zone: str


class DayPart(Model):
    """What part of an interval lies on one local day, in microseconds."""

    on: date
    us: int


class Closed(Model):
    """An interval that ended: [start, end), and its days, which add up to it exactly."""

    seq: int
    start: Instant
    end: Instant
    zone: str
    days: tuple[DayPart, ...]


class Change(Model):
    """What happened to one timer's intervals, and on whose account: a press, a deadline, or another timer's start."""

    timer: TimerId
    by: Literal["press", "settle", "switch"]
    opened: Opened | None = None
    closed: Closed | None = None


class Fact(Model):
    """What became known about an owner. The newest of a `kind` counts; `about` tells several apart (a day, a job)."""

    kind: Literal["profile", "leave", "attendance", "estimate", "texts_erased"]
    about: str = ""
    body: dict[str, Any]


class Outcome(Model):
    """What one press amounted to. Written down once, and never judged again."""

    v: Literal[1] = 1
    source_offset: int
    event_id: UUID | None
    event_type: str | None
    subject: TimerId | None
    tenant: str | None
    owner: str | None
    actor: Actor | None
    dialect: str | None
    digest: str | None
    recorded_at: Instant | None
    log_time: Instant
    asked_at: Instant | None
    at: Instant | None
    policy_rev: int
    policy_revision: int | None
    verdict: Literal["accepted", "refused", "unreadable", "void"]
    rule: str | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    timer: TimerAfter | None = None
    changed: tuple[Change, ...] = ()
    fact: Fact | None = None
    due: Instant | None = None


class Reply(Model):
    """One element of a reply record: whose waiter, and the outcome. Only here is a verdict void, or a refusal R24."""

    request_id: str
    outcome: Outcome


OUTCOME: Final = TypeAdapter(Outcome)
REPLIES: Final = TypeAdapter(list[Reply])


def write_outcome(outcome: Outcome) -> bytes:
    """Return the bytes of an outcome: the same for the topic, the row and the reply."""
    return outcome.__pydantic_serializer__.to_json(outcome, by_alias=True)


def outcome_key(outcome: Outcome) -> bytes | None:
    """Return the key under which an outcome is published: tenant/owner, or the presser's tenant; None: unreadable."""
    if outcome.tenant is None:
        return None
    return (outcome.tenant if outcome.owner is None else f"{outcome.tenant}/{outcome.owner}").encode()


def join_replies(replies: Sequence[tuple[str, bytes]]) -> bytes:
    """Return one reply record for all the waiters of one API process. Outcomes are spliced in as they were written."""
    elements = [b'{"request_id":%s,"outcome":%s}' % (_quoted(request_id), body) for request_id, body in replies]
    return b"[" + b",".join(elements) + b"]"


_TEXT: Final = TypeAdapter(str)


def _quoted(text: str) -> bytes:
    return _TEXT.dump_json(text)
