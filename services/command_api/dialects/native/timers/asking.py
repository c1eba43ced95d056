"""Queries of lists of timers, from their text to questions."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from services.command_api.desk.questions import TimerFilter, TimerKey
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.lists.cursor import read_timer_cursor
from services.command_api.dialects.native.lists.filters import limit_of, query_of, span_of, too_long
from shared.events.outcome import State
from shared.events.rules import Rule

_NAMES: Final = ("owner", "account", "job", "reference")
# What stands among a timer's flags beside the ids of rules (docs/contract.md, section 6).
LABELS: Final = ("late", "zone_assumed")


@dataclass(frozen=True, slots=True)
class TimersAsked:
    """One page of timers: which, after which, and how many."""

    filter: TimerFilter
    after: TimerKey | None
    limit: int


def read_timers(request: Request, zone_name: str, person: str | None) -> TimersAsked | Malformed:
    """Return which timers are asked for. Without an owner: those of `person`, or of all owners for None."""
    query = query_of(request, "owner", "state", "from", "to", "account", "job", "reference", "flag", "cursor", "limit")
    if isinstance(query, Malformed):
        return query
    problem = _no_word(query)
    if problem is not None:
        return problem
    span = span_of(query, zone_name)
    if isinstance(span, Malformed):
        return span
    limit = limit_of(query)
    if isinstance(limit, Malformed):
        return limit
    asked = TimerFilter(
        owner=query.get("owner", person),
        state=State(query["state"]) if "state" in query else None,
        account_id=query.get("account"),
        job_id=query.get("job"),
        reference=query.get("reference"),
        flag=query.get("flag"),
        since=span.since,
        until=span.until,
    )
    after = read_timer_cursor(query["cursor"], asked) if "cursor" in query else None
    if isinstance(after, Malformed):
        return after
    return too_long(query, *_NAMES) or TimersAsked(asked, after, limit)


def _no_word(query: dict[str, str]) -> Malformed | None:
    if "state" in query and query["state"] not in set(State):
        return Malformed(Rule.VALUE_INVALID, "state", f"state must be one of {', '.join(State)}.")
    if "flag" in query and query["flag"] not in {*Rule, *LABELS}:
        labels = " or ".join(LABELS)
        return Malformed(Rule.VALUE_INVALID, "flag", f"flag must be the id of a rule, such as R13, or {labels}.")
    return None
