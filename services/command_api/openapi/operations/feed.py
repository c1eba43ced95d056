"""The change feed: a process of its own (services/feed) on the same host, so the one document tells it too.

Its limits are those of services/feed, which this room may not import: tests/unit/command_api/openapi/test_feed.py
compares them.
"""

from typing import Annotated, Final

from pydantic import BaseModel, Field

from services.command_api.openapi.operations.common import (
    BEARER,
    EVENT_ID,
    MAY_BE_MISSING,
    MOMENT,
    SHORT_ID,
    Problem,
    problems,
    query,
)
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc, ParameterDoc
from shared.events.outcome import Outcome
from shared.process.http.problem import PROBLEM

WAIT_SECONDS_MAX: Final = 30
LINES_MAX: Final = 10_000
LINES_DEFAULT: Final = 1_000

_AFTER: Final = "AQACAAIE"

FeedPositionText = Annotated[str, Field(max_length=4_000, description="A place in the feed, opaque, for `after`.")]


class FeedLine(BaseModel):
    """One line. The last line of an answer has a position alone: where the next request goes on."""

    position: FeedPositionText
    outcome: Outcome = MAY_BE_MISSING


class FeedGone(Problem):
    """The feed does not reach back to the position that was asked for."""

    after: Annotated[FeedPositionText, Field(description="Where the feed begins now.")]


_STARTED: Final = {
    "v": 1,
    "source_offset": 52,
    "event_id": EVENT_ID,
    "event_type": "timer.started.v1",
    "subject": SHORT_ID,
    "tenant": "demo",
    "owner": "dana",
    "actor": {"client": "office", "person": None, "role": "machine"},
    "dialect": "native",
    "digest": "9d32a829e74ca163382536c7f74703b35fabc12762b627a6806aaef756fc89df",
    "recorded_at": MOMENT,
    "log_time": MOMENT,
    "at": MOMENT,
    "policy_rev": 0,
    "policy_revision": 0,
    "verdict": "accepted",
}
_GONE: Final = {
    "type": "about:blank",
    "title": "Gone",
    "status": 410,
    "detail": "The feed does not reach back to this position. `after` of this answer is where it begins now; what lies "
    "between is on timer.outcomes.v1.",
    "rule": None,
    "after": _AFTER,
}
_EVENTS: Final = f"retry: 1000\nid: {_AFTER}\n\nid: AQACAgQE\ndata: {{…}}\n\n"
# Answers whose words in other calls would not be true here.
_ITS_OWN: Final = (
    AnswerDoc(
        410, "The position is older than what the feed keeps.", (ContentDoc("FeedGone", FeedGone, _GONE, PROBLEM),)
    ),
    AnswerDoc(
        429,
        "The tenant has as many readers at this moment as it may have.",
        (ContentDoc("Problem", Problem, media=PROBLEM),),
        ("Retry-After",),
    ),
    AnswerDoc(
        503,
        "As many readers as there may be, or nothing is read yet. The same position goes on.",
        (ContentDoc("Problem", Problem, media=PROBLEM),),
        ("Retry-After",),
    ),
)

OPERATIONS: Final = (
    OperationDoc(
        method="GET",
        path="/v1/feed",
        id="readFeed",
        tag="feed",
        summary="Read the tenant's outcomes as they come",
        description=(
            "Every kept press of the tenant with its verdict, as it is on `timer.outcomes.v1`. As JSON lines: the last "
            "line says where the next request goes on. As server-sent events with `Accept: text/event-stream`, until "
            "the reader leaves. A reader that goes on after any line gets what follows exactly once.\n\n"
            "A process of its own answers this call. Where no gateway puts both on one host, as under `make run`, it "
            "has an address of its own."
        ),
        parameters=(
            query(
                "after",
                "Go on after this position. Empty: from where the feed begins. `now`: from its end.",
                {"type": "string"},
                "now",
            ),
            query(
                "wait",
                "JSON lines alone: if there is nothing, wait so many seconds for the first line.",
                {"type": "integer", "minimum": 0, "maximum": WAIT_SECONDS_MAX, "default": 0},
            ),
            query(
                "limit",
                "JSON lines alone: how many lines an answer may have.",
                {"type": "integer", "minimum": 1, "maximum": LINES_MAX, "default": LINES_DEFAULT},
            ),
            ParameterDoc(
                "Last-Event-ID",
                "header",
                "Events alone: the `id` of the last event that the reader has. It goes before `after`.",
                {"type": "string"},
            ),
        ),
        answers=(
            AnswerDoc(
                200,
                "The outcomes. The schema of JSON lines is that of one line.",
                (
                    ContentDoc("FeedLine", FeedLine, {"position": _AFTER, "outcome": _STARTED}, "application/x-ndjson"),
                    ContentDoc("FeedEvents", {"type": "string"}, _EVENTS, "text/event-stream"),
                ),
            ),
            *(answer for answer in problems(400, 403) if answer.status not in {own.status for own in _ITS_OWN}),
            *_ITS_OWN,
        ),
        security=BEARER,
    ),
)
