"""Dialect C's lists of timers: by filters, those that an owner has now, and what happened to one."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from services.command_api.dialects.native.lists.filters import LIMIT_DEFAULT, LIMIT_MAX
from services.command_api.dialects.native.timers.asking import LABELS
from services.command_api.openapi.operations.common import (
    BEARER,
    EVENT_ID,
    MIN_POSITION,
    MOMENT,
    OWNER,
    OWNER_SCHEMA,
    POSITION,
    TIMER_ID,
    WHEN_SCHEMA,
    FoundRule,
    MomentText,
    PositionText,
    cursor,
    limit,
    problems,
    query,
)
from services.command_api.openapi.operations.timers import LISTED, ListedTimer
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc
from shared.events.outcome import State
from shared.events.rules import Rule


class TimerPage(BaseModel):
    """A page of timers. `next_cursor` null: it is the last."""

    items: list[ListedTimer]
    next_cursor: str | None


class TimerHistoryItem(BaseModel):
    """A press on a timer, or an end that was not its own press.

    `by` is `settle` where an end fell due: nobody pressed, so `client`, `person`, `role` and `dialect` are null. It is
    `switch` where the start or resume of another timer ended this one, and they are those of that press.
    """

    what: Literal["start", "pause", "resume", "stop"]
    by: Literal["press", "settle", "switch"]
    at: Annotated[MomentText, Field(description="When it counts.")]
    asked_at: Annotated[MomentText | None, Field(description="The time that the caller gave.")]
    recorded_at: Annotated[MomentText, Field(description="The log's time.")]
    client: str | None
    person: str | None
    role: str | None
    dialect: str | None
    verdict: Literal["accepted", "refused"]
    rule: Annotated[FoundRule | None, Field(description="The rule that refused.")]
    state: Annotated[State, Field(description="The timer's state afterwards.")]
    event_id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    position: PositionText


class TimerHistory(BaseModel):
    """A page of a timer's history, the oldest first. `next_cursor` null: it is the last."""

    items: list[TimerHistoryItem]
    next_cursor: str | None


_FLAGS: Final = sorted({*Rule, *LABELS})
_STARTED: Final = {
    "what": "start",
    "by": "press",
    "at": MOMENT,
    "asked_at": None,
    "recorded_at": MOMENT,
    "client": "office",
    "person": None,
    "role": "machine",
    "dialect": "native",
    "verdict": "accepted",
    "rule": None,
    "state": "RUNNING",
    "event_id": EVENT_ID,
    "position": POSITION,
}
_PAGE: Final = ContentDoc("TimerPage", TimerPage, {"items": [LISTED], "next_cursor": None})

OPERATIONS: Final = (
    OperationDoc(
        method="GET",
        path="/v1/timers",
        id="listTimers",
        tag="timers",
        summary="List timers",
        description=(
            "The one that was started last comes first. All filters that are given must fit. A page's cursor goes on "
            "after what was looked at, so nothing is told twice and nothing is left out while more are started. Where "
            "few fit, a page may have fewer items than `limit`, or none, and a cursor all the same. A person's token "
            "lists that person's timers."
        ),
        parameters=(
            query("owner", "Timers of this owner alone.", OWNER_SCHEMA, "dana"),
            query("state", "Timers in this state alone.", {"type": "string", "enum": sorted(State)}, "RUNNING"),
            query("from", "Timers that were started at this moment, or on this day, or later.", WHEN_SCHEMA),
            query("to", "Timers that were started before this moment, or until the end of this day.", WHEN_SCHEMA),
            query("account", "Timers of this account alone.", OWNER_SCHEMA, "A-17"),
            query("job", "Timers of this job alone.", OWNER_SCHEMA, "roof"),
            query("reference", "Timers whose start gave this reference.", OWNER_SCHEMA, "order-17"),
            query("flag", "Timers with this flag.", {"type": "string", "enum": _FLAGS}, "late"),
            cursor(),
            limit(LIMIT_DEFAULT, LIMIT_MAX),
            MIN_POSITION,
        ),
        answers=(AnswerDoc(200, "A page of timers.", (_PAGE,)), *problems(400, 404)),
        security=BEARER,
    ),
    OperationDoc(
        method="GET",
        path="/v1/owners/{owner}/current",
        id="getCurrentTimers",
        tag="timers",
        summary="List an owner's running and paused timers",
        description=f"The one whose last interval began last comes first. At most {LIMIT_MAX}; `next_cursor` is null.",
        parameters=(OWNER, MIN_POSITION),
        answers=(AnswerDoc(200, "The timers. No items: there are none.", (_PAGE,)), *problems(400, 404)),
        security=BEARER,
    ),
    OperationDoc(
        method="GET",
        path="/v1/timers/{timer_id}/history",
        id="getTimerHistory",
        tag="timers",
        summary="Read what happened to one timer",
        description=(
            "Every press on it, by whom and what came of it, and every end that was not its own press, in the order "
            "of the log. It is kept for ever. The cursor after a full page may lead to an empty last one."
        ),
        parameters=(
            TIMER_ID,
            cursor("The `next_cursor` of the page before."),
            limit(LIMIT_DEFAULT, LIMIT_MAX),
            MIN_POSITION,
        ),
        answers=(
            AnswerDoc(
                200,
                "A page of the history.",
                (ContentDoc("TimerHistory", TimerHistory, {"items": [_STARTED], "next_cursor": None}),),
            ),
            *problems(400, 404),
        ),
        security=BEARER,
    ),
)
