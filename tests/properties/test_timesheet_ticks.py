"""Ticks: a look that comes early, late, twice or never changes no minute, and no finding that has any time in it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from services.projector.domain import effect, fold
from services.projector.domain.due import deadlines
from services.projector.domain.due.deadlines import Outlook
from services.projector.domain.endings import endings
from services.projector.domain.entry import LoggedPress
from services.projector.domain.fold import fold_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.state import Timer
from shared.events.codec import Press
from shared.events.envelope import Envelope
from shared.events.models import (
    Actor,
    AnyEvent,
    DeadlineReached,
    TimerPaused,
    TimerResumed,
    TimerStarted,
    TimerStopped,
)
from shared.events.outcome import Finding, Outcome
from shared.events.policies.book import PolicyBook
from shared.events.policies.terms import terms_of
from shared.events.policy import DailyCap, LongRunning, Policy, Rules
from shared.events.rules import Rule
from tests.support.proof.laws import Fault, assert_noticed
from tests.support.story.documents import documents, refusing_nothing, replaced
from tests.support.story.given import JERUSALEM, new_ledger, started
from tests.support.story.histories import BEGINNING, DOCUMENTS, OWNERS, Entry, histories
from tests.support.story.left import Key, Left, assert_same, left_by

Kinds = tuple[type[AnyEvent], ...]
# A document, the one that replaces it, and before which press.
Policies = tuple[Policy, Policy, int]
# How long after they happened presses are recorded, in turn.
Delays = list[timedelta]

CLOCK: Final = Actor(client="stint", role="system")
MS: Final = timedelta(milliseconds=1)
DAY: Final = timedelta(days=1)
NOBODY: Final[Kinds] = ()
ENDS: Final[Kinds] = (TimerPaused, TimerStopped)
ALL: Final[Kinds] = (TimerStarted, TimerResumed, *ENDS)
# Rules of a day look back 8 days (docs/adr/0020), and the last tick comes after a rest in which a midnight lies.
LOOKED_BACK: Final = timedelta(days=8)
LOOKED_WITHIN: Final = timedelta(days=6)
REST: Final = timedelta(hours=25)
# Some are longer: an interval that is on the log so late is looked at from its start.
DELAYS: Final = [timedelta(minutes=minutes) for minutes in (0, 0, 0.5, 30, 100, 400, 600, 5000, 17_280, 28_800)]
PLACES: Final = st.integers(0, 28)


@dataclass(frozen=True)
class Look:
    """A tick before the press `before`, at a part of the time since the press before that one."""

    before: int
    into: float
    owner: str


@dataclass(frozen=True)
class Log:
    """Presses under a policy that another one replaces at `changes_at`, and the end of the log."""

    presses: Sequence[LoggedPress]
    book: PolicyBook
    changes_at: datetime
    end: datetime

    def folded(self, looks: Sequence[Look]) -> Left:
        """Fold the log with ticks, and with one for each owner at its end. Return what it leaves."""
        ledger, outcomes = new_ledger(), list[Outcome]()
        for offset, entry in enumerate(self._with_ticks(looks)):
            came = fold_entry(ledger, replace(entry, offset=offset), self.book)
            if isinstance(came, Kept):
                event(f"{came.outcome.event_type} {came.outcome.verdict}")
                outcomes.append(came.outcome)
        return left_by(ledger, outcomes)

    def _with_ticks(self, looks: Sequence[Look]) -> Iterator[LoggedPress]:
        number = 1_000_000
        times = [BEGINNING, *(press.log_time for press in self.presses), self.end]
        for place, (since, until) in enumerate(pairwise(times)):
            here = [look for look in looks if min(look.before, len(self.presses)) == place]
            for look in sorted(here, key=lambda look: look.into):
                number += 1
                yield self._tick(number, look.owner, since + int((until - since) / MS * look.into) * MS)
            yield from self.presses[place : place + 1]
        yield from (self._tick(number + 1 + n, owner, self.end) for n, owner in enumerate(OWNERS))

    def _tick(self, number: int, owner: str, at: datetime) -> LoggedPress:
        said = DeadlineReached(tenant="acme", actor=CLOCK, dialect="stint", digest="0" * 64, owner=owner)
        # A press of that very moment may still name the first document: no tick goes before it with the second.
        policy_rev = 3 if at > self.changes_at else 1
        return LoggedPress(0, at, Press(Envelope(UUID(int=number), said.type, at, policy_rev, expires_at=at), said))


def log_of(history: Sequence[Entry], policies: Policies, delays: Delays, late: Kinds) -> Log:
    """Return the presses of a history. Those of the `late` kinds have delays, the others come in time."""
    first, second, changes_before = policies
    presses: list[LoggedPress] = []
    now = before = BEGINNING
    changes_at = None
    for entry in history:
        gap, before = max(entry.log_time - before, timedelta(0)), entry.log_time
        now = now if now + gap > BEGINNING + LOOKED_WITHIN else now + gap
        if isinstance(entry, LoggedPress) and not isinstance(entry.event, DeadlineReached):
            if len(presses) == changes_before:
                changes_at = now
            delay = delays[len(presses) % len(delays)] if isinstance(entry.event, late) else timedelta(0)
            presses.append(_at(now, entry, delay, 1 if changes_at is None else 3))
    end = now + REST
    return Log(presses, replaced(first, second, changes_at or end), changes_at or end, end)


def _at(log_time: datetime, entry: LoggedPress, delay: timedelta, policy_rev: int) -> LoggedPress:
    said = entry.event.model_copy(update={"asked_at": log_time - delay if delay else None})
    return LoggedPress(0, log_time, Press(replace(entry.envelope, policy_rev=policy_rev, recorded_at=log_time), said))


def never_stopping(document: Policy) -> Policy:
    """Return a document without automatic stops: before one that a tick has made, a late press is judged otherwise."""
    long = document.rules.R16 and document.rules.R16.model_copy(update={"auto_close_seconds": None})
    return document.model_copy(update={"rules": document.rules.model_copy(update={"R16": long})})


def stopping_soon(document: Policy) -> Policy:
    """Return a document by which each timer stops after an hour, so that nearly every late press meets a stop."""
    long = LongRunning(long_running_seconds=1800, auto_close_seconds=3600)
    return document.model_copy(update={"rules": document.rules.model_copy(update={"R16": long})})


def is_of_the_first_timer(entry: Entry) -> bool:
    return not isinstance(entry, LoggedPress) or entry.envelope.subject is None or entry.envelope.subject % 1024 == 0


# The laws. Each is a property, and is shown to notice a fault of the product.


def ticks_change_nothing_while_presses_come_in_time(
    history: list[Entry], policies: Policies, delays: Delays, looks: list[Look]
) -> None:
    log = log_of(history, policies, delays, NOBODY)
    assert log.folded(looks) == log.folded([])


def ticks_before_late_presses_leave_only_findings_without_time(
    history: list[Entry], policies: Policies, delays: Delays, looks: list[Look]
) -> None:
    """Findings differ at most in such as have no time in them, also where several timers reach a limit together.

    And also where timers stop by themselves, and nearly every late press meets a stop.
    What moves those, and the control of that: `test_timesheet_moved`.
    """
    log = log_of(history, policies, delays, ALL)
    looked_at, alone = log.folded(looks), log.folded([])
    assert_same(looked_at, alone, standing(log, looked_at, alone))


def standing(log: Log, *left: Left) -> set[Key]:
    """Return the keys of findings that no press moves any more, because they began over 8 days before it.

    Timers of one owner reach these limits together, so a late press of one moves the crossings of the others. A limit
    of a day is crossed within that day, and that of a job once in an interval.
    """
    old = log.end - REST - LOOKED_BACK
    beside = {id_ for one in left for timers, *_ in one.minutes.values() if len(timers) > 1 for id_ in timers}
    found = {key for one in left for key in one.found if key[0] in beside}
    of_jobs = {timer for timer, rule, since in found if rule == Rule.OVER_ESTIMATE and since < old}
    of_days = {Rule.OVER_DAILY_CAP.value, Rule.OVERFULL_DAY.value}
    return {
        (timer, rule, since)
        for timer, rule, since in found
        if (rule in of_days and since < old + DAY) or (rule == Rule.OVER_ESTIMATE and timer in of_jobs)
    }


def ticks_before_late_ends_leave_only_findings_without_time(
    history: list[Entry], policies: Policies, delays: Delays, looks: list[Look]
) -> None:
    """Each owner has one timer here, so that the time of a day is its own."""
    log = log_of([entry for entry in history if is_of_the_first_timer(entry)], policies, delays, ENDS)
    looked_at, alone = log.folded(looks), log.folded([])
    if looked_at.found.keys() != alone.found.keys():
        event("findings without time")
    assert_same(looked_at, alone)


Law = Callable[[list[Entry], Policies, Delays, list[Look]], None]
ANY: Final = st.sampled_from(DOCUMENTS) | documents
STOPPING: Final = ANY.map(stopping_soon)
SWITCHING: Final = st.sampled_from(
    [stopping_soon(refusing_nothing(document)) for document in DOCUMENTS if terms_of(document).switches]
)
LIMITED: Final = st.sampled_from([one for one in DOCUMENTS if terms_of(one).has_deadlines]).map(never_stopping)
ANY_LIMITED: Final = LIMITED | documents.map(never_stopping)


def holds(law: Law, documents: st.SearchStrategy[Policy]) -> Callable[[], None]:
    """Return a law as a property, under two such documents."""
    policies = st.tuples(documents, documents, PLACES)
    look = st.builds(Look, PLACES, st.sampled_from([0.0, 0.3, 0.999, 1.0]), st.sampled_from(OWNERS))
    delays = st.lists(st.sampled_from(DELAYS), min_size=1, max_size=6)
    return given(histories, policies, delays, st.lists(look, min_size=2, max_size=12))(law)


test_ticks_change_nothing_while_presses_come_in_time = holds(ticks_change_nothing_while_presses_come_in_time, ANY)
# Two starts were queued for twelve days, and a tick told of the first one's cap before the second came. What it told
# stands. Chance meets such a log about once in a thousand.
QUEUED: Final[list[Entry]] = [
    started("desk", "2026-03-26T22:03").logged(0),
    started("phone", "2026-03-26T23:07").logged(1),
]
CAPPED: Final = JERUSALEM.model_copy(update={"rules": Rules(R11=DailyCap(billable_seconds_per_day=5400))})
test_ticks_before_late_presses_leave_only_findings_without_time = example(
    QUEUED, (CAPPED, CAPPED, 28), [timedelta(days=12)], [Look(1, 0.999, "dana")]
)(holds(ticks_before_late_presses_leave_only_findings_without_time, ANY_LIMITED))
test_ticks_before_late_presses_leave_the_same_of_timers_that_stop = holds(
    ticks_before_late_presses_leave_only_findings_without_time, STOPPING
)
test_ticks_before_late_ends_leave_only_findings_without_time = holds(
    ticks_before_late_ends_leave_only_findings_without_time, ANY_LIMITED
)


def found_when_looked_at() -> AbstractContextManager[Any]:
    """Count a length from the look instead of from the interval's start."""

    def now(self: Outlook, *_: object) -> datetime:
        return self._until

    return patch.object(Outlook, "_length", now)


