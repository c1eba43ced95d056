"""Late presses beside each other: whether and when somebody looked between them changes nothing that has time in it.

Three timers of one owner share a cap, and two of them an estimate. What is said of them comes within a minute of each
other or hours later, at once or late. Under most policies they soon reach a cap, and stop by themselves or by a switch,
and nothing is refused, so that much happens. The others are such as any tenant may set.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from random import Random
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from services.projector.domain import fold
from services.projector.domain.due import settle
from services.projector.domain.due.settle import Settled
from services.projector.domain.entry import LoggedPress
from services.projector.domain.outcomes import Came
from services.projector.domain.sheet.ledger import Ledger
from services.projector.domain.sheet.state import Timesheet
from shared.events.models import (
    DeadlineReached,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerProfileSet,
)
from shared.events.outcome import CHANGES_MAX, Outcome
from shared.events.policies.book import PolicyBook, Timeline
from shared.events.policy import DailyCap, LongRunning, Mode, Overlap, OverlapMode, Policy
from tests.support.proof.laws import Fault, assert_noticed
from tests.support.story.documents import documents, refusing_nothing, replaced, with_rules
from tests.support.story.folded import folded_by, kept_of
from tests.support.story.given import Told, fact, paused, resumed, started, stopped
from tests.support.story.histories import BEGINNING
from tests.support.story.left import Left, assert_same, left_by

MS: Final = timedelta(milliseconds=1)
SECOND: Final = timedelta(seconds=1)
HOUR: Final = timedelta(hours=1)
# The days of the policies begin here. In most of their zones midnight comes while timers run.
BEGIN: Final = BEGINNING.replace(hour=19, minute=0, second=0, microsecond=0)
REST: Final = timedelta(hours=25)
MAKE: Final[dict[str, Callable[..., Told]]] = {
    "start": started,
    "pause": paused,
    "resume": resumed,
    "stop": stopped,
}
# What is pressed next on a timer, by what was pressed last: of two things.
NEXT: Final = {
    "": ("start", "start"),
    "start": ("pause", "stop"),
    "pause": ("resume", "stop"),
    "resume": ("pause", "stop"),
    "stop": ("stop", "stop"),
}


def limited(
    document: Policy, mode: Mode, overlap: OverlapMode, stops: int | None, billable_seconds: int = 5400
) -> Policy:
    """Return a document by which so much of a day is billable, and timers stop after so long."""
    return with_rules(
        document,
        R11=DailyCap(mode=mode, billable_seconds_per_day=billable_seconds),
        R13=Overlap(mode=overlap),
        R16=LongRunning(auto_close_seconds=stops),
    )


# A document, the one that replaces it, and at which press.
Policies = tuple[Policy, Policy, int]
LIMITS: Final = list(product((Mode.FLAG, Mode.STRICT), OverlapMode, (3600, 4 * 3600, 61, None)))
LIMITED: Final = st.builds(lambda document, limits: limited(document, *limits), documents, st.sampled_from(LIMITS))
FLAGGING: Final = st.one_of(LIMITED.map(refusing_nothing), documents.map(refusing_nothing))
ANY: Final = st.one_of(FLAGGING, LIMITED, documents)
# Limits that are soon reached: most looks find something, and many a press takes an end back.
OVERLAPS: Final = (OverlapMode.ALLOW, OverlapMode.PAUSE_PREVIOUS, OverlapMode.STOP_PREVIOUS)
SOON: Final = [(Mode.FLAG, overlap, 3600, 1800) for overlap in OVERLAPS]
STOPPING: Final = st.builds(
    lambda document, limits: limited(refusing_nothing(document), *limits), documents, st.sampled_from(SOON)
)


@dataclass(frozen=True)
class Say:
    """A press: how long after the one before, on which timer, which of two things, and how late, in seconds."""

    gap: int
    timer: str
    choice: int
    late: int


@dataclass(frozen=True)
class Look:
    """A tick so many seconds after a press."""

    press: int
    after: int


@dataclass(frozen=True)
class Learn:
    """Something that becomes known of the owner so many seconds after a press, and is that much later on the log."""

    press: int
    after: int
    what: str
    later: int = 0


def _there(now: datetime, stays: timedelta) -> Told:
    came = now.replace(minute=0, second=0, microsecond=0) - 4 * HOUR
    return fact(OwnerAttendanceRecorded, "08:00", on=came.date(), checked_in_at=came, checked_out_at=now + stays)


def _profile(**said: Any) -> Callable[[datetime], Told]:  # noqa: ANN401 - each field has its own type
    return lambda _: fact(OwnerProfileSet, "08:00", **said)


def _estimate(seconds: int) -> Callable[[datetime], Told]:
    return lambda _: fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=seconds)


def _leave(days: int) -> Callable[[datetime], Told]:
    return lambda now: fact(OwnerLeaveGranted, "08:00", on=now.date() + timedelta(days=days))


FACTS: Final[dict[str, Callable[[datetime], Told]]] = {
    "estimated at an hour": _estimate(3600),
    "estimated at two": _estimate(7200),
    "gone home": lambda now: _there(now, -HOUR),
    "goes home soon": lambda now: _there(now, HOUR / 2),
    "on leave today": _leave(0),
    "on leave tomorrow": _leave(1),
    "in Cairo": _profile(zone="Africa/Cairo"),
    "in Chatham": _profile(zone="Pacific/Chatham"),
    "disabled": _profile(timers_disabled=True),
    "inactive": _profile(active=False),
}
says: Final = st.lists(
    st.builds(
        Say,
        st.sampled_from([1, 20, 45, 0, 61, 600, 1800, 3700]),
        st.sampled_from(["desk", "phone", "car"]),
        st.integers(0, 1),
        st.sampled_from([0, 3000, 1800, 6000, 20_000]),
    ),
    min_size=6,
    max_size=9,
)
PLACES: Final = st.integers(0, 8)
# Where presses are refused, little runs. So under two thirds of these nothing is refused, but for a timer's state.
policies: Final = st.one_of(
    st.tuples(STOPPING, STOPPING, PLACES), st.tuples(STOPPING, FLAGGING, PLACES), st.tuples(ANY, ANY, PLACES)
)
looks: Final = st.lists(
    st.builds(Look, PLACES, st.sampled_from([30, 60, 10, 61, 600, 1200, 3601])), min_size=2, max_size=4
)
learned: Final = st.lists(
    st.builds(
        Learn, PLACES, st.sampled_from([1, 30, 300, 3600]), st.sampled_from(sorted(FACTS)), st.sampled_from([0, 25])
    ),
    max_size=3,
)


def log_of(said: Sequence[Say], known: Sequence[Learn], ticks: Sequence[Look]) -> list[LoggedPress]:
    """Return presses and facts, looks between them, and one look at the end, after an estimate."""
    times, told = list[datetime](), list[Told]()
    now, last = BEGIN, dict[str, str]()
    for say in said:
        now += say.gap * SECOND
        kind = NEXT[last.get(say.timer, "")][say.choice]
        last[say.timer] = kind
        press = MAKE[kind](say.timer, "09:00", **({"job_id": "roof"} if kind == "start" and say.timer != "car" else {}))
        asked = press.event.model_copy(update={"asked_at": now - say.late * SECOND if say.late else None})
        told.append(_at(now, replace(press, event=asked)))
        times.append(now)
    for learn in known:
        at = times[min(learn.press, len(times) - 1)] + learn.after * SECOND
        told.append(replace(_at(at, FACTS[learn.what](at)), recorded_at=at - learn.later * SECOND))
    looked = [times[min(look.press, len(times) - 1)] + look.after * SECOND for look in ticks]
    told += [_at(at, fact(DeadlineReached, "08:00"), expires_at=at) for at in (*looked, now + REST)]
    told.sort(key=lambda one: one.log_time)
    estimate = fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=7000)
    return [one.logged(offset) for offset, one in enumerate([_at(BEGIN - HOUR, estimate), *told])]


def _at(moment: datetime, told: Told, *, expires_at: datetime | None = None) -> Told:
    return replace(told, recorded_at=moment, log_time=moment, expires_at=expires_at)


def under(log: Sequence[LoggedPress], policies: Policies) -> tuple[list[LoggedPress], PolicyBook]:
    """Return a log on which another document counts from a press on, and the book of both.

    Whoever presses or looks at that moment or later names it: a tick that did not would find what it does not ask for.
    """
    first, second, changes_at_press = policies
    changes_at = _changes_at([one for one in log if one.envelope.subject is not None], changes_at_press)
    told = [
        replace(one, press=replace(one.press, envelope=replace(one.envelope, policy_rev=rev)))
        for one in log
        for rev in [3 if one.log_time >= changes_at else 1]
    ]
    return told, replaced(first, second, changes_at)


def _changes_at(presses: Sequence[LoggedPress], place: int) -> datetime:
    """Return when the press at this place is on the log, but for late starts and resumes.

    Where one names the second document and counts while the first was in force, the change is just behind it: what was
    found at its beginning stands, although a late press moved it (docs/adr/0035).
    """
    changes_at = presses[min(place, len(presses) - 1)].log_time
    for press in presses:
        if press.event.opens and press.moment < changes_at <= press.log_time:
            changes_at = press.log_time + MS
    return changes_at


def outcomes_of(log: Sequence[LoggedPress], book: PolicyBook) -> tuple[Ledger, list[Outcome]]:
    ledger, came = folded_by(log, book)
    return ledger, [one.outcome for one in kept_of(came)]


def left(log: Sequence[LoggedPress], book: PolicyBook) -> Left:
    return left_by(*outcomes_of(log, book))


def looks_leave_the_same_minutes_verdicts_and_findings(
    policies: Policies, said: Sequence[Say], known: Sequence[Learn], ticks: Sequence[Look]
) -> None:
    looked_at, alone = under(log_of(said, known, ticks), policies), under(log_of(said, known, []), policies)
    assert_same(left(*looked_at), left(*alone))


SAID: Final = (policies, says, learned, looks)
test_looks_leave_the_same_minutes_verdicts_and_findings = given(*SAID)(
    looks_leave_the_same_minutes_verdicts_and_findings
)


def takes_an_end_back(log: Sequence[LoggedPress], _: Sequence[LoggedPress], book: PolicyBook) -> bool:
    return bool(left(log, book).taken_back)


def has_presses_under_both_documents(log: Sequence[LoggedPress], _: Sequence[LoggedPress], book: PolicyBook) -> bool:
    judged = outcomes_of(log, book)[1]
    return len({one.policy_revision for one in judged if one.subject is not None and one.verdict == "accepted"}) == 2


def finds_other_keys_when_looked_at(log: Sequence[LoggedPress], alone: Sequence[LoggedPress], book: PolicyBook) -> bool:
    return left(log, book).found.keys() != left(alone, book).found.keys()


@pytest.mark.parametrize(
    "happens", [takes_an_end_back, has_presses_under_both_documents, finds_other_keys_when_looked_at]
)
def test_chance_tells_the_law_of_looks_of_such_logs(happens: Callable[..., bool]) -> None:
    """What the law is about happens under policies as chance writes them: a law of logs without it says nothing."""

    def is_such(policies: Policies, said: Sequence[Say], known: Sequence[Learn], ticks: Sequence[Look]) -> bool:
        looked_at, book = under(log_of(said, known, ticks), policies)
        alone, _ = under(log_of(said, known, []), policies)
        return happens(looked_at, alone, book)

    unshrunk = settings(phases=[Phase.generate], max_examples=300)
    find(st.tuples(*SAID), lambda said: is_such(*said), settings=unshrunk, random=Random(1))


def overtaking() -> AbstractContextManager[Any]:
    """Let a tick tell what is due after something that waits for its first minute."""
    return patch.object(settle, "_waits", lambda *_: False)


def taken_back_at_once() -> AbstractContextManager[Any]:
    """Take an end back without what a tick would have told before."""

    def nothing(sheet: Timesheet, *_: object) -> Settled:
        return Settled(sheet)

    real = fold._until_taken_back

    def at_once(*said: Any) -> Settled:  # noqa: ANN401 - those of the real one
        with patch.object(fold, "settle_in_order", nothing):
            return real(*said)

    return patch.object(fold, "_until_taken_back", at_once)


def facts_of_when_they_were_heard() -> AbstractContextManager[Any]:
    """Settle before a fact up to the moment at which the API heard it, and go by the fact from then on."""
    real = fold._pressed

    def heard(press: LoggedPress, sheet: Timesheet, timeline: Timeline) -> tuple[Settled, Came]:
        if press.envelope.subject is not None:
            return real(press, sheet, timeline)
        due = settle.settle(sheet, timeline, press.moment, press.log_time, CHANGES_MAX)
        return due, fold._judged(press, due.sheet, timeline.latest)

    return patch.object(fold, "_pressed", heard)


# Logs that a hunt has found: chance meets each about once in a thousand.
Log = tuple[Sequence[Say], Sequence[Learn], Sequence[Look]]
BOTH_WAIT: Final[Log] = [Say(0, "desk", 0, 0), Say(45, "phone", 0, 20_000)], [], [Look(1, 30)]
TAKEN_BACK: Final[Log] = (
    [Say(0, "desk", 0, 0), Say(3700, "phone", 0, 6000), Say(3700, "desk", 0, 20_000)],
    [],
    [Look(1, 1200)],
)
# The job's estimate is used up at 3500 seconds, and a larger one was heard just before and is on the log just after.
RAISED: Final[Log] = (
    [Say(0, "desk", 0, 0), Say(0, "phone", 0, 0)],
    [Learn(0, 3510, "estimated at two", 25)],
    [Look(1, 3505)],
)


@pytest.mark.parametrize(
    ("fault", "log"),
    [(overtaking, BOTH_WAIT), (taken_back_at_once, TAKEN_BACK), (facts_of_when_they_were_heard, RAISED)],
)
def test_the_law_of_looks_notices_a_fault(fault: Fault, log: Log) -> None:
    """The control, and the same logs without a fault: under documents that differ in all but these limits."""

    def law(policy: Policy) -> None:
        looks_leave_the_same_minutes_verdicts_and_findings((policy, policy, 0), *log)

    strict = documents.map(lambda document: limited(document, Mode.STRICT, OverlapMode.ALLOW, 3600))
    given(strict)(law)()
    assert_noticed(fault, given(strict)(law))
