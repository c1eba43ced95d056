"""Dialect A: TheBase's timers, and the token that machines press with."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from services.command_api.dialects.reasons import sentence
from services.command_api.dialects.thebase.answers import STARTED, STOPPED
from services.command_api.dialects.thebase.reading import LIMIT_DEFAULT, LIMIT_MAX, StartBody
from services.command_api.openapi.operations.common import (
    BEARER,
    KEY,
    LONG_ID,
    MAY_BE_MISSING,
    MIN_POSITION,
    TIMER_ID,
    TimerIdText,
    limit,
    query,
)
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc
from shared.events.rules import Rule


class TheBaseStarted(BaseModel):
    """The timer's id, and the published message."""

    id: TimerIdText
    message: Literal["\u05d4\u05d8\u05d9\u05d9\u05de\u05e8 \u05d4\u05d5\u05e4\u05e2\u05dc"]


class TheBaseStopped(BaseModel):
    """The published message, and the minutes worked. `total_minuets` is spelt as it was published."""

    message: Literal["\u05d4\u05d8\u05d9\u05d9\u05de\u05e8 \u05d4\u05d5\u05e4\u05e1\u05e7"]
    total_minuets: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]$", examples=["1.7"])]


class TheBaseTimer(BaseModel):
    """A timer that is not stopped."""

    id: TimerIdText
    account_id: str | None
    start_time: Annotated[
        str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", json_schema_extra={"format": "date-time"})
    ]
    comment: str | None


class TheBaseLink(BaseModel):
    """Another page of the same list."""

    rel: Literal["self", "first", "next", "prev"]
    href: str


class TheBaseOpen(BaseModel):
    """One page of open timers, in the order of their ids. `count` is the number on this page."""

    items: list[TheBaseTimer]
    hasMore: bool  # noqa: N815 - published so
    limit: int
    offset: int
    count: int
    links: list[TheBaseLink]


class TheBaseError(BaseModel):
    """An error, in the style of Oracle REST Data Services. `instance` is the same for all."""

    code: str
    title: str
    message: str
    type: str
    instance: str


class TokenError(TheBaseError):
    """The same, with the code that clients of RFC 6749 expect. It is missing from a 503."""

    error: Annotated[Literal["invalid_request", "unsupported_grant_type", "invalid_client"], MAY_BE_MISSING]


class TokenForm(BaseModel):
    """The body of `POST /oauth/token`."""

    grant_type: Literal["client_credentials"]