def found_for_ever() -> AbstractContextManager[Any]:
    """Leave a finding open that turned out not to have happened."""

    def but_for_those(timer: Timer, at: datetime) -> list[Finding]:
        return [ending for ending in endings(timer, at) if ending.amount_us]

    return patch.object(effect, "endings", but_for_those)


def stops_found_later() -> AbstractContextManager[Any]:
    """Judge a late start with what fell due up to its own moment."""
    return patch.object(fold, "stopped_meanwhile", lambda *_, **__: None)


def first_days_forgotten() -> AbstractContextManager[Any]:
    """Look at the last days alone of an interval that was on the log long after it began."""
    return patch.object(deadlines, "late_on", lambda _: None)


@pytest.mark.parametrize(
    ("law", "documents", "fault"),
    [
        (ticks_change_nothing_while_presses_come_in_time, ANY, found_when_looked_at),
        (ticks_before_late_presses_leave_only_findings_without_time, LIMITED, found_when_looked_at),
        (ticks_before_late_presses_leave_only_findings_without_time, SWITCHING, stops_found_later),
        (ticks_before_late_presses_leave_only_findings_without_time, LIMITED, first_days_forgotten),
        (ticks_before_late_ends_leave_only_findings_without_time, LIMITED, found_for_ever),
    ],
)
def test_a_law_of_ticks_notices_a_fault(law: Law, documents: st.SearchStrategy[Policy], fault: Fault) -> None:
    """The control."""
    assert_noticed(fault, holds(law, documents))
