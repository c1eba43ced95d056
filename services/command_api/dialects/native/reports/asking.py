"""Queries of reports, from their text to questions."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from starlette.requests import Request

from services.command_api.desk.questions import ViolationFilter, ViolationKey
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.lists.cursor import read_cursor
from services.command_api.dialects.native.lists.filters import limit_of, query_of, span_of, too_long
from services.command_api.dialects.native.reports.accept import CSV
from services.command_api.dialects.times import day
from services.command_api.dialects.values import NAME_LENGTH_MAX
from shared.events.base import is_writable
from shared.events.rules import Rule

DAYS_MAX: Final = 366

Whose = Literal["owner", "account", "job"]

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
    """The local days of an owner, an account or a job, both included. `bom`: a byte order mark, in CSV alone."""

    whose: Whose
    about: str
    first: date
    last: date
    bom: bool


def read_violations(request: Request, zone_name: str, person: str | None) -> ViolationsAsked | Malformed:
    """Return which findings are asked for. Without an owner: those of `person`, or of all owners for None."""
    query = query_of(request, "owner", "rule", "from", "to", "cursor", "limit")
    if isinstance(query, Malformed):
        return query
    rule = _rule(query.get("rule"))
    if isinstance(rule, Malformed):
        return rule
    span = span_of(query, zone_name)
    if isinstance(span, Malformed):
        return span
    limit = limit_of(query)
    if isinstance(limit, Malformed):
        return limit
    asked = ViolationFilter(query.get("owner", person), rule, span.since, span.until)
    after = read_cursor(query["cursor"], asked) if "cursor" in query else None
    if isinstance(after, Malformed):
        return after
    return too_long(query, "owner") or ViolationsAsked(asked, after, limit)


def read_days(request: Request, now: datetime, whose: Whose, form: str) -> DaysAsked | Malformed:
    """Return which days are asked for. Without `to`: until today, wherever; without `from`: as many as allowed."""
    about = request.path_params[whose]
    if not is_writable(about):
        return Malformed(Rule.VALUE_INVALID, whose)
    query = query_of(request, "from", "to", "bom")
    if isinstance(query, Malformed):
        return query
    if "bom" in query and form != CSV:
        return Malformed(Rule.VALUE_INVALID, "bom", "bom is for CSV alone: ask with Accept: text/csv, or leave it out.")
    if query.get("bom", "1") != "1":
        return Malformed(Rule.VALUE_INVALID, "bom", "bom must be 1, or be left out.")
    last = day(query["to"]) if "to" in query else (now + _FIRST_ZONE_AHEAD).date()
    if last is None:
        return _no_day("to")
    first = day(query["from"]) if "from" in query else _days_before(last)
    if first is None:
        return _no_day("from")
    if first > last:
        return Malformed(Rule.VALUE_INVALID, "from", "from lies after to.")
    if last - first >= DAYS_MAX * _DAY:
        return Malformed(Rule.VALUE_INVALID, "from", f"from and to include more than {DAYS_MAX} days: ask in parts.")
    if len(about) > NAME_LENGTH_MAX:
        return Malformed(Rule.TEXT_TOO_LONG, whose)  # R04 answers after all that is R03
    return DaysAsked(whose, about, first, last, "bom" in query)


def _rule(text: str | None) -> Rule | Malformed | None:
    if text is None or text in set(Rule):
        return None if text is None else Rule(text)
    return Malformed(Rule.VALUE_INVALID, "rule", "rule must be the id of a rule, such as R13.")


def _days_before(last: date) -> date | None:
    try:
        return last - (DAYS_MAX - 1) * _DAY
    except OverflowError:
        return None


def _no_day(name: str) -> Malformed:
    return Malformed(Rule.VALUE_INVALID, name, f"{name} must be a day, such as 2026-03-27.")
