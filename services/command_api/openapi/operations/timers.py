"""Dialect C's presses, the reading of one timer, and the outcome of one press."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from services.command_api.dialects.native.reading import PauseBody, PressBody, StartBody
from services.command_api.openapi.operations.common import (
    BEARER,
    EVENT_ID,
    KEY,
    LONG_ID,
    MAY_BE_MISSING,
    MIN_POSITION,
    MOMENT,
    POSITION,
    SHORT_ID,
    TIMER_ID,
    WAIT,
    MomentText,
    PositionText,
    SecondsNumber,
    ShortIdText,
    TimerIdText,
    problems,
    query,
    with_body,
)
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc, ParameterDoc
from shared.events.outcome import Outcome, State


class JudgedTimer(BaseModel):
    """A timer as it was judged. `total_seconds` counts closed intervals only: what runs now is not in it."""

    id: TimerIdText
    timelog_id: ShortIdText
    owner: str
    account_id: str | None
    job_id: str | None
    project_id: str | None
    billable: bool
    work_date: Annotated[str | None, Field(json_schema_extra={"format": "date"})]
    reference: Annotated[str | None, Field(description="The caller's own id of the timer, as its start gave it.")]
    state: State
    started_at: MomentText
    stopped_at: MomentText | None
    total_seconds: SecondsNumber
    total_minutes: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]$", description="With one decimal, halves rounded up.")]
    flags: Annotated[list[str], Field(description="Rules that flagged it, and `zone_assumed` or `late`; sorted.")]
    position: PositionText


class TimerInterval(BaseModel):
    """An interval worked, half-open: [start, end). `end` null: it runs."""

    start: MomentText
    end: MomentText | None
    reason: Annotated[
        str, MAY_BE_MISSING, Field(description="The code of the pause that ended it; there only when it gave one.")
    ]


class ListedTimer(JudgedTimer):
    """A timer as the read model has it, with its texts. null: it has none, or they were erased."""

    comment: str | None
    work_item: str | None


class ReadTimer(ListedTimer):
    """A timer as the read model has it, with its texts and its intervals."""

    intervals: list[TimerInterval]


class RecordedPress(BaseModel):
    """A press that is recorded and not judged yet. `Location` is where its outcome will be."""

    event_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    position: PositionText


class NotJudgedYet(BaseModel):
    """The projector has not reached the press yet."""

    status: Literal["not_judged_yet"]


TIMER: Final[dict[str, Any]] = {
    "id": LONG_ID,
    "timelog_id": SHORT_ID,
    "owner": "dana",
    "account_id": None,
    "job_id": "roof",
    "project_id": None,
    "billable": True,
    "work_date": None,
    "reference": "order-17",
    "state": "RUNNING",
    "started_at": MOMENT,
    "stopped_at": None,
    "total_seconds": 0,
    "total_minutes": "0.0",
    "flags": [],
    "position": POSITION,
}
LISTED: Final = TIMER | {"comment": "ridge tiles", "work_item": None}
_RECORDED: Final = ContentDoc("RecordedPress", RecordedPress, {"event_id": EVENT_ID, "position": POSITION})
RECORDED: Final = AnswerDoc(
    202,
    "Recorded, and not judged in time. Ask at `Location`.",
    (_RECORDED,),
    ("Location", "Retry-After"),
    "RecordedPress",
)
_REFUSED: Final = (403, 409, 422)
_AT: Final = {"at": "2026-11-28T07:20:00+02:00"}
_BODY: Final = ContentDoc("PressTimer", PressBody, _AT)


def _judged(state: str, **more: object) -> ContentDoc:
    return ContentDoc("JudgedTimer", JudgedTimer, TIMER | {"state": state} | more)


def _press(verb: str, summary: str, description: str, judged: ContentDoc, body: ContentDoc = _BODY) -> OperationDoc:
    return OperationDoc(
        method="POST",
        path=f"/v1/timers/{{timer_id}}/{verb}",
        id=f"{verb}Timer",
        tag="timers",
        summary=summary,
        description=description,
        parameters=(TIMER_ID, KEY, WAIT),
        bodies=(body,),
        body_required=False,
        answers=(AnswerDoc(200, "The timer as judged.", (judged,)), RECORDED, *with_body(404, *_REFUSED)),
        security=BEARER,
    )


_PAUSED: Final = _judged("PAUSED", total_seconds=4.196959, total_minutes="0.1")
_STOPPED: Final = _judged("STOPPED", stopped_at=MOMENT, total_seconds=4.196959, total_minutes="0.1")
_START: Final = {"owner": "dana", "job_id": "roof", "reference": "order-17", "comment": "ridge tiles"}
_INTERVALS: Final = (
    {"start": MOMENT, "end": "2026-11-28T05:19:40.256191Z", "reason": "lunch"},
    {"start": "2026-11-28T05:19:40.454189Z", "end": None},
)

OPERATIONS: Final = (
    OperationDoc(
        method="POST",
        path="/v1/timers",
        id="startTimer",
        tag="timers",
        summary="Start a timer",
        description=(
            "A second timer of the same owner is judged by rule R13. A press has no query parameters. `reference` is "
            "the caller's own id of the timer; it is kept for ever, and need not be unique."
        ),
        parameters=(KEY, WAIT),
        bodies=(ContentDoc("StartTimer", StartBody, _START),),
        answers=(
            AnswerDoc(
                201, "The timer as judged. `Location` is where it is read.", (_judged("RUNNING"),), ("Location",)
            ),
            RECORDED,
            *with_body(*_REFUSED),
        ),
        security=BEARER,
    ),
    _press(
        "pause",
        "Pause a running timer",
        "Ends the open interval. `reason` is kept for ever, so it is a code and no free text.",
        _PAUSED,
        ContentDoc("PauseTimer", PauseBody, _AT | {"reason": "lunch"}),
    ),
    _press("resume", "Resume a paused timer", "Begins an interval.", _judged("RUNNING", total_seconds=4.1)),
    _press(
        "stop",
        "Stop a timer, for good",
        "No rule of time refuses a stop. A second stop hears the same answer again, and nothing changes.",
        _STOPPED,
    ),
    OperationDoc(
        method="GET",
        path="/v1/timers/{timer_id}",
        id="getTimer",
        tag="timers",
        summary="Read one timer",
        description="With its texts and its intervals. A person's token reads that person's timers alone.",
        parameters=(TIMER_ID, MIN_POSITION),
        answers=(
            AnswerDoc(
                200,
                "The timer as the read model has it.",
                (
                    ContentDoc(
                        "ReadTimer",
                        ReadTimer,
                        LISTED | {"total_seconds": 0.196959, "intervals": list(_INTERVALS)},
                    ),
                ),
            ),
            *problems(400, 404),
        ),
        security=BEARER,
    ),
    OperationDoc(
        method="GET",
        path="/v1/outcomes/{event_id}",
        id="getOutcome",
        tag="timers",
        summary="Read what became of a press",
        description=(
            "`Location` of a 202 leads here, with `at` and `digest`. The outcome is the record of "
            "`timer.outcomes.v1`, as docs/events.md tells it."
        ),
        parameters=(
            ParameterDoc(
                "event_id", "path", "The press.", {"type": "string", "format": "uuid"}, EVENT_ID, required=True
            ),
            query("at", "Where the press lies on the log.", {"type": "string", "pattern": "^[0-9]{1,9}:[0-9]{1,18}$"}),
            query("digest", "What the press said, shortened.", {"type": "string", "pattern": "^[0-9a-f]{16}$"}),
            WAIT,
            MIN_POSITION,
        ),
        answers=(
            AnswerDoc(200, "The outcome, as it was written down.", (ContentDoc("Outcome", Outcome),)),
            AnswerDoc(
                202,
                "The projector has not reached the press yet.",
                (ContentDoc("NotJudgedYet", NotJudgedYet, {"status": "not_judged_yet"}),),
                ("Retry-After",),
            ),
            *problems(400, 403, 404, 422),
        ),
        security=BEARER,
    ),
)
