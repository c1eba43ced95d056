"""What is stated about an owner, each from its path and its body to a command.

With care: fields of the bodies. Adding one is free, but the digest counts every field that was sent.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, PlainValidator

from services.command_api.desk.commands import (
    AskedTime,
    EraseTexts,
    RecordAttendance,
    SetEstimate,
    SetLeave,
    SetProfile,
)
from services.command_api.dialects.malformed import Malformed, fault_in, first_of, wrong
from services.command_api.dialects.times import asked_time, day
from services.command_api.dialects.values import (
    NAME_LENGTH_MAX,
    DayText,
    TimeText,
    YesOrNo,
    read_body,
    read_name,
    says_nothing,
    text_given,
)
from shared.events.base import Model, in_calendar, is_writable
from shared.events.rules import Rule
from shared.events.zones import is_zone, zone

ALIASES_MAX: Final = 50
# As the event has it: some thirty years.
SECONDS_MAX: Final = 1_000_000_000

# A local date and the date in UTC differ by at most one.
_A_DAY: Final = timedelta(days=1)


def _aliases(value: object) -> tuple[str, ...] | None:
    if value is None or value == "":
        return None
    if not isinstance(value, list) or len(value) > ALIASES_MAX:
        raise wrong(Rule.VALUE_INVALID)
    if not all(isinstance(alias, str) and alias and is_writable(alias) for alias in value):
        raise wrong(Rule.VALUE_INVALID)
    if any(len(alias) > NAME_LENGTH_MAX for alias in value):
        raise wrong(Rule.TEXT_TOO_LONG)
    return tuple(value)


def _zone(value: object) -> str | None:
    name = text_given(value)
    if name is not None and not is_zone(name):
        raise wrong(Rule.VALUE_INVALID)
    return name


def _seconds(value: object) -> int:
    if value is None or value == "":
        raise wrong(Rule.PARAMETER_MISSING)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= SECONDS_MAX:
        raise wrong(Rule.VALUE_INVALID)
    return value


def _needed(value: object) -> str:
    if value is None or value == "":
        raise wrong(Rule.PARAMETER_MISSING)
    if not isinstance(value, str):
        raise wrong(Rule.VALUE_INVALID)
    return value


# What the OpenAPI document says that callers should send.
_SecondsSaid = Annotated[int, Field(ge=0, le=SECONDS_MAX)]
_AliasesSaid = (
    Annotated[list[Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)]], Field(max_length=ALIASES_MAX)]
    | Literal[""]
    | None
)


class NoBody(Model):
    """The body of a call that says everything in its path."""


class ProfileBody(Model):
    """The body of `PUT /v1/owners/{owner}`. What is not given stays as it was."""

    zone: Annotated[str | None, PlainValidator(_zone, json_schema_input_type=str | None)] = None
    timers_disabled: YesOrNo = None
    active: YesOrNo = None
    aliases: Annotated[tuple[str, ...] | None, PlainValidator(_aliases, json_schema_input_type=_AliasesSaid)] = None


class AttendanceBody(Model):
    """The body of `POST /v1/owners/{owner}/attendance`."""

    checked_in_at: Annotated[str, PlainValidator(_needed, json_schema_input_type=AwareDatetime)]
    checked_out_at: TimeText = None
    on: DayText = None


class EstimateBody(Model):
    """The body of `PUT /v1/owners/{owner}/estimates/{job}`."""

    seconds: Annotated[int, PlainValidator(_seconds, json_schema_input_type=_SecondsSaid)]


@dataclass(frozen=True, slots=True)
class StatedProfile:
    """What a profile says: a fact for the log, and aliases for the person. `aliases` None: they stay."""

    fact: SetProfile
    aliases: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class StatedAttendance:
    """A window as its caller gave it. `on` None: its day is still to be found."""

    owner: str
    checked_in: AskedTime
    checked_out: AskedTime | None
    on: date | None

    def on_its_day(self, zone_name: str) -> RecordAttendance | Malformed:
        """Return the command, with the local day of the check-in in `zone_name` unless the caller named one."""
        if self.on is not None:
            return RecordAttendance(self.owner, self.on, self.checked_in, self.checked_out)
        try:
            on = in_calendar(self.checked_in.instant.astimezone(zone(zone_name)).date())
        except (ValueError, OverflowError):
            return Malformed(Rule.VALUE_INVALID, "checked_in_at")
        return RecordAttendance(self.owner, on, self.checked_in, self.checked_out, on_given=False)


def read_profile(owner: str, body: bytes) -> StatedProfile | Malformed:
    """Translate the body of a profile."""
    fields = ProfileBody() if says_nothing(body) else read_body(ProfileBody, body)
    if isinstance(fields, Malformed):
        return fields
    return StatedProfile(SetProfile(owner, fields.zone, fields.timers_disabled, fields.active), fields.aliases)


def read_leave(owner: str, spelt_day: str, body: bytes, *, granted: bool) -> SetLeave | Malformed:
    """Translate a day of leave; the body may be missing."""
    on = day(spelt_day)
    if on is None:
        return Malformed(Rule.VALUE_INVALID, "day")
    return _nothing_in(body) or SetLeave(owner, on, granted)


def read_attendance(owner: str, body: bytes) -> StatedAttendance | Malformed:
    """Translate the body of an attendance."""
    fields = read_body(AttendanceBody, body)
    if isinstance(fields, Malformed):
        return fields
    checked_in = asked_time(fields.checked_in_at, zone_name=None)
    if checked_in is None:
        return Malformed(Rule.VALUE_INVALID, "checked_in_at")
    checked_out = None if fields.checked_out_at is None else asked_time(fields.checked_out_at, zone_name=None)
    if fields.checked_out_at is not None and checked_out is None:
        return Malformed(Rule.VALUE_INVALID, "checked_out_at")
    if checked_out is not None and checked_out.instant < checked_in.instant:
        return Malformed(Rule.VALUE_INVALID, "checked_out_at", "checked_out_at lies before checked_in_at.")
    on = None if fields.on is None else day(fields.on)
    if fields.on is not None and on is None:
        return Malformed(Rule.VALUE_INVALID, "on")
    if on is not None and abs(checked_in.instant.date() - on) > _A_DAY:
        return Malformed(Rule.VALUE_INVALID, "on", "on is no zone's local day of checked_in_at.")
    return StatedAttendance(owner, checked_in, checked_out, on)


def read_estimate(owner: str, job: str, body: bytes) -> SetEstimate | Malformed:
    """Translate the body of an estimate."""
    named, fields = read_name(job, "job"), read_body(EstimateBody, body)
    if isinstance(named, Malformed):
        return first_of(named, fault_in(fields))
    return fields if isinstance(fields, Malformed) else SetEstimate(owner, named, fields.seconds)


def read_erasure(owner: str, body: bytes) -> EraseTexts | Malformed:
    """Translate an erasure; the body may be missing."""
    return _nothing_in(body) or EraseTexts(owner)


def _nothing_in(body: bytes) -> Malformed | None:
    fields = None if says_nothing(body) else read_body(NoBody, body)
    return fields if isinstance(fields, Malformed) else None
