"""Moved crossings: presses that come late leave the findings that the same presses in order would have left.

The desk runs through a night and a day, and its presses come in time. Three other timers of its owner run beside it for
a while, each on some of what the desk shares: billable time, a job, the day. What is said of them comes hours late.
Under some policies the system stops the desk long before.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.projector.domain.due import moved
from services.projector.domain.due.deadlines import Outlook
from services.projector.domain.entry import LoggedPress
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.state import Timesheet
from shared.events.models import DeadlineReached, OwnerEstimateSet
from shared.events.policy import DailyCap, LongRunning, Mode, Overlap, OverlapMode, Policy
from shared.events.rules import Rule
from tests.support.proof.laws import Fault, assert_noticed
from tests.support.proof.twice import naive_bodies, stated
from tests.support.story.documents import documents, refusing_nothing, with_rules
from tests.support.story.folded import folded_by, kept_of
from tests.support.story.given import Told, book_of, fact, started, stopped, timer_id
from tests.support.story.histories import BEGINNING
from tests.support.story.left import Found, Left, assert_same, left_by

MINUTE: Final = timedelta(minutes=1)
BEGIN: Final = BEGINNING.replace(hour=9, minute=0, second=0, microsecond=0)
END: Final = BEGIN + timedelta(hours=30)


def capped(document: Policy, limits: tuple[int | None, int | None]) -> Policy:
    """Return a document by which so much of a day is billable and timers stop after so long. No start ends another."""
    cap, stops = limits
    return with_rules(
        document,
        R11=DailyCap(mode=Mode.FLAG, billable_seconds_per_day=cap),
        R13=Overlap(mode=OverlapMode.ALLOW),
        R16=LongRunning(auto_close_seconds=stops),
    )


# Seven and a half hours of a day are billable; nine on the roof are estimated.
LIMITS: Final = st.sampled_from([(27_001, None), (27_001, 28_000), (10_000, 20_000), (None, 28_000)])
# A press that is refused in time and not when it comes late leaves other findings; so does a start that ends others,
# because it ends those that are known to run.
FLAGGING: Final = st.builds(lambda document, limits: capped(refusing_nothing(document), limits), documents, LIMITS)
STOPPING: Final = documents.map(lambda document: capped(refusing_nothing(document), (27_001, 28_000)))
LIMITED: Final = st.builds(capped, documents, LIMITS)
ANY: Final = documents | LIMITED | FLAGGING
DESK: Final = timer_id("desk")
SHARED: Final = {Rule.OVER_DAILY_CAP, Rule.OVER_ESTIMATE, Rule.OVERFULL_DAY}
INIT: Final = Outlook.__init__


@dataclass(frozen=True)
class Beside:
    """A timer beside the desk: when it ran, in minutes, how much later each press came, and what it was worked on."""

    name: str
    start: int
    length: int
    start_later: int
    stop_later: int
    billable: bool
    job_id: str | None


def _beside(name: str) -> st.SearchStrategy[Beside]:
    return st.builds(
        Beside,
        st.just(name),
        st.integers(2, 1500),
        st.integers(1, 600),
        st.sampled_from([0, 1, 90, 500]),
        st.sampled_from([0, 2, 200, 700, 1500]),
        st.sampled_from([True, True, False]),
        st.sampled_from(["roof", "roof", None]),
    )


besides: Final = st.tuples(*(_beside(name) for name in ("phone", "car", "mail")))
looks: Final = st.lists(st.integers(2, 1799), max_size=6)


def presses_of(others: Sequence[Beside], *, late: bool) -> list[Told]:
    """Return all presses in the order of the log. Those that are not late come at the moment at which they count."""
    begin = BEGIN.replace(tzinfo=None).isoformat()
    presses = [_at(started("desk", begin, job_id="roof"), BEGIN, BEGIN), _at(stopped("desk", begin), END, END)]
    for place, other in enumerate(others):
        start = BEGIN + other.start * MINUTE + place * timedelta(seconds=7)
        stop = min(start + other.length * MINUTE, END - 2 * MINUTE)
        start_heard = max(start, min(start + late * other.start_later * MINUTE, END - MINUTE))
        stop_heard = max(start_heard, min(stop + late * other.stop_later * MINUTE, END - MINUTE))
        work: dict[str, Any] = {"billable": other.billable} | ({"job_id": other.job_id} if other.job_id else {})
        presses.append(_at(started(other.name, begin, **work), start, start_heard))
        presses.append(_at(stopped(other.name, begin), stop, stop_heard))
    return sorted(presses, key=lambda press: press.log_time)


def _at(press: Told, moment: datetime, heard: datetime) -> Told:
    said = press.event.model_copy(update={"asked_at": None if heard == moment else moment})
    return replace(press, event=said, recorded_at=heard, log_time=heard)


def log_of(presses: Sequence[Told], ticks: Sequence[int]) -> list[LoggedPress]:
    """Return presses on a log, after an estimate, with looks at their owner."""
    estimate = fact(OwnerEstimateSet, "08:00", job_id="roof", seconds=9 * 3600)
    looked = [
        replace(fact(DeadlineReached, "08:00"), recorded_at=at, log_time=at, expires_at=at)
        for at in (BEGIN + minute * MINUTE + MINUTE / 2 for minute in ticks)
    ]
    told = sorted([*presses, *looked], key=lambda press: press.log_time)
    return [press.logged(offset) for offset, press in enumerate([estimate, *told])]


def folded_under(policy: Policy, log: Sequence[LoggedPress]) -> tuple[Left, list[Kept]]:
    """Return what a log leaves, and each outcome that was kept."""
    ledger, came = folded_by(log, book_of(policy))
    kept = kept_of(came)
    return left_by(ledger, [one.outcome for one in kept]), kept


# The laws. Each is a property, and is shown to notice a fault of the product.


def late_presses_leave_the_desk_what_presses_in_order_leave(
    policy: Policy, others: Sequence[Beside], ticks: Sequence[int]
) -> None:
    """The desk alone: what was told of an interval that a press has ended since stands as it was judged then."""
    (late, kept), (in_order, kept_in_order) = (
        folded_under(policy, log_of(presses_of(others, late=True), ticks)),
        folded_under(policy, log_of(presses_of(others, late=False), [])),
    )
    if any(one.outcome.verdict != "accepted" for one in (*kept, *kept_in_order)):
        raise ValueError("a policy refused a press, so the law would not be tried")
    if late.found.keys() != in_order.found.keys():
        event("moved")
    assert _of_the_desk(late) == _of_the_desk(in_order)


def ticks_leave_only_findings_without_time(policy: Policy, others: Sequence[Beside], ticks: Sequence[int]) -> None:
    presses = presses_of(others, late=True)
    (left, _), (left_alone, _) = folded_under(policy, log_of(presses, ticks)), folded_under(policy, log_of(presses, []))
    assert_same(left, left_alone)


def the_naive_fold_gives_the_same_bytes(policy: Policy, others: Sequence[Beside], ticks: Sequence[int]) -> None:
    log = log_of(presses_of(others, late=True), ticks)
    assert naive_bodies(log, {"acme": [(0, stated(policy))]}) == [one.body for one in folded_under(policy, log)[1]]


def _of_the_desk(left: Left) -> Found:
    return {key: one for key, one in left.lasted().items() if key[0] == DESK and key[1] in SHARED}


Law = Callable[[Policy, Sequence[Beside], Sequence[int]], None]


def holds(law: Law, under: st.SearchStrategy[Policy]) -> Callable[[], None]:
    """Return a law as a property, under such policies."""
    return given(under, besides, looks)(law)


test_late_presses_leave_the_desk_what_presses_in_order_leave = holds(
    late_presses_leave_the_desk_what_presses_in_order_leave, FLAGGING
)
test_ticks_leave_only_findings_without_time = holds(ticks_leave_only_findings_without_time, ANY)
# The naive fold looks for each instant by halving, so it is slow. Half of these few policies refuse nothing: where
# presses are refused, little moves.
test_the_naive_fold_gives_the_same_bytes = settings(max_examples=25)(
    holds(the_naive_fold_gives_the_same_bytes, st.one_of(FLAGGING, STOPPING, documents, LIMITED))
)


def standing() -> AbstractContextManager[Any]:
    """Let what was told about a crossing stand, although a late press of another timer moved it."""
    return patch.object(moved, "_judged_anew", lambda *_: ())


def standing_where_nobody_ended() -> AbstractContextManager[Any]:
    """Let what was told about a timer stand, because the system has stopped it since."""
    return patch.object(Timesheet, "ended_by_nobody", lambda *_: ())


def counted_whole() -> AbstractContextManager[Any]:
    """Count an interval that ended after the press as if all of it lay before."""

    def without_since(self: Outlook, *said: Any, since: datetime | None = None, **more: Any) -> None:  # noqa: ANN401, ARG001 - those of the real one
        INIT(self, *said, **more)

    return patch.object(Outlook, "__init__", without_since)


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        (late_presses_leave_the_desk_what_presses_in_order_leave, standing),
        (late_presses_leave_the_desk_what_presses_in_order_leave, counted_whole),
        (late_presses_leave_the_desk_what_presses_in_order_leave, standing_where_nobody_ended),
        (ticks_leave_only_findings_without_time, standing),
        (ticks_leave_only_findings_without_time, standing_where_nobody_ended),
        (the_naive_fold_gives_the_same_bytes, standing),
        (the_naive_fold_gives_the_same_bytes, standing_where_nobody_ended),
        (the_naive_fold_gives_the_same_bytes, counted_whole),
    ],
)
def test_a_law_of_moved_crossings_notices_a_fault(law: Law, fault: Fault) -> None:
    """The control."""
    assert_noticed(fault, holds(law, STOPPING if fault is standing_where_nobody_ended else FLAGGING))
