"""Modes: one rule in one mode in each document, and logs about which the rule has something to say."""

from dataclasses import replace
from datetime import date
from typing import Any, Final

from shared.events.models import OwnerAttendanceRecorded
from shared.events.policies.book import PolicyBook
from shared.events.policy import DailyCap, Mode, Overlap, OverlapMode, PastTime, Policy, RuleMode, WeekendFrom
from shared.events.rules import Rule
from tests.support.story.documents import Revisions
from tests.support.story.given import book_of, fact, moment
from tests.support.story.histories import OWNERS, Entry

OPENING: Final = {"timer.started.v1", "timer.resumed.v1"}
# Which presses a mode may refuse.
REFUSABLE: Final = {Mode.BLOCK: OPENING, Mode.STRICT: {*OPENING, "timer.paused.v1"}}
REFUSING: Final = (
    *(Rule.TIMERS_DISABLED, Rule.DAY_OFF, Rule.OUTSIDE_ATTENDANCE, Rule.OVER_DAILY_CAP, Rule.OVER_ESTIMATE),
    *(Rule.OVERLAP, Rule.FUTURE_TIME, Rule.PAST_TIME, Rule.OWNER_UNKNOWN),
)
# Settings with which a rule has much to say about the histories, which begin on a Thursday night.
SETTING_OF: Final = {
    Rule.OVER_DAILY_CAP: DailyCap(billable_seconds_per_day=10),
    Rule.PAST_TIME: PastTime(max_backdate_seconds=1800, locked_before=date(2026, 3, 27)),
    Rule.OVERLAP: Overlap(),
}
# Both owners have gone home on each of the first days.
GONE_HOME: Final = [
    fact(
        OwnerAttendanceRecorded,
        "2026-03-26T20:00",
        owner=owner,
        on=date(2026, 3, day),
        checked_in_at=moment(f"2026-03-{day}T05:00"),
        checked_out_at=moment(f"2026-03-{day}T06:00"),
    )
    for owner in OWNERS
    for day in (26, 27, 28)
]
OVERLAP_MODES: Final = {Mode.OFF: OverlapMode.ALLOW, Mode.FLAG: OverlapMode.FLAG, Mode.BLOCK: OverlapMode.BLOCK}
BUSY: Final[dict[Rule, dict[str, Any]]] = {
    Rule.DAY_OFF: {"weekend": (WeekendFrom.model_validate({"from": "2026-01-01", "days": "1,6"}),)},
    Rule.TIMERS_DISABLED: {"timers_disabled": True},
}


def in_mode(rule: Rule, mode: Mode, under: Revisions) -> PolicyBook:
    """Return the book of these documents with one rule in one mode, in each of them."""
    return book_of(*(_in_mode(document, rule, mode) for document in under))


def _in_mode(document: Policy, rule: Rule, mode: Mode) -> Policy:
    said = OVERLAP_MODES[mode] if rule is Rule.OVERLAP else mode
    setting = SETTING_OF.get(rule, RuleMode()).model_copy(update={"mode": said})
    rules = document.rules.model_copy(update={rule.value: setting})
    return document.model_copy(update={"rules": rules, **BUSY.get(rule, {})})


def busy(log: list[Entry], rule: Rule) -> list[Entry]:
    """Return a log about which a rule has something to say: R10 asks about facts that histories hold too seldom."""
    if rule is not Rule.OUTSIDE_ATTENDANCE:
        return log
    # A key each, because ids without one are offsets, and those move.
    known = [replace(told, key=str(place)).logged(place) for place, told in enumerate(GONE_HOME)]
    return [*known, *(replace(entry, offset=entry.offset + len(known)) for entry in log)]


def refusing_modes(rule: Rule) -> tuple[Mode, ...]:
    """Return the modes of a rule that refuse. R13 refuses no pause."""
    return (Mode.BLOCK,) if rule is Rule.OVERLAP else (Mode.BLOCK, Mode.STRICT)
