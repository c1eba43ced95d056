"""Times as callers write them, and as we do: RFC 3339, in UTC with "Z"."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from services.command_api.desk.commands import AskedTime
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.reasons import too_long_ago
from shared.events.base import in_calendar, in_utc
from shared.events.ids import ID_EPOCH
from shared.events.rules import Rule
from shared.events.zones import instant_of
from shared.process.clock import Now

# A date alone is no moment: counting from its midnight would invent hours.
_SHAPE: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):?(\d{2})?)?",
    re.ASCII,
)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def asked_time(spelt: str, *, zone_name: str | None) -> AskedTime | None:
    """Return the moment that `spelt` means, or None when it is no moment.

    A time without offset is read in `zone_name`, and the result says so; with `zone_name` None it is no moment. Digits
    of a second past the sixth are cut off. Moments at the ends of the calendar that UTC cannot write are None too.
    """
    match = _SHAPE.fullmatch(spelt)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, utc, sign, offset_h, offset_m = match.groups()
    us = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), us)  # noqa: DTZ001 - its zone is added next
        if utc is not None:
            return AskedTime(in_utc(local.replace(tzinfo=UTC)), spelt)
        if sign is not None:
            return AskedTime(in_utc(local.replace(tzinfo=_offset(sign, offset_h, offset_m))), spelt)
        return None if zone_name is None else AskedTime(in_utc(instant_of(local, zone_name)), spelt, zone_assumed=True)
    except (ValueError, OverflowError):
        return None


def _offset(sign: str, hours: str, minutes: str | None) -> timezone:
    if int(minutes or 0) > 59:  # noqa: PLR2004 - minutes of an hour
        raise ValueError("no such offset")
    ahead = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(-ahead if sign == "-" else ahead)


@dataclass(frozen=True, slots=True)
class Opening:
    """How a time that begins an interval is read here: which ones are too long ago, and one without an offset.

    `backdate_days_max` None: no time is too long ago. `zone_name` None: a time without an offset is none.
    """

    now: Now
    backdate_days_max: int | None
    zone_name: str | None = None

    def at(self, spelt: str | None, not_before: datetime | None = None) -> AskedTime | Malformed | None:
        """Return the moment at which an interval begins, or what is wrong with it."""
        if spelt is None:
            return None
        asked = asked_time(spelt, zone_name=self.zone_name)
        if asked is None or (not_before is not None and asked.instant < not_before):
            return Malformed(Rule.VALUE_INVALID, "at")
        # Only a press that begins an interval: the projector would read all that its owner did since that time.
        # A stop is never refused because of its time.
        if self.backdate_days_max is not None and asked.instant < self.now() - timedelta(days=self.backdate_days_max):
            return Malformed(Rule.VALUE_INVALID, "at", too_long_ago(self.backdate_days_max))
        return asked

    def start_at(self, spelt: str | None) -> AskedTime | Malformed | None:
        """Return the moment at which a timer starts: ids count from 2020, and nothing starts before them (R03)."""
        return self.at(spelt, not_before=ID_EPOCH)


def day(spelt: str) -> date | None:
    """Return the day that a text such as "2026-03-27" means, or None."""
    try:
        return in_calendar(date.fromisoformat(spelt)) if _DAY.fullmatch(spelt) else None
    except ValueError:
        return None


def press_at(spelt: str | None) -> AskedTime | Malformed | None:
    """Return the moment in `at` of a press, or what is wrong with it: dialects C and D assume no zone."""
    if spelt is None:
        return None
    return asked_time(spelt, zone_name=None) or Malformed(Rule.VALUE_INVALID, "at")


def work_date(spelt: str | None) -> date | Malformed | None:
    """Return the day in `work_date` of a start, or what is wrong with it."""
    return None if spelt is None else day(spelt) or Malformed(Rule.VALUE_INVALID, "work_date")


def rfc3339(moment: datetime) -> str:
    """Return a UTC moment with "Z", always with six decimals of a second, so that its length never changes."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def rfc3339_seconds(moment: datetime) -> str:
    """Return a UTC moment with "Z", in whole seconds, floored."""
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
