"""Dates of dialect B: `dateFormat` with the letters y, M and d, such as "yyyy-MM-dd" or "dd-MMM-yyyy"."""

import re
from datetime import date
from functools import lru_cache
from typing import Final

from shared.events.base import in_calendar

DEFAULT_FORMAT: Final = "yyyy-MM-dd"
FORMAT_LENGTH_MAX: Final = 32

# Always English: strftime would follow the machine's locale.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CENTURY: Final = 2000

_SPELLINGS: Final = {
    "yyyy": r"(?P<y>\d{4})",
    "yy": r"(?P<y>\d{2})",
    "MMM": f"(?P<M>(?i:{'|'.join(_MONTHS)}))",
    "MM": r"(?P<M>\d{2})",
    "M": r"(?P<M>\d{1,2})",
    "dd": r"(?P<d>\d{2})",
    "d": r"(?P<d>\d{1,2})",
}
_PART: Final = re.compile(r"y+|M+|d+|[A-Za-z]|[^A-Za-z]")


def _parts(date_format: str) -> tuple[str, ...] | None:
    """Return the letters and separators of a format, or None when y, M and d are not each in it once."""
    # Checked before it is cached, because formats are the caller's text.
    return _known_parts(date_format) if len(date_format) <= FORMAT_LENGTH_MAX else None


@lru_cache(maxsize=256)
def _known_parts(date_format: str) -> tuple[str, ...] | None:
    parts = tuple(_PART.findall(date_format))
    letters = [part for part in parts if part.isalpha()]
    readable = all(part in _SPELLINGS for part in letters)
    return parts if readable and sorted(part[0] for part in letters) == ["M", "d", "y"] else None


@lru_cache(maxsize=256)
def _pattern(parts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("".join(_SPELLINGS.get(part, re.escape(part)) for part in parts), re.ASCII)


def is_format(date_format: str) -> bool:
    """Return whether a format describes a date."""
    return _parts(date_format) is not None


def parse_date(text: str, date_format: str) -> date | None:
    """Return the date that `text` means in `date_format`, or None. Years of two digits are 2000 to 2099."""
    parts = _parts(date_format)
    match = None if parts is None else _pattern(parts).fullmatch(text)
    if match is None:
        return None
    year, month = match["y"], match["M"]
    try:
        day = date(
            int(year) if len(year) > 2 else _CENTURY + int(year),  # noqa: PLR2004 - "yy"
            int(month) if month.isdecimal() else _MONTHS.index(month.capitalize()) + 1,
            int(match["d"]),
        )
        return in_calendar(day)
    except ValueError:
        return None


def format_date(day: date, date_format: str) -> str:
    """Write a date in a format that `is_format` accepts."""
    return "".join(_spell(day, part) for part in _parts(date_format) or ())


def _spell(day: date, part: str) -> str:
    match part:
        case "yyyy":
            return f"{day.year:04d}"
        case "yy":
            return f"{day.year % 100:02d}"
        case "MMM":
            return _MONTHS[day.month - 1]
        case "MM":
            return f"{day.month:02d}"
        case "M":
            return str(day.month)
        case "dd":
            return f"{day.day:02d}"
        case "d":
            return str(day.day)
        case separator:
            return separator
