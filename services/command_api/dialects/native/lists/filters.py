"""Filters: the parameters that lists and reports have in common, from their text to values.

Ours: a moment needs an offset; a day is a whole local day of the tenant's zone. `from` is included. `to` is a moment
that is not included any more, or the last day that is.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from starlette.requests import Request

from services.command_api.dialects.malformed import Malformed, plain_name
from services.command_api.dialects.parameters import query_parameters
from services.command_api.dialects.times import asked_time, day
from services.command_api.dialects.values import NAME_LENGTH_MAX
from shared.events.base import in_utc
from shared.events.calendar import first_instant
from shared.events.rules import Rule

LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1000
NO_PARAMETERS: Final = Malformed(Rule.VALUE_INVALID, "query", "This call takes no query parameters.")

_LIMIT: Final = re.compile(r"[0-9]{1,4}", re.ASCII)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Between:
    """The time that `from` and `to` mean: [since, until), None where it has no end."""

    since: datetime | None
    until: datetime | None


def query_of(request: Request, *names: str) -> dict[str, str] | Malformed:
    """Return the parameters of a query, which may be those of `names`; an empty one counts as not given."""
    found = query_parameters(request)
    if not found.clear:
        return Malformed(Rule.VALUE_INVALID, "query", "query is not UTF-8, or has a parameter twice.")
    if found.named <= set(names):
        return found.given
    if not names:
        return NO_PARAMETERS
    # A filter that is spelt wrongly must not answer with everything.
    unknown = next(filter(plain_name, sorted(found.named - set(names))), None)
    has = "" if unknown is None else f" It has {unknown}."
    return Malformed(Rule.VALUE_INVALID, "query", f"query may have these parameters only: {', '.join(names)}.{has}")


def span_of(query: dict[str, str], zone_name: str) -> Between | Malformed:
    """Return the time between `from` and `to`."""
    since, until = _moment(query, "from", zone_name), _moment(query, "to", zone_name)
    if isinstance(since, Malformed):
        return since
    if isinstance(until, Malformed):
        return until
    if since is not None and until is not None and since >= until:
        return Malformed(Rule.VALUE_INVALID, "from", "from must lie before to.")
    return Between(since, until)


def limit_of(query: dict[str, str], limit_max: int = LIMIT_MAX) -> int | Malformed:
    """Return how many items a page may have."""
    limit = query.get("limit", str(LIMIT_DEFAULT))
    if not _LIMIT.fullmatch(limit) or not 1 <= int(limit) <= limit_max:
        return Malformed(Rule.VALUE_INVALID, "limit", f"limit must be a number from 1 to {limit_max}.")
    return int(limit)


def too_long(query: dict[str, str], *names: str) -> Malformed | None:
    """Return the first of these names that is longer than any name may be."""
    found = next((name for name in names if len(query.get(name, "")) > NAME_LENGTH_MAX), None)
    return None if found is None else Malformed(Rule.TEXT_TOO_LONG, found)


def _moment(query: dict[str, str], name: str, zone_name: str) -> datetime | Malformed | None:
    """Return the moment that `from` or `to` means. A day begins at its first instant, and `to` is its end."""
    if name not in query:
        return None
    on = day(query[name])
    if on is not None and (cut := _begin_of(on + _DAY if name == "to" else on, zone_name)) is not None:
        return cut
    at = asked_time(query[name], zone_name=None)
    if at is not None:
        return at.instant
    example = "2026-03-27, or a time with an offset, such as 2026-03-27T09:00:00Z (write + as %2B)"
    return Malformed(Rule.VALUE_INVALID, name, f"{name} must be a day, such as {example}.")


def _begin_of(on: date, zone_name: str) -> datetime | None:
    """Return the first instant of a local day, or of the next one where the zone skipped it; None past the calendar."""
    try:
        while (begins := first_instant(on, zone_name)) is None:
            on += _DAY
        return in_utc(begins)
    except (OverflowError, ValueError):
        return None
