"""Dialect B: Zoho People's timer, in JSON or in XML."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from services.command_api.dialects.values import NAME_LENGTH_MAX, WORK_ITEM_LENGTH_MAX
from services.command_api.dialects.zoho.answers import RUNNING_URI, SUCCEEDED, TIMER_URI
from services.command_api.dialects.zoho.dates import DEFAULT_FORMAT, FORMAT_LENGTH_MAX
from services.command_api.dialects.zoho.reading import DESCRIPTION_LENGTH_MAX
from services.command_api.openapi.operations.common import (
    KEY,
    MAY_BE_MISSING,
    MIN_POSITION,
    SHORT_ID,
    ShortIdText,
    query,
)
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, OperationDoc, ParameterDoc, Schema
from shared.events.rule_rows import ZOHO_FAILED, ZOHO_TEXTS, ZohoCode

_FORM: Final = "application/x-www-form-urlencoded"
_Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)]
_SpeltId = Annotated[str, Field(pattern="^[0-9]{1,39}$", description="The timer's id, in either spelling.")]
_DateFormat = Annotated[str, Field(max_length=FORMAT_LENGTH_MAX, description="Of the letters y, M and d, each once.")]
_Format = Annotated[Literal["json", "xml"], Field(description="Of the answer; goes before `Accept`.")]


class ZohoStart(BaseModel):
    """A start."""

    timer: Literal["start"]
    user: Annotated[_Name, Field(description="The owner, or an alias of the token's person.")]
    jobId: _Name  # noqa: N815 - published so
    workDate: Annotated[str, Field(min_length=1, description="In `dateFormat`. It moves no time.")]  # noqa: N815
    billingStatus: Annotated[  # noqa: N815
        str, Field(pattern="^([Bb]illable|[Nn]on[ -]?[Bb]illable|[01])$", description="In any case of letters.")
    ]
    projectId: Annotated[_Name, MAY_BE_MISSING]  # noqa: N815
    dateFormat: _DateFormat = DEFAULT_FORMAT  # noqa: N815
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH_MAX), MAY_BE_MISSING]
    workItem: Annotated[str, Field(max_length=WORK_ITEM_LENGTH_MAX), MAY_BE_MISSING]  # noqa: N815
    format: _Format = "json"


class ZohoPress(BaseModel):
    """A pause (`timer=stop`) or a resume (`timer=start`)."""

    timeLogId: _SpeltId  # noqa: N815
    timer: Literal["start", "stop"]
    format: _Format = "json"


class ZohoStartResult(BaseModel):
    """The timer that was started."""

    timeLogId: ShortIdText  # noqa: N815


class ZohoRunning(BaseModel):
    """The running timer. Seconds count from the local midnight of the day on which its open interval began."""

    timelogId: ShortIdText  # noqa: N815
    timerId: ShortIdText  # noqa: N815
    jobId: str  # noqa: N815
    jobName: Annotated[str, Field(description="The job's id.")]  # noqa: N815
    erecno: Annotated[str, Field(description="The owner.")]
    employeename: str
    taskName: Annotated[str, Field(description="The work item.")]  # noqa: N815
    workDate: str  # noqa: N815
    billingStatus: Literal["billable", "nonbillable"]  # noqa: N815
    isRunning: Literal[True]  # noqa: N815
    date: Annotated[int, Field(description="Now.")]
    fromTime: Annotated[int, Field(description="When the open interval began.")]  # noqa: N815
    diff: Annotated[int, Field(ge=0, description="`date` less `fromTime`.")]
    totaltime: Annotated[int, Field(description="Seconds, the open interval included.")]
    hours: Annotated[int, Field(description="Whole minutes, floored.")]


class ZohoPressed(BaseModel):
    """What is said of a press that counts. A start has a result."""

    result: Annotated[list[ZohoStartResult], MAY_BE_MISSING]
    message: str
    uri: Literal["/api/timetracker/timer"]
    status: Literal[0]


class ZohoFetched(BaseModel):
    """What is said of the running timer. No result: nothing runs."""

    result: Annotated[ZohoRunning, MAY_BE_MISSING]
    message: str
    uri: Literal["/api/timetracker/getcurrentlyrunningtimer"]
    status: Literal[0]


class ZohoErrorCode(BaseModel):
    """A published code, and its text."""

    code: int | str
    message: str


class ZohoFailed(BaseModel):
    """What is said of a failure: the message by verb, and a code."""

    message: str
    uri: str
    errors: ZohoErrorCode
    status: Literal[1]


class ZohoPressAnswer(BaseModel):
    """The answer to a press that counts."""

    response: ZohoPressed


class ZohoFetchAnswer(BaseModel):
    """The answer with the running timer."""

    response: ZohoFetched


class ZohoErrorAnswer(BaseModel):
    """The answer to a failure."""

    response: ZohoFailed


_XML: Final[Schema] = {"type": "string", "description": "The same in XML: `Accept: application/xml`, or `format=xml`."}
_HEADERS: Final[dict[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
_DESCRIPTIONS: Final = {
    400: "Malformed, or refused by a rule: `code` says which. A deployment may answer 200 instead.",
    401: "The token is missing, unknown or expired.",
    408: "The body took too long to arrive.",
    413: "The body is too large.",
    429: "Over the threshold: the caller is locked out of this URI for as long as `Retry-After` says.",
    500: "The fault is ours.",
    503: "No change is known to have been made: send the same request again, with the same `Idempotency-Key`.",
}
_CODES: Final[dict[int, ZohoCode]] = {
    400: 8001,
    401: "INVALID_OAUTHTOKEN",
    429: 7209,
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
SECURITY: Final = ("zohoToken", "bearer")


def _in_xml(name: str, inner: str, status: int, uri: str = TIMER_URI) -> ContentDoc:
    content = f'<response uri="{uri}">\n<status>{status}</status>\n{inner}\n</response>'
    return ContentDoc(f"{name}Xml", _XML, f'<?xml version="1.0" encoding="UTF-8"?>\n{content}', "application/xml")


def _errors(uri: str, verb: str, *statuses: int) -> tuple[AnswerDoc, ...]:
    return tuple(_error(status, uri, verb) for status in sorted({*statuses, 400, 401, 429, 500, 503}))


def _error(status: int, uri: str, verb: str) -> AnswerDoc:
    code = _CODES.get(status)
    errors = {"code": code, "message": ZOHO_TEXTS[code]} if code is not None else None
    example = (
        {"response": {"message": ZOHO_FAILED[verb], "uri": uri, "errors": errors, "status": 1}} if errors else None
    )
    contents = (
        ContentDoc("ZohoErrorAnswer", ZohoErrorAnswer, example),
        ContentDoc("Xml", _XML, media="application/xml"),
    )
    name = f"Zoho{verb.capitalize()}Error{status}"
    return AnswerDoc(status, _DESCRIPTIONS[status], contents, _HEADERS.get(status, ()), name)


def _answered(uri: str, message: str, result: object = None) -> dict[str, Any]:
    content = {"message": message, "uri": uri, "status": 0}
    return {"response": content if result is None else {"result": result} | content}


_RUNNING: Final = {
    "timelogId": SHORT_ID,
    "timerId": SHORT_ID,
    "jobId": "roof",
    "jobName": "roof",
    "erecno": "dana",
    "employeename": "Dana Levi",
    "taskName": "",
    "workDate": "2026-11-28",
    "billingStatus": "billable",
    "isRunning": True,
    "date": 26420,
    "fromTime": 26380,
    "diff": 40,
    "totaltime": 44,
    "hours": 0,
}
_PRESSED: Final = AnswerDoc(
    200,
    "It counts. A start has a `result`; a pause and a resume have none.",
    (
        ContentDoc(
            "ZohoPressAnswer", ZohoPressAnswer, _answered(TIMER_URI, SUCCEEDED["start"], [{"timeLogId": SHORT_ID}])
        ),
        _in_xml("ZohoPressAnswer", f"<message>{SUCCEEDED['pause']}</message>", 0),
    ),
)
_START: Final = {
    "timer": "start",
    "user": "dana",
    "jobId": "roof",
    "workDate": "2026-11-28",
    "billingStatus": "billable",
}
_THRESHOLD: Final = (
    "A caller may make 20 requests on one URI within any minute; the next one locks it out of that URI for 5 minutes."
)


def _in_query(name: str, description: str, schema: Schema, *, required: bool = False) -> ParameterDoc:
    return ParameterDoc(name, "query", description, schema, required=required)


_NAME: Final[Schema] = {"type": "string", "maxLength": NAME_LENGTH_MAX}
_TEXT: Final[Schema] = {"type": "string"}
_FORMAT: Final = query("format", "Of the answer; goes before `Accept`.", {"type": "string", "enum": ["json", "xml"]})
_DATE_FORMAT: Final = query(
    "dateFormat",
    f"Of the letters y, M and d, each once. Without it: {DEFAULT_FORMAT}.",
    {"type": "string", "maxLength": FORMAT_LENGTH_MAX},
    "dd-MMM-yyyy",
)

OPERATIONS: Final = (
    OperationDoc(
        method="POST",
        path=f"/people{TIMER_URI}",
        id="zohoPress",
        tag="zoho",
        summary="Start, pause or resume a timer",
        description=(
            "With `timeLogId`: `timer=stop` pauses and `timer=start` resumes. Without it, `timer=start` starts. The "
            f"same parameters may stand in the query instead; each may be given once. {_THRESHOLD}"
        ),
        parameters=(KEY,),
        bodies=(
            ContentDoc("ZohoStart", ZohoStart, _START, _FORM),
            ContentDoc("ZohoPress", ZohoPress, {"timeLogId": SHORT_ID, "timer": "stop"}, _FORM),
        ),
        answers=(_PRESSED, *_errors(TIMER_URI, "start", 408, 413)),
        security=SECURITY,
    ),
    OperationDoc(
        method="GET",
        path=f"/people{TIMER_URI}",
        id="zohoPressByGet",
        tag="zoho",
        summary="The same, with all parameters in the query",
        description="It records a press, as POST does: clients of the published API use either.",
        parameters=(
            _in_query("timer", "`start` or `stop`.", {"type": "string", "enum": ["start", "stop"]}, required=True),
            _in_query("timeLogId", "The timer to pause or to resume.", {"type": "string", "pattern": "^[0-9]{1,39}$"}),
            _in_query("user", "Of a start: the owner, or an alias of the token's person.", _NAME),
            _in_query("jobId", "Of a start.", _NAME),
            _in_query("workDate", "Of a start.", _TEXT),
            _in_query("billingStatus", "Of a start.", _TEXT),
            _in_query("projectId", "Of a start.", _NAME),
            _in_query("description", "Of a start.", {"type": "string", "maxLength": DESCRIPTION_LENGTH_MAX}),
            _in_query("workItem", "Of a start.", {"type": "string", "maxLength": WORK_ITEM_LENGTH_MAX}),
            _DATE_FORMAT,
            _FORMAT,
            KEY,
        ),
        answers=(_PRESSED, *_errors(TIMER_URI, "start")),
        security=SECURITY,
    ),
    OperationDoc(
        method="GET",
        path=f"/people{RUNNING_URI}",
        id="zohoRunning",
        tag="zoho",
        summary="Read the running timer of the token's person",
        description=f"Several run: the one that was opened last. {_THRESHOLD}",
        parameters=(_DATE_FORMAT, _FORMAT, MIN_POSITION),
        answers=(
            AnswerDoc(
                200,
                "The running timer. No `result`: nothing runs.",
                (
                    ContentDoc(
                        "ZohoFetchAnswer", ZohoFetchAnswer, _answered(RUNNING_URI, SUCCEEDED["fetch"], _RUNNING)
                    ),
                    _in_xml("ZohoFetchAnswer", f"<message>{SUCCEEDED['fetch']}</message>", 0, RUNNING_URI),
                ),
            ),
            *_errors(RUNNING_URI, "fetch"),
        ),
        security=SECURITY,
    ),
)
