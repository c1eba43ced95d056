"""The bodies of dialect C's presses, each from its bytes to a command.

With care: fields of the bodies. Adding one is free, but the digest counts every field that was sent.
"""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from services.command_api.desk.commands import PressTimer, StartTimer
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.times import Opening
from services.command_api.dialects.values import (
    Comment,
    Name,
    PressAt,
    ReasonCode,
    ReferenceText,
    RequiredName,
    ResumeAt,
    StartAt,
    WorkDate,
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

    at: PressAt = None


class PauseBody(PressBody):
    """The body of a pause. `reason`: the caller's code for why."""

    reason: ReasonCode = None


class ResumeBody(PressBody):
    """The body of a resume."""

    at: ResumeAt = None


class StartBody(PressBody):
    """The body of `POST /v1/timers`."""

    at: StartAt = None
    owner: RequiredName
    account_id: Name = None
    job_id: Name = None
    project_id: Name = None
    billable: YesOrNo = None
    work_date: WorkDate = None
    comment: Comment = None
    work_item: WorkItem = None
    reference: ReferenceText = None


_BODIES: Final[Mapping[Verb, type[PressBody]]] = {"pause": PauseBody, "resume": ResumeBody, "stop": PressBody}


def read_start(body: bytes, opening: Opening) -> StartTimer | Malformed:
    """Translate the body of a start."""
    fields = read_body(StartBody, body, opening)
    if isinstance(fields, Malformed):
        return fields
    return StartTimer(
        owner=fields.owner,
        account_id=fields.account_id,
        job_id=fields.job_id,
        project_id=fields.project_id,
        billable=fields.billable,
        work_date=fields.work_date,
        comment=fields.comment,
        work_item=fields.work_item,
        at=fields.at,
        reference=fields.reference,
    )


def read_press(verb: Verb, spelt_id: str, body: bytes, opening: Opening) -> PressTimer | Malformed | Rule:
    """Translate a pause, a resume or a stop; its body may be missing."""
    timer_id = parse_timer_id(spelt_id)
    if says_nothing(body):
        return Rule.TIMER_UNKNOWN if timer_id is None else PressTimer(verb, timer_id)
    fields = read_body(_BODIES[verb], body, opening)
    if isinstance(fields, Malformed):
        return fields  # before the id: what the request shows by itself answers first
    if timer_id is None:
        return Rule.TIMER_UNKNOWN
    return PressTimer(verb, timer_id, fields.at, fields.reason if isinstance(fields, PauseBody) else None)
