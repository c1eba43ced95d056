"""What many calls of dialect C share: parameters, headers, problems, and the kinds of values in answers."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from services.command_api.dialects.headers import KEY_LENGTH_MAX
from services.command_api.dialects.native.answers import cannot_be
from services.command_api.dialects.reasons import sentence
from services.command_api.dialects.values import NAME_LENGTH_MAX
from services.command_api.openapi.parts import AnswerDoc, ContentDoc, HeaderDocs, ParameterDoc, Schema
from shared.events.outcome import State
from shared.events.rule_table import RULE_ROWS, row_of
from shared.events.rules import Rule
from shared.process.http.problem import PROBLEM, problem_of

LONG_ID: Final = "257320203524258629733470937803215361434"
SHORT_ID: Final = "914385031908034631"
EVENT_ID: Final = "019ac8f1-5d23-7000-8000-000000000001"
MOMENT: Final = "2026-11-28T05:19:40.059232Z"
POSITION: Final = "6:52"

# Marks a member that an answer may leave out. Null would mean something else.
MAY_BE_MISSING: Final[Any] = Field(default=None)

TimerIdText = Annotated[str, Field(pattern=r"^[0-9]{39}$", description="The timer's id.", examples=[LONG_ID])]
ShortIdText = Annotated[
    str, Field(pattern=r"^[0-9]{18,19}$", description="The short spelling of the same id.", examples=[SHORT_ID])
]
MomentText = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
        json_schema_extra={"format": "date-time"},
        description="A moment in UTC, always with six decimals of a second.",
    ),
]
DayText = Annotated[str, Field(json_schema_extra={"format": "date"}, description="A local day.")]
PositionText = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,9}:[0-9]{1,18}$",
        description="The place of a press on the log, for `X-Min-Position`.",
    ),
]
SecondsNumber = Annotated[float, Field(description="Seconds: exact, with at most six decimals.")]
FoundRule = Annotated[str, Field(description="The rule's id; docs/rules.md tells each.", examples=["R13"])]


class Problem(BaseModel):
    """An error, as RFC 9457 has it. `rule` names the rule that was broken; null: the status says everything."""

    type: Annotated[str, Field(description="`about:blank`, or a tag that ends with the rule's id.")]
    title: Annotated[str, Field(description="A short text that is the same for each problem of this type.")]
    status: int
    detail: Annotated[str, Field(description="A sentence for whoever reads a log. It repeats no value of the request.")]
    rule: str | None


OWNER_SCHEMA: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH_MAX}
DAY_SCHEMA: Final[Schema] = {"type": "string", "format": "date"}
# A day, or a moment with an offset.
WHEN_SCHEMA: Final[Schema] = {"anyOf": [DAY_SCHEMA, {"type": "string", "format": "date-time"}]}

TIMER_ID: Final = ParameterDoc(
    "timer_id",
    "path",
    "The timer's id, in its long or its short spelling.",
    {"type": "string", "pattern": "^[0-9]{1,39}$"},
    LONG_ID,
    required=True,
)
OWNER: Final = ParameterDoc("owner", "path", "The owner, compared as text.", OWNER_SCHEMA, "dana", required=True)
JOB: Final = ParameterDoc("job", "path", "The job, compared as text.", OWNER_SCHEMA, "roof", required=True)
KEY: Final = ParameterDoc(
    "Idempotency-Key",
    "header",
    "Makes a retry safe: the same key with the same body hears the first answer again, for 30 days.",
    {
        "type": "string",
        "minLength": 1,
        "maxLength": KEY_LENGTH_MAX,
        "pattern": "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$",
    },
    "roof-1764307180",
)
WAIT: Final = ParameterDoc(
    "Prefer",
    "header",
    "`wait=n`: wait up to n seconds for the verdict, at most 30. Anything else is ignored.",
    {"type": "string"},
    "wait=10",
)
MIN_POSITION: Final = ParameterDoc(
    "X-Min-Position",
    "header",
    "Wait until the read models have passed this position; after 2 seconds the answer is 503. It does not wait for "
    "comments and work items, which are kept beside them and follow within milliseconds.",
    {"type": "string", "pattern": "^[0-9]{1,9}:[0-9]{1,18}$"},
)

HEADERS: Final[HeaderDocs] = {
    "Location": ("Where the timer, or the outcome, is read.", {"type": "string"}),
    "Retry-After": ("Seconds after which to send the request again.", {"type": "integer", "minimum": 0}),
    "WWW-Authenticate": ("The scheme that the token is sent with.", {"type": "string"}),
    "ETag": ("The revision, for `If-Match` and `If-None-Match`.", {"type": "string"}),
    "X-Position": (
        "Of an answer in CSV or XLSX: how far these days have been folded. Missing before the first press.",
        {"type": "string"},
    ),
    "Content-Disposition": ("Of an answer in XLSX: it is to be kept, as a file of this name.", {"type": "string"}),
    "Cache-Control": ("`no-store`.", {"type": "string"}),
}
_HEADERS_OF: Final[dict[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
_DESCRIPTIONS: Final[dict[int, str]] = {
    404: "There is no such thing, or the caller may not know of it.",
    408: "The body took too long to arrive.",
    409: "Another state of things is in force.",
    413: "The body is too large.",
    429: "The client is over its own limit, where a deployment sets one. Nothing was done.",
    500: "The fault is ours. A retry with the same `Idempotency-Key` is safe.",
    503: "No change is known to have been made: send the same request again, with the same `Idempotency-Key`.",
}
# The rule whose refusal is the example of a status.
_EXAMPLES: Final[dict[int, Rule]] = {
    400: Rule.PARAMETER_MISSING,
    401: Rule.TOKEN_UNKNOWN,
    403: Rule.NOT_THE_OWNER,
    404: Rule.TIMER_UNKNOWN,
    409: Rule.NOT_LEGAL_NOW,
    422: Rule.KEY_REUSED,
    429: Rule.RATE_LIMITED,
}


def problems(*statuses: int) -> tuple[AnswerDoc, ...]:
    """Return the errors of a call of dialect C: those that it names, and those that every call has."""
    return tuple(_problem(status) for status in sorted({*statuses, 401, 429, 500, 503}))


def with_body(*statuses: int) -> tuple[AnswerDoc, ...]:
    """Return the same for a call with a body, which may be malformed, too large or too slow."""
    return problems(400, 408, 413, *statuses)


def _problem(status: int) -> AnswerDoc:
    content = ContentDoc("Problem", Problem, _example(status), PROBLEM)
    return AnswerDoc(status, _description_of(status), (content,), _HEADERS_OF.get(status, ()), f"Problem{status}")


def _description_of(status: int) -> str:
    rules = [f"{row.rule.value}: {row.means}" for row in RULE_ROWS if row.native == status and status < 500]  # noqa: PLR2004 - the first status that is our fault
    sentences = [_DESCRIPTIONS[status]] if status in _DESCRIPTIONS else []
    if len(rules) > 1:
        return "\n".join([*sentences, *(f"- {rule}" for rule in rules)])
    return " ".join([*sentences, *rules])


def _example(status: int) -> dict[str, Any] | None:
    rule = _EXAMPLES.get(status)
    if rule is None:
        return None
    about = row_of(rule).about
    if rule is Rule.NOT_LEGAL_NOW:
        detail = cannot_be("pause", State.PAUSED)
    else:
        detail = sentence(rule) if about is None else about.format(parameter="owner")
    return problem_of(status, detail, rule)


def query(name: str, description: str, schema: Schema, example: object = None) -> ParameterDoc:
    """Return an optional parameter of a query."""
    return ParameterDoc(name, "query", description, schema, example)


def cursor(description: str = "The `next_cursor` of the page before, with the same filters.") -> ParameterDoc:
    """Return the parameter that goes on where a page ended."""
    return query("cursor", description, {"type": "string"})


def limit(default: int, most: int) -> ParameterDoc:
    """Return the parameter that says how many items a page may have."""
    schema: Schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return query("limit", "How many items a page may have.", schema)


BEARER: Final = ("bearer",)
