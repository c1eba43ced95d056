"""Queries of reports, from their text to questions.

Ours: a moment needs an offset; a day is a whole local day of the tenant's zone. `from` is included. `to` is a moment
that is not included any more, or the last day that is.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from starlette.requests import Request

from services.command_api.desk.questions import ViolationFilter, ViolationKey
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.reports.cursor import read_cursor
from services.command_api.dialects.parameters import UnreadableParametersError, query_parameters
from services.command_api.dialects.times import asked_time, day
from services.command_api.dialects.values import NAME_LENGTH_MAX, is_writable
from shared.events.base import in_utc
from shared.events.calendar import first_instant
from shared.events.rules import Rule

LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1000
DAYS_MAX: Final = 366

_LIMIT: Final = re.compile(r"[0-9]{1,4}", re.ASCII)
_DAY: Final = timedelta(days=1)
# The first zone to have a new day is fourteen hours ahead of UTC.
_FIRST_ZONE_AHEAD: Final = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class ViolationsAsked:
    """One page of findings: which, after which, and how many."""

    filter: ViolationFilter
    after: ViolationKey | None
    limit: int


@dataclass(frozen=True, slots=True)
class DaysAsked:
    """An owner's local days, both included."""

    owner: str
    first: date
    last: date


def read_violations(request: Request, zone_name: str, person: str | None) -> ViolationsAsked | Malformed:
    """Return which findings are asked for. Without an owner: those of `person`, who may be nobody in particular."""
    said = _said(request, "owner", "rule", "from", "to", "cursor", "limit")
    if isinstance(said, Malformed):
        return said
    owner = said.get("owner", person)
    if owner is not None and len(owner) > NAME_LENGTH_MAX:
        return Malformed(Rule.TEXT_TOO_LONG, "owner")
    rule = _rule(said.get("rule"))
    if isinstance(rule, Malformed):
        return rule
    since, until = _moment(said, "from", zone_name), _moment(said, "to", zone_name)
    if isinstance(since, Malformed):
        return since
    if isinstance(until, Malformed):
        return until
    if since is not None and until is not None and since >= until:
        return Malformed(Rule.VALUE_INVALID, "from", "from must lie before to.")
    limit = said.get("limit", str(LIMIT_DEFAULT))
    if not _LIMIT.fullmatch(limit) or not 1 <= int(limit) <= LIMIT_MAX:
        return Malformed(Rule.VALUE_INVALID, "limit", f"limit must be a number from 1 to {LIMIT_MAX}.")
    asked = ViolationFilter(owner, rule, since, until)
    after = read_cursor(said["cursor"], asked) if "cursor" in said else None
    return after if isinstance(after, Malformed) else ViolationsAsked(asked, after, int(limit))


def read_days(request: Request, now: datetime) -> DaysAsked | Malformed:
    """Return which days are asked for. Without `to`: until today, wherever; without `from`: as many as allowed."""
    owner = request.path_params["owner"]
    if len(owner) > NAME_LENGTH_MAX:
        return Malformed(Rule.TEXT_TOO_LONG, "owner")
    if not is_writable(owner):
        return Malformed(Rule.VALUE_INVALID, "owner")
    said = _said(request, "from", "to")
    if isinstance(said, Malformed):
        return said
    last = day(said["to"]) if "to" in said else (now + _FIRST_ZONE_AHEAD).date()
    if last is None:
        return _no_day("to")
    first = day(said["from"]) if "from" in said else _days_before(last)
    if first is None:
        return _no_day("from")
    if first > last:
        return Malformed(Rule.VALUE_INVALID, "from", "from lies after to.")
    if last - first >= DAYS_MAX * _DAY:
        return Malformed(Rule.VALUE_INVALID, "from", f"from and to include more than {DAYS_MAX} days: ask in parts.")
    return DaysAsked(owner, first, last)


def _said(request: Request, *names: str) -> dict[str, str] | Malformed:
    """Return the parameters of a query; an empty one counts as not given."""
    try:
        said = query_parameters(request)
    except UnreadableParametersError:
        return Malformed(Rule.VALUE_INVALID, "query", "query is not UTF-8, or has a parameter twice.")
    if said.keys() <= set(names):
        return said
    # A filter that is spelt wrongly must not answer with everything.
    return Malformed(Rule.VALUE_INVALID, "query", f"query may have these parameters only: {', '.join(names)}.")


def _rule(text: str | None) -> Rule | Malformed | None:
    if text is None or text in set(Rule):
        return None if text is None else Rule(text)
    return Malformed(Rule.VALUE_INVALID, "rule", "rule must be the id of a rule, such as R13.")


def _moment(said: dict[str, str], name: str, zone_name: str) -> datetime | Malformed | None:
    """Return the moment that `from` or `to` means. A day begins at its first instant, and `to` is its end."""
    if name not in said:
        return None
    on = day(said[name])
    if on is not None and (cut := _begin_of(on + _DAY if name == "to" else on, zone_name)) is not None:
        return cut
    at = asked_time(said[name], zone_name=None)
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


def _days_before(last: date) -> date | None:
    try:
        return last - (DAYS_MAX - 1) * _DAY
    except OverflowError:
        return None


def _no_day(name: str) -> Malformed:
    return Malformed(Rule.VALUE_INVALID, name, f"{name} must be a day, such as 2026-03-27.")