class AccessToken(BaseModel):
    """A bearer token of the whole tenant."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: Annotated[int, Field(description="Seconds.")]


_BAD_REQUEST: Final = 400
_CODES: Final = {
    _BAD_REQUEST: ("BadRequest", "Bad Request", "owner is mandatory."),
    401: ("Unauthorized", "Unauthorized", sentence(Rule.TOKEN_UNKNOWN)),
    404: ("NotFound", "Not Found", "Not Found"),
    500: ("InternalServerError", "Internal Server Error", sentence(Rule.INTERNAL)),
    503: ("ServiceUnavailable", "Service Unavailable", "Please try again."),
}
_DESCRIPTIONS: Final = {
    _BAD_REQUEST: "The request is malformed, or a rule refused the press.",
    401: "The token is missing, unknown or expired.",
    404: "Unknown, malformed, and another tenant's: the same bytes for all.",
    500: "The fault is ours.",
    503: "No change is known to have been made: send the same request again, with the same `Idempotency-Key`.",
}
_OVER_QUOTA: Final = (
    " With `Retry-After`, the client is over its own limit (R19), where a deployment sets one, and nothing was done."
)
_HEADERS: Final[dict[int, tuple[str, ...]]] = {401: ("WWW-Authenticate",), 503: ("Retry-After",)}


def _errors(
    *statuses: int, name: str = "TheBaseError", model: type[TheBaseError] = TheBaseError
) -> tuple[AnswerDoc, ...]:
    answers = []
    for status in sorted({*statuses, 400, 401, 500, 503}):
        code, title, message = _CODES[status]
        kind = f"tag:oracle.com,2020:error/{code}"
        example = {"code": code, "title": title, "message": message, "type": kind}
        content = ContentDoc(name, model, example | {"instance": "tag:stint.invalid,2026:timer"})
        # No quota counts those that have no token yet.
        is_limited = status == _BAD_REQUEST and model is TheBaseError
        description = _DESCRIPTIONS[status] + (_OVER_QUOTA if is_limited else "")
        may_have = ("Retry-After",) if is_limited else ()
        always = _HEADERS.get(status, ())
        answers.append(AnswerDoc(status, description, (content,), always, f"{name}{status}", may_have))
    return tuple(answers)


_START: Final = ContentDoc(
    "TheBaseStart",
    StartBody,
    {"owner": "dana", "account_id": "1004", "start_time": "2026-11-28T07:20:00+02:00", "comment": "ridge tiles"},
)
_STARTED: Final = ContentDoc("TheBaseStarted", TheBaseStarted, {"id": LONG_ID, "message": STARTED})
_OPEN: Final = {
    "items": [{"id": LONG_ID, "account_id": None, "start_time": "2021-09-22T16:33:08Z", "comment": None}],
    "hasMore": False,
    "limit": 25,
    "offset": 0,
    "count": 1,
    "links": [{"rel": "self", "href": "/v2/timer/open?limit=25&offset=0"}],
}

OPERATIONS: Final = (
    OperationDoc(
        method="POST",
        path="/v2/timer/start",
        id="thebaseStart",
        tag="thebase",
        summary="Start a timer",
        description=(
            "`start_time` without an offset is read in the tenant's zone; empty, it is the moment of the call. Other "
            "members of the body are ignored."
        ),
        parameters=(KEY,),
        bodies=(_START,),
        answers=(
            AnswerDoc(201, "It runs.", (_STARTED,)),
            AnswerDoc(202, "Recorded, and not judged in time: without a key only.", (_STARTED,), ("Retry-After",)),
            *_errors(),
        ),
        security=BEARER,
    ),
    OperationDoc(
        method="PUT",
        path="/v2/timer/{timer_id}",
        id="thebaseStop",
        tag="thebase",
        summary="Stop a timer",
        description="It needs only the id. A second stop hears the same answer again, and nothing changes.",
        parameters=(TIMER_ID, KEY),
        bodies=(ContentDoc("TheBaseStop", {"type": "object", "maxProperties": 0}),),
        body_required=False,
        answers=(
            AnswerDoc(
                201,
                "It is stopped.",
                (ContentDoc("TheBaseStopped", TheBaseStopped, {"message": STOPPED, "total_minuets": "1.7"}),),
            ),
            *_errors(404),
        ),
        security=BEARER,
    ),
    OperationDoc(
        method="GET",
        path="/v2/timer/open",
        id="thebaseOpen",
        tag="thebase",
        summary="List the timers that are not stopped",
        parameters=(
            limit(LIMIT_DEFAULT, LIMIT_MAX),
            query("offset", "How many timers to leave out.", {"type": "integer", "minimum": 0, "default": 0}),
            MIN_POSITION,
        ),
        answers=(AnswerDoc(200, "One page.", (ContentDoc("TheBaseOpen", TheBaseOpen, _OPEN),)), *_errors()),
        security=BEARER,
    ),
    OperationDoc(
        method="POST",
        path="/oauth/token",
        id="issueToken",
        tag="thebase",
        summary="Get a bearer token for a client's id and secret",
        description="RFC 6749, client credentials. Errors also have the code of that RFC, in `error`.",
        bodies=(
            ContentDoc(
                "TokenForm",
                TokenForm,
                {"grant_type": "client_credentials"},
                media="application/x-www-form-urlencoded",
            ),
        ),
        answers=(
            AnswerDoc(
                200,
                "The token. No cache may keep it.",
                (
                    ContentDoc(
                        "AccessToken",
                        AccessToken,
                        {"access_token": "eyJhbGciOi…", "token_type": "bearer", "expires_in": 3600},
                    ),
                ),
                ("Cache-Control",),
            ),
            *_errors(name="TokenError", model=TokenError),
        ),
        security=("client",),
    ),
)
