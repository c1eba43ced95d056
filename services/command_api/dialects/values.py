"""Values in bodies: names, texts and times as callers write them. A bad value is refused before recording.

"", null and absent all mean "not given". A bare integer is its decimal text, read exactly (never through a float).
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, PlainValidator, ValidationError, ValidationInfo

from services.command_api.desk.commands import AskedTime
from services.command_api.dialects.jsontext import read_json
from services.command_api.dialects.malformed import Malformed, first_of, first_problem, wrong
from services.command_api.dialects.times import Opening, press_at, work_date
from shared.events.base import PAUSE_REASON, REFERENCE, is_writable
from shared.events.ids import parse_timer_id
from shared.events.rules import Rule

NAME_LENGTH_MAX: Final = 128
COMMENT_LENGTH_MAX: Final = 4000
WORK_ITEM_LENGTH_MAX: Final = 500
_TIME_LENGTH_MAX: Final = 64

# Ids have at most 39 digits and are below 2^128, like dialect A's own.
_BARE_END: Final = 1 << 128
_REFERENCE: Final = re.compile(REFERENCE)
_PAUSE_REASON: Final = re.compile(PAUSE_REASON)
_U_0000: Final = rb"\u0000"
_UNWRITABLE: Final = "The body has a text with U+0000 in it, which cannot be kept."
_NO_BODY: Final = re.compile(rb"(?:null|\{\s*\}|\[\s*\])?")

Read = TypeVar("Read")


def read_name(text: str, parameter: str) -> str | Malformed:
    """Return an owner or a job as a path names it, compared as text."""
    if not text:
        return Malformed(Rule.PARAMETER_MISSING, parameter)
    if not is_writable(text):
        return Malformed(Rule.VALUE_INVALID, parameter)
    return text if len(text) <= NAME_LENGTH_MAX else Malformed(Rule.TEXT_TOO_LONG, parameter)


def text_given(value: object) -> str | None:
    """Return a text that can be stored, or None when none was given. Raises the error of R03."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not is_writable(value):
        raise wrong(Rule.VALUE_INVALID)
    return value


