"""Values in bodies: names, texts and times as callers write them. A bad value is refused before recording.

"", null and absent all mean "not given". A bare integer is its decimal text, read exactly (never through a float).
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, PlainValidator, ValidationError

from services.command_api.dialects.jsontext import read_json
from services.command_api.dialects.malformed import Malformed, first_problem, wrong
from shared.events.base import PAUSE_REASON, REFERENCE
from shared.events.rules import Rule

NAME_LENGTH_MAX: Final = 128
COMMENT_LENGTH_MAX: Final = 4000
WORK_ITEM_LENGTH_MAX: Final = 500
PAUSE_REASON_LENGTH_MAX: Final = 32

# Ids have at most 39 digits and are below 2^128, like dialect A's own.
_BARE_END: Final = 1 << 128
_REFERENCE: Final = re.compile(REFERENCE)
_PAUSE_REASON: Final = re.compile(PAUSE_REASON)
_NO_BODY: Final = re.compile(rb"(?:null|\{\s*\}|\[\s*\])?")


def is_writable(text: str) -> bool:
    """Say whether `text` can be stored: Postgres refuses U+0000, and no encoding can write a lone surrogate."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


def _name(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value < _BARE_END:
            raise wrong(Rule.VALUE_INVALID)
        return str(value)
    return _text_up_to(NAME_LENGTH_MAX)(value)


def _required_name(value: object) -> str:
    name = _name(value)
    if name is None:
        raise wrong(Rule.PARAMETER_MISSING)
    return name


def _text_up_to(length_max: int) -> Callable[[object], str | None]:
    def text(value: object) -> str | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not is_writable(value):
            raise wrong(Rule.VALUE_INVALID)
        if len(value) > length_max:
            raise wrong(Rule.TEXT_TOO_LONG)
        return value

    return text


def _reference(value: object) -> str | None:
    name = _name(value)
    if name is not None and not _REFERENCE.fullmatch(name):
        raise wrong(Rule.VALUE_INVALID)
    return name


def _pause_reason(value: object) -> str | None:
    text = _text_up_to(PAUSE_REASON_LENGTH_MAX)(value)
    if text is not None and not _PAUSE_REASON.fullmatch(text):
        raise wrong(Rule.VALUE_INVALID)
    return text


def _yes_or_no(value: object) -> bool | None:
    if value is None or value == "":
        return None
    if not isinstance(value, bool):
        raise wrong(Rule.VALUE_INVALID)
    return value


# What the OpenAPI document says that callers should send. A validator takes all of it, and a few spellings more.
_NameSaid = Annotated[str, Field(max_length=NAME_LENGTH_MAX)] | Annotated[int, Field(ge=0, lt=_BARE_END)]
_RequiredNameSaid = (
    Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)] | Annotated[int, Field(ge=0, lt=_BARE_END)]
)
_CommentSaid = Annotated[str, Field(max_length=COMMENT_LENGTH_MAX)] | None
_WorkItemSaid = Annotated[str, Field(max_length=WORK_ITEM_LENGTH_MAX)] | None
_NotGiven = Literal[""] | None
_ReferenceSaid = Annotated[str, Field(pattern=REFERENCE)] | Annotated[int, Field(ge=0, lt=_BARE_END)] | _NotGiven
_ReasonSaid = Annotated[str, Field(pattern=PAUSE_REASON)] | _NotGiven

YesOrNo = Annotated[bool | None, PlainValidator(_yes_or_no, json_schema_input_type=bool | _NotGiven)]
RequiredName = Annotated[str, PlainValidator(_required_name, json_schema_input_type=_RequiredNameSaid)]
Name = Annotated[str | None, PlainValidator(_name, json_schema_input_type=_NameSaid | None)]
ReferenceText = Annotated[str | None, PlainValidator(_reference, json_schema_input_type=_ReferenceSaid)]
ReasonCode = Annotated[str | None, PlainValidator(_pause_reason, json_schema_input_type=_ReasonSaid)]
Comment = Annotated[str | None, PlainValidator(_text_up_to(COMMENT_LENGTH_MAX), json_schema_input_type=_CommentSaid)]
WorkItem = Annotated[
    str | None, PlainValidator(_text_up_to(WORK_ITEM_LENGTH_MAX), json_schema_input_type=_WorkItemSaid)
]
# `times` reads times and days, because it knows zones; here they are only text of a sane length.
_time_text: Final = _text_up_to(64)
TimeText = Annotated[str | None, PlainValidator(_time_text, json_schema_input_type=AwareDatetime | _NotGiven)]
DayText = Annotated[str | None, PlainValidator(_time_text, json_schema_input_type=date | _NotGiven)]
ShortText = Annotated[str | None, PlainValidator(_time_text, json_schema_input_type=str | None)]


def says_nothing(body: bytes) -> bool:
    """Say whether a body counts as absent: empty, null, `{}`, or the `[]` that PHP makes of no parameters."""
    return _NO_BODY.fullmatch(body.strip()) is not None


Body = TypeVar("Body", bound=BaseModel)


def read_body(kind: type[Body], body: bytes) -> Body | Malformed:
    """Return the body as its model, or the first problem with it."""
    try:
        return kind.model_validate(read_json(body))
    except ValidationError as error:
        return first_problem(error)
    except ValueError:
        return Malformed(Rule.VALUE_INVALID, "body")
