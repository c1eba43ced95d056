"""Documents: policies as chance writes them, each one that a tenant may set.

What is left out is the preset's, so a failure shrinks to the least that a document must say. Days are those about which
`histories` tells, and limits are such as its presses reach.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import cycle, islice, product
from typing import Any, Final

from hypothesis import strategies as st

from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policy import (
    DailyCap,
    Holiday,
    LongRunning,
    Mode,
    Overlap,
    OverlapMode,
    PastTime,
    Policy,
    Preset,
    RuleMode,
    Rules,
    WeekendFrom,
)
from shared.events.rule_rows import RuleRow
from shared.events.rule_table import RULE_ROWS
from shared.events.rules import Rule
from tests.support.story.given import MONDAY
from tests.support.story.histories import BEGINNING, DOCUMENTS

# The documents of a tenant, each of which replaces the one before.
Revisions = tuple[Policy, ...]

_ZONES: Final = ("Etc/UTC", "Asia/Jerusalem", "Africa/Cairo", "America/Havana", "Pacific/Chatham", "America/St_Johns")
_DAYS: Final = [BEGINNING.date() + timedelta(days=days) for days in (0, 1, 2, -1, 7)]
_WEEKENDS: Final = ("6,7", "7,1", "5", "2", "3,4", "1,2,3,4,5,6,7")
_LIMITS: Final = (None, 3600, 10, 61, 90, 5400, 8 * 3600, 30 * 3600, 40 * 86_400)

# Each setting of each rule. One number chooses of all, because a document of many draws is slow to make.
_SETTINGS: Final[Mapping[Rule, Mapping[str, Sequence[Any]]]] = {
    Rule.OVER_DAILY_CAP: {"billable_seconds_per_day": _LIMITS},
    Rule.PAST_TIME: {"max_backdate_seconds": _LIMITS, "locked_before": [None, *_DAYS]},
    Rule.LONG_RUNNING: {"long_running_seconds": _LIMITS, "auto_close_seconds": _LIMITS},
}
_REFUSING: Final = frozenset({Mode.BLOCK, Mode.STRICT})
# What a document says of a rule that has more than a mode.
_SAYS: Final = {Rule.OVER_DAILY_CAP: DailyCap, Rule.PAST_TIME: PastTime, Rule.LONG_RUNNING: LongRunning}


def _rule(row: RuleRow) -> st.SearchStrategy[dict[str, Any] | None]:
    """Return what a document may say of a rule, None: nothing. R20 is off mostly, because few owners have a profile."""
    modes = ("off", "off", "off", *row.modes) if row.rule is Rule.OWNER_UNKNOWN else row.modes
    settings = {"mode": (None, *modes), **_SETTINGS.get(row.rule, {})}
    said = [dict(zip(settings, values, strict=True)) for values in product(*settings.values())]
    return st.sampled_from([None, *said])


def _fit(document: Policy) -> Policy:
    """Return a document that may be set: where a rule may refuse a pause, timers stop by themselves."""
    if not document.unfit:
        return document
    long = LongRunning(auto_close_seconds=10 * 3600)
    return document.model_copy(update={"rules": document.rules.model_copy(update={"R16": long})})


_rules: Final[Mapping[str, st.SearchStrategy[Any]]] = {row.rule.value: _rule(row) for row in RULE_ROWS if row.modes}
_weekends: Final = [WeekendFrom.model_validate({"from": day, "days": days}) for day in _DAYS for days in _WEEKENDS]
documents: Final[st.SearchStrategy[Policy]] = st.builds(
    Policy,
    preset=st.sampled_from(Preset),
    zone=st.sampled_from(_ZONES),
    timers_disabled=st.sampled_from([*[False] * 8, True]),
    weekend=st.sampled_from([(), *((one,) for one in _weekends), *product(_weekends, _weekends)]),
    holidays=st.sampled_from([(), *((Holiday(day=day),) for day in _DAYS)]),
    rules=st.fixed_dictionaries(dict(_rules)).map(Rules.model_validate),
).map(_fit)


def with_rules(document: Policy, **rules: RuleMode | Overlap) -> Policy:
    """Return a document with these rules set so. The rest of it is as it was."""
    return _fit(document.model_copy(update={"rules": document.rules.model_copy(update=rules)}))


def refusing_nothing(document: Policy) -> Policy:
    """Return a document with each rule that may refuse a press in mode `flag`, and with the same limits."""
    flagged: dict[str, RuleMode | Overlap] = {
        row.rule.value: _flagging(document, row.rule)
        for row in RULE_ROWS
        if row.modes and row.rule is not Rule.OVERLAP and document.mode(row.rule) in _REFUSING
    }
    if document.overlap_mode is OverlapMode.BLOCK:
        flagged[Rule.OVERLAP.value] = Overlap(mode=OverlapMode.FLAG)
    return with_rules(document, **flagged)


def _flagging(document: Policy, rule: Rule) -> RuleMode:
    stated: RuleMode = getattr(document.rules, rule.value) or _SAYS.get(rule, RuleMode)()
    return stated.model_copy(update={"mode": Mode.FLAG})


def replaced(first: Policy, second: Policy, changes_at: datetime) -> PolicyBook:
    """Return the book in which each tenant's second document, revision 2 or 3, replaces the first at a moment."""
    book = PolicyBook()
    for document, set_at in ((first, MONDAY), (second, changes_at)):
        for tenant in ("acme", "other"):
            replaces = book.latest_revision(tenant)
            record = PolicyRecord(replaces=replaces, set_by="avi", set_at=set_at, document=document)
            book.apply(book.position + 1, tenant.encode(), record.model_dump_json(by_alias=True).encode(), set_at)
    return book


def _in_turn(drawn: list[Policy]) -> Revisions:
    """Return as many documents as presses of histories name, over and over the same few."""
    return tuple(islice(cycle(drawn), len(DOCUMENTS)))


revisions: Final[st.SearchStrategy[Revisions]] = st.just(DOCUMENTS) | st.lists(documents, min_size=1, max_size=3).map(
    _in_turn
)