def _text_or_number(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value < _BARE_END:
            raise wrong(Rule.VALUE_INVALID)
        return str(value)
    return text_given(value)


def _name(value: object) -> str | None:
    return _up_to(NAME_LENGTH_MAX, _text_or_number(value))


def _required_name(value: object) -> str:
    name = _name(value)
    if name is None:
        raise wrong(Rule.PARAMETER_MISSING)
    return name


def _timer_id(value: object) -> int:
    # In a body, a malformed id is R03. In a path it is R05.
    spelt = _text_or_number(value)
    if spelt is None:
        raise wrong(Rule.PARAMETER_MISSING)
    timer_id = parse_timer_id(spelt)
    if timer_id is None:
        raise wrong(Rule.VALUE_INVALID)
    return timer_id


def _up_to(length_max: int, text: str | None) -> str | None:
    if text is not None and len(text) > length_max:
        raise wrong(Rule.TEXT_TOO_LONG)
    return text


def _text_up_to(length_max: int) -> Callable[[object], str | None]:
    return lambda value: _up_to(length_max, text_given(value))


def _like(pattern: re.Pattern[str], text: str | None) -> str | None:
    if text is None or pattern.fullmatch(text):
        return text
    # The patterns are of characters and a length. Where each character alone passes, the text is only too long.
    raise wrong(Rule.TEXT_TOO_LONG if all(map(pattern.fullmatch, text)) else Rule.VALUE_INVALID)


def _reference(value: object) -> str | None:
    return _like(_REFERENCE, _text_or_number(value))


def _pause_reason(value: object) -> str | None:
    return _like(_PAUSE_REASON, text_given(value))


def _time_text(value: object) -> str | None:
    text = text_given(value)
    if text is not None and len(text) > _TIME_LENGTH_MAX:
        raise wrong(Rule.VALUE_INVALID)  # no time and no day is so long
    return text


def _or_wrong(found: Read | Malformed | None) -> Read | None:
    if isinstance(found, Malformed):
        raise wrong(found.rule, found.sentence)
    return found


# Times are read while the body is, so that a wrong one is answered in the order of the rules.
def _press_at(value: object) -> AskedTime | None:
    return _or_wrong(press_at(_time_text(value)))


def _work_date(value: object) -> date | None:
    return _or_wrong(work_date(_time_text(value)))


def _resume_at(value: object, info: ValidationInfo[Opening]) -> AskedTime | None:
    return _or_wrong(info.context.at(_time_text(value)))


def _start_at(value: object, info: ValidationInfo[Opening]) -> AskedTime | None:
    return _or_wrong(info.context.start_at(_time_text(value)))


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
# Both spellings. Which numbers are ids no pattern can say: a long id has digits that check it.
_TimerIdSaid = Annotated[str, Field(pattern=r"^[0-9]{1,39}$")] | Annotated[int, Field(ge=0, lt=_BARE_END)]
_CommentSaid = Annotated[str, Field(max_length=COMMENT_LENGTH_MAX)] | None
_WorkItemSaid = Annotated[str, Field(max_length=WORK_ITEM_LENGTH_MAX)] | None
_NotGiven = Literal[""] | None
_ReferenceSaid = Annotated[str, Field(pattern=REFERENCE)] | Annotated[int, Field(ge=0, lt=_BARE_END)] | _NotGiven
_ReasonSaid = Annotated[str, Field(pattern=PAUSE_REASON)] | _NotGiven

YesOrNo = Annotated[bool | None, PlainValidator(_yes_or_no, json_schema_input_type=bool | _NotGiven)]
RequiredName = Annotated[str, PlainValidator(_required_name, json_schema_input_type=_RequiredNameSaid)]
TimerId = Annotated[int, PlainValidator(_timer_id, json_schema_input_type=_TimerIdSaid)]
Name = Annotated[str | None, PlainValidator(_name, json_schema_input_type=_NameSaid | None)]
ReferenceText = Annotated[str | None, PlainValidator(_reference, json_schema_input_type=_ReferenceSaid)]
ReasonCode = Annotated[str | None, PlainValidator(_pause_reason, json_schema_input_type=_ReasonSaid)]
Comment = Annotated[str | None, PlainValidator(_text_up_to(COMMENT_LENGTH_MAX), json_schema_input_type=_CommentSaid)]
WorkItem = Annotated[
    str | None, PlainValidator(_text_up_to(WORK_ITEM_LENGTH_MAX), json_schema_input_type=_WorkItemSaid)
]
TimeText = Annotated[str | None, PlainValidator(_time_text, json_schema_input_type=AwareDatetime | _NotGiven)]
PressAt = Annotated[AskedTime | None, PlainValidator(_press_at, json_schema_input_type=AwareDatetime | _NotGiven)]
# In the bodies of presses that begin an interval: `read_body` needs an `Opening`.
ResumeAt = Annotated[AskedTime | None, PlainValidator(_resume_at, json_schema_input_type=AwareDatetime | _NotGiven)]
StartAt = Annotated[AskedTime | None, PlainValidator(_start_at, json_schema_input_type=AwareDatetime | _NotGiven)]
WorkDate = Annotated[date | None, PlainValidator(_work_date, json_schema_input_type=date | _NotGiven)]
DayText = Annotated[str | None, PlainValidator(_time_text, json_schema_input_type=date | _NotGiven)]


def says_nothing(body: bytes) -> bool:
    """Return whether a body counts as absent: empty, null, `{}`, or the `[]` that PHP makes of no parameters."""
    return not body or _NO_BODY.fullmatch(body.strip()) is not None


Body = TypeVar("Body", bound=BaseModel)


def read_body(kind: type[Body], body: bytes, opening: Opening | None = None) -> Body | Malformed:
    """Return the body as its model, or the first problem with it. A press that begins an interval needs `opening`."""
    try:
        value = read_json(body)
    except ValueError:
        return Malformed(Rule.VALUE_INVALID, "body")
    # Of a member that is not known too, which dialect A ignores otherwise. JSON has no other spelling of U+0000, and a
    # lone surrogate is no JSON.
    is_unwritable = _U_0000 in body and not is_writable(value)
    unwritable = Malformed(Rule.VALUE_INVALID, "body", _UNWRITABLE) if is_unwritable else None
    try:
        said = kind.model_validate(value, context=opening)
    except ValidationError as error:
        return first_of(first_problem(error, kind.model_fields), unwritable)
    return unwritable or said
