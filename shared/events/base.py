"""The kinds of values that events, outcomes and policies are made of."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# The calendar that every part can hold: beyond it Postgres says -infinity or infinity, and zones overflow.
_CALENDAR: Final = (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))


def in_utc(moment: datetime) -> datetime:
    """Return an aware moment in UTC. Raises ValueError for the calendar's first day and its last second."""
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        in_utc = None
    if in_utc is None or not _CALENDAR[0] <= in_utc <= _CALENDAR[1]:
        msg = "lies outside the calendar"
        raise ValueError(msg)
    return in_utc


def in_calendar(day: date) -> date:
    """Return a local day. Raises ValueError for the calendar's first day and its last."""
    if not _CALENDAR[0].date() <= day < date.max:
        msg = "lies outside the calendar"
        raise ValueError(msg)
    return day


# A moment: aware, kept in UTC, written as RFC 3339 with "Z".
Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]


def _spelt_as_a_day(value: object) -> object:
    # Pydantic reads numbers as Unix times, so only text that is spelt as a day may pass, or a date.
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("is no day such as 2026-04-02")
    if not isinstance(value, str | date):
        raise ValueError("is no day such as 2026-04-02")  # noqa: TRY004 - pydantic catches ValueError only
    return value


# A local day, spelt YYYY-MM-DD.
Day = Annotated[date, BeforeValidator(_spelt_as_a_day), AfterValidator(in_calendar)]

# A timer's short id. In JSON it is decimal text: many readers lose digits of integers past 2^53.
TimerId = Annotated[int, PlainSerializer(str, when_used="json")]

# Ids that tenants choose: compared as text ("007" is not 7), 1 to 128 characters.
OwnerId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=128)]

# The caller's own id of a timer. Events and outcomes keep it for ever, and no erasure reaches it: an id, no free text.
REFERENCE: Final = r"^[^\x00-\x1f\x7f-\x9f]{1,128}$"
TimerReference = Annotated[str, StringConstraints(pattern=REFERENCE)]

# Why a timer was paused, as a code of the caller's. It is kept for ever too, so it has no room for free text.
PAUSE_REASON: Final = r"^[A-Za-z0-9_-]{1,32}$"
PauseReason = Annotated[str, StringConstraints(pattern=PAUSE_REASON)]

# A tenant's name is hashed before a "/" (see `slot_of`), so it has none.
TenantName = Annotated[str, StringConstraints(pattern=r"^[^/\x00-\x1f]{1,64}$")]

# SHA-256 in hex, see `digest_of`.
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def is_writable(said: object) -> bool:
    """Say whether a text, and each text and name in a JSON value, can be kept.

    Postgres refuses U+0000, and no encoding can write a lone surrogate.
    """
    match said:
        case str():
            try:
                return b"\x00" not in said.encode()
            except UnicodeEncodeError:
                return False
        case dict():
            return all(is_writable(name) and is_writable(inner) for name, inner in said.items())
        case list():
            return all(map(is_writable, said))
        case _:
            return True


class Model(BaseModel):
    """A frozen value that knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def kinds_of(error: ValidationError) -> str:
    """Return the kinds of problems a value has, for logs. The error's own message would quote the value."""
    problems = error.errors(include_input=False, include_context=False, include_url=False)
    return ", ".join(sorted({str(problem["type"]) for problem in problems}))
