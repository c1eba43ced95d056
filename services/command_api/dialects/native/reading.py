"""The bodies of dialect C's presses, each from its bytes to a command.

With care: fields of the bodies. Adding one is free, but the digest counts every field that was sent.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.command_api.desk.commands import AskedTime, PressTimer, StartTimer
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.times import asked_time, day, may_start_at
from services.command_api.dialects.values import (
    Comment,
    DayText,
    Name,
    ReasonCode,
    ReferenceText,
    RequiredName,
    TimeText,
    WorkItem,
    YesOrNo,
    read_body,
    says_nothing,
)
from shared.events.ids import parse_timer_id
from shared.events.rules import Rule

Verb = Literal["pause", "resume", "stop"]


class PressBody(BaseModel):
    """The body of a press. `at`: when it happened, for work that was queued offline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: TimeText = None


class PauseBody(PressBody):
    """The body of a pause. `reason`: the caller's code for why."""

    reason: ReasonCode = None


class StartBody(PressBody):
    """The body of `POST /v1/timers`."""

    owner: RequiredName
    account_id: Name = None
    job_id: Name = None
    project_id: Name = None
    billable: YesOrNo = None
    work_date: DayText = None
    comment: Comment = None
    work_item: WorkItem = None
    reference: ReferenceText = None


def read_start(body: bytes) -> StartTimer | Malformed:
    """Translate the body of a start."""
    said = read_body(StartBody, body)
    if isinstance(said, Malformed):
        return said
    at = _at(said)
    if isinstance(at, Malformed):
        return at
    if at is not None and not may_start_at(at.instant):
        return Malformed(Rule.VALUE_INVALID, "at")
    work_date = None if said.work_date is None else day(said.work_date)
    if said.work_date is not None and work_date is None:
        return Malformed(Rule.VALUE_INVALID, "work_date")
    return StartTimer(
        owner=said.owner,
        account_id=said.account_id,
        job_id=said.job_id,
        project_id=said.project_id,
        billable=said.billable,
        work_date=work_date,
        comment=said.comment,
        work_item=said.work_item,
        at=at,
        reference=said.reference,
    )


def read_press(verb: Verb, spelt_id: str, body: bytes) -> PressTimer | Malformed | Rule:
    """Translate a pause, a resume or a stop; its body may be missing."""
    timer_id = parse_timer_id(spelt_id)
    if timer_id is None:
        return Rule.TIMER_UNKNOWN
    kind = PauseBody if verb == "pause" else PressBody
    said = kind() if says_nothing(body) else read_body(kind, body)
    if isinstance(said, Malformed):
        return said
    at = _at(said)
    if isinstance(at, Malformed):
        return at
    return PressTimer(verb, timer_id, at, said.reason if isinstance(said, PauseBody) else None)


def _at(said: PressBody) -> AskedTime | Malformed | None:
    if said.at is None:
        return None
    return asked_time(said.at, zone_name=None) or Malformed(Rule.VALUE_INVALID, "at")
