"""Dialect C's reports: findings, and worked seconds per local day."""

import json
from typing import Annotated, Final

from pydantic import BaseModel, Field

from services.command_api.dialects.native.lists.filters import LIMIT_DEFAULT, LIMIT_MAX
from services.command_api.dialects.native.reports.accept import CSV, XLSX
from services.command_api.dialects.native.reports.asking import DAYS_MAX
from services.command_api.openapi.operations.common import (
    BEARER,
    DAY_SCHEMA,
    EVENT_ID,
    JOB,
    LONG_ID,
    MIN_POSITION,
    MOMENT,
    OWNER,
    OWNER_SCHEMA,
    POSITION,
    WHEN_SCHEMA,
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
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc, ParameterDoc, Schema
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


class WorkedDay(BaseModel):
    """What was worked on one local day. `changed_after_lock`: also after the day was locked (R15).

    `first_at`, `last_at` and `pause_seconds` are null in the days of an account or a job, which are many owners', and
    on a day whose time was taken back.
    """

    day: DayText
    seconds: SecondsNumber
    billable_seconds: SecondsNumber
    changed_after_lock: bool
    first_at: Annotated[MomentText | None, Field(description="The first moment of the day that was worked.")]
    last_at: Annotated[MomentText | None, Field(description="The last moment of the day that was worked.")]
    pause_seconds: Annotated[SecondsNumber | None, Field(description="What was not worked between the two.")]


class WorkedDays(BaseModel):
    """Local days, in order; a day without work is not among them. Closed intervals only."""

    zone: Annotated[str, Field(description="An owner's own zone, or else the tenant's.")]
    items: list[WorkedDay]
    position: Annotated[
        PositionText | None,
        Field(description="How far an owner's days have been folded; null for those of an account or a job."),
    ]


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
_ATTENDED: Final = {"first_at": MOMENT, "last_at": "2026-11-28T05:19:44.454189Z", "pause_seconds": 0.197998}
_ZONE: Final = "Asia/Jerusalem"
_CSV: Final[Schema] = {"type": "string", "description": "The same as lines of RFC 4180, a header first."}
_XLSX: Final[Schema] = {
    "type": "string",
    "format": "binary",
    "description": "The same as a sheet, a header first. Ids are texts, a day is a date, seconds are numbers.",
}
_FIRST_DAY: Final = query("from", "The first day.", DAY_SCHEMA, "2026-11-01")
_LAST_DAY: Final = query("to", "The last day.", DAY_SCHEMA, "2026-11-30")
_BOM: Final = query("bom", "Of an answer in CSV alone: a byte order mark first.", {"type": "string", "enum": ["1"]})
_ACCOUNT: Final = ParameterDoc("account", "path", "The account, compared as text.", OWNER_SCHEMA, "A-17", required=True)


def _days(
    about: ParameterDoc, called: str, summary: str, description: str, *statuses: int, attended: bool
) -> OperationDoc:
    day = _DAY | (_ATTENDED if attended else dict.fromkeys(_ATTENDED))
    example = {"zone": _ZONE, "items": [day], "position": POSITION if attended else None}
    contents = (
        ContentDoc("WorkedDays", WorkedDays, example),
        ContentDoc("WorkedDaysCsv", _CSV, _as_csv(about, day), CSV),
        ContentDoc("WorkedDaysXlsx", _XLSX, media=XLSX),
    )
    may_have = ("Content-Disposition", *(("X-Position",) if attended else ()))
    return OperationDoc(
        method="GET",
        path=f"/v1/{about.name}s/{{{about.name}}}/days",
        id=called,
        tag="reports",
        summary=summary,
        description=(
            f"{description} `Accept: {CSV}` answers in CSV, `Accept: {XLSX}` with a workbook. At most {DAYS_MAX} days."
        ),
        parameters=(about, _FIRST_DAY, _LAST_DAY, _BOM, MIN_POSITION),
        answers=(
            AnswerDoc(200, "The days.", contents, may_have=may_have),
            *problems(400, *statuses),
        ),
        security=BEARER,
    )


def _as_csv(about: ParameterDoc, day: dict[str, object]) -> str:
    cells_by_name = {about.name: about.example, "day": day["day"], "zone": _ZONE} | day
    header = [f'"{name}"' for name in cells_by_name]
    cells = ["" if cell is None else json.dumps(cell) for cell in cells_by_name.values()]
    return "".join(",".join(line) + "\r\n" for line in (header, cells))


_MANY: Final = (
    "The sums of all owners' timers: each owner's time is on the day that it has in the owner's own days. A person may "
    "not read them."
)

OPERATIONS: Final = (
    OperationDoc(
        method="GET",
        path="/v1/violations",
        id="listViolations",
        tag="reports",
        summary="List findings",
        description=(
            "In the order in which they began. A page's cursor goes on after its last row, so nothing is told twice "
            "and nothing is left out while more comes in. A person's token lists that person's findings."
        ),
        parameters=(
            query("owner", "Findings about this owner alone.", OWNER_SCHEMA, "dana"),
            query("rule", "Findings of this rule alone.", {"type": "string", "enum": sorted(Rule)}, "R13"),
            query("from", "Findings that began at this moment, or on this day, or later.", WHEN_SCHEMA, "2026-11-01"),
            query(
                "to", "Findings that began before this moment, or until the end of this day.", WHEN_SCHEMA, "2026-11-30"
            ),
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
    _days(
        OWNER,
        "getOwnerDays",
        "Read what an owner worked on each local day",
        "Each interval is split at local midnight, so the days add up to it exactly.",
        404,
        attended=True,
    ),
    _days(
        _ACCOUNT,
        "getAccountDays",
        "Read what was worked for an account on each local day",
        _MANY,
        403,
        attended=False,
    ),
    _days(
        JOB,
        "getJobDays",
        "Read what was worked on a job on each local day",
        _MANY,
        403,
        attended=False,
    ),
)
