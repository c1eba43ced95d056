"""Dialect C's reports: findings, and worked seconds per local day."""

from typing import Annotated, Final

from pydantic import BaseModel, Field

from services.command_api.dialects.native.reports.asking import DAYS_MAX
from services.command_api.dialects.native.reports.filters import LIMIT_DEFAULT, LIMIT_MAX
from services.command_api.openapi.operations.common import (
    BEARER,
    DAY_SCHEMA,
    EVENT_ID,
    LONG_ID,
    MIN_POSITION,
    MOMENT,
    OWNER,
    OWNER_SCHEMA,
    POSITION,
    DayText,
    FoundRule,
    MomentText,
    PositionText,
    SecondsNumber,
    TimerIdText,
    cursor,
    limit,
    problems,
    query,
)
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc
from shared.events.rules import Rule


class ViolationItem(BaseModel):
    """A finding: a rule that flagged or refused. `to` and `amount_seconds` null: it lasts, or measures nothing."""

    timer_id: TimerIdText
    owner: str
    rule: FoundRule
    from_: Annotated[MomentText, Field(alias="from")]
    to: MomentText | None
    amount_seconds: SecondsNumber | None
    refused: bool
    event_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    policy_revision: Annotated[int | None, Field(description="The policy that judged; null: the tenant had none.")]


class ViolationPage(BaseModel):
    """A page of findings. `next_cursor` null: it is the last."""

    items: list[ViolationItem]
    next_cursor: str | None


class OwnerDay(BaseModel):
    """What was worked on one local day. `changed_after_lock`: also after the day was locked (R15)."""

    day: DayText
    seconds: SecondsNumber
    billable_seconds: SecondsNumber
    changed_after_lock: bool


class OwnerDays(BaseModel):
    """An owner's local days, in order; a day without work is not among them. Closed intervals only."""

    zone: Annotated[str, Field(description="The owner's zone, or else the tenant's.")]
    items: list[OwnerDay]
    position: Annotated[PositionText | None, Field(description="How far these days have been folded.")]


_VIOLATION: Final = {
    "timer_id": LONG_ID,
    "owner": "dana",
    "rule": "R13",
    "from": MOMENT,
    "to": None,
    "amount_seconds": None,
    "refused": False,
    "event_id": EVENT_ID,
    "policy_revision": 0,
}
_DAY: Final = {"day": "2026-11-28", "seconds": 4.196959, "billable_seconds": 4.196959, "changed_after_lock": False}
# A day, or a moment with an offset.
_WHEN: Final = {"anyOf": [DAY_SCHEMA, {"type": "string", "format": "date-time"}]}

OPERATIONS: Final = (
    OperationDoc(
        method="GET",
        path="/v1/violations",
        id="listViolations",
        tag="reports",
        summary="List findings",
        says=(
            "In the order in which they began. A page's cursor goes on after its last row, so nothing is told twice "
            "and nothing is left out while more comes in. A person's token lists that person's findings."
        ),
        parameters=(
            query("owner", "Findings about this owner alone.", OWNER_SCHEMA, "dana"),
            query("rule", "Findings of this rule alone.", {"type": "string", "enum": sorted(Rule)}, "R13"),
            query("from", "Findings that began at this moment, or on this day, or later.", _WHEN, "2026-11-01"),
            query("to", "Findings that began before this moment, or until the end of this day.", _WHEN, "2026-11-30"),
            cursor(),
            limit(LIMIT_DEFAULT, LIMIT_MAX),
            MIN_POSITION,
        ),
        answers=(
            AnswerDoc(
                200,
                "A page of findings.",
                (ContentDoc("ViolationPage", ViolationPage, {"items": [_VIOLATION], "next_cursor": None}),),
            ),
            *problems(400, 404),
        ),
        security=BEARER,
    ),
    OperationDoc(
        method="GET",
        path="/v1/owners/{owner}/days",
        id="getOwnerDays",
        tag="reports",
        summary="Read what an owner worked on each local day",
        says=f"Each interval is split at local midnight, so the days add up to it exactly. At most {DAYS_MAX} days.",
        parameters=(
            OWNER,
            query("from", "The first day.", DAY_SCHEMA, "2026-11-01"),
            query("to", "The last day.", DAY_SCHEMA, "2026-11-30"),
            MIN_POSITION,
        ),
        answers=(
            AnswerDoc(
                200,
                "The days.",
                (
                    ContentDoc(
                        "OwnerDays", OwnerDays, {"zone": "Asia/Jerusalem", "items": [_DAY], "position": POSITION}
                    ),
                ),
            ),
            *problems(400, 404),
        ),
        security=BEARER,
    ),
)
