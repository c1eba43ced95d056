"""An end that nobody pressed, and that a late press took back, leaves what never ending would have left."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from services.projector.domain import effect, fold
from services.projector.domain.sheet.evolve import LASTING
from shared.events.models import DeadlineReached, TimerPaused, TimerStopped
from shared.events.outcome import Finding
from shared.events.policy import DailyCap, LongRunning, Overlap, OverlapMode, Policy
from shared.events.rules import Rule
from tests.support.proof.laws import Fault, assert_noticed
from tests.support.story.documents import documents, refusing_nothing, with_rules
from tests.support.story.given import Story, Told, fact, paused, resumed, started, stopped
from tests.support.story.given import given as told
from tests.support.story.histories import BEGINNING
from tests.support.story.left import By, Key, Left, assert_same, left_by

MINUTE: Final = timedelta(minutes=1)
# Whatever was queued reaches the log from here on, after both automatic stops.
BACK: Final = 40 * 60


def watched(document: Policy) -> Policy:
    """Return a document with a cap of two hours, by which timers are long after three and stop after ten."""
    return with_rules(
        document,
        R11=DailyCap(mode=document.mode(Rule.OVER_DAILY_CAP), billable_seconds_per_day=2 * 3600),
        R16=LongRunning(long_running_seconds=3 * 3600, auto_close_seconds=10 * 3600),
    )


ANY: Final = documents | documents.map(watched)
# A press that is refused in time and not when it comes late would leave other findings.
FLAGGING: Final = ANY.map(refusing_nothing)
VERBS: Final = (paused, resumed, stopped)

# Of timers that take over from each other, which is pressed late: how much before its end, and heard how much after it.
Late = tuple[int, int, int, object]

# A phone that was away: starts at minutes of a Thursday, and then presses of its timers, at minutes in order.
starts = st.lists(st.integers(0, 300), min_size=1, max_size=2)
queues = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 1), st.integers(0, 900)), max_size=5)
ticks = st.lists(st.integers(1, BACK - 1), max_size=4)


# The first of the days about which documents have something to say.
BEGIN: Final = datetime.combine(BEGINNING, datetime.min.time()).replace(hour=5)


def at(minutes: int) -> str:
    return (BEGIN + minutes * MINUTE).isoformat(timespec="seconds")


def lived(begun: list[int], queue: list[Told], looked: list[int], policy: Policy) -> Story:
    story = told(*(started(str(n), at=at(begin)) for n, begin in enumerate(sorted(begun))), policy=policy)
    story.when(*(fact(DeadlineReached, at(301 + minute)) for minute in sorted(looked)))
    # And a day later both have been looked at.
    return story.when(*queue, fact(DeadlineReached, at(301 + 2 * BACK)))


def queue_of(begun: list[int], presses: list[tuple[object, int, int]]) -> list[Told]:
    queue = []
    for place, (verb, timer, minute) in enumerate(sorted(presses, key=lambda press: press[2])):
        assert callable(verb)
        queue.append(verb(str(timer % len(begun)), at=at(301 + BACK + place), asked=at(minute)))
    return queue


def left_of(story: Story) -> Left:
    return left_by(story.ledger, story.outcomes)


def findings(left: Left, exempt: Collection[Key] = ()) -> set[Finding]:
    """Return the findings that can last, and have time in them, as they were told last; none of a refusal."""
    return {found for found in left.lasted(exempt).values() if found.rule in LASTING and not found.refused}


def ends_of(story: Story) -> set[By]:
    """Return the pauses and stops that were pressed."""
    kinds = TimerPaused.type, TimerStopped.type
    return {(said.subject, said.log_time) for said in story.outcomes if said.event_type in kinds}


# The laws. Each is a property, and is shown to notice a fault of the product.


def ticks_change_nothing_however_late_the_presses_come(
    policy: Policy, begun: list[int], presses: list[tuple[object, int, int]], looked: list[int]
) -> None:
    """And whatever was found has ended when its timer does not run."""
    queue = queue_of(begun, presses)
    looked_at, alone = lived(begun, queue, looked, policy), lived(begun, queue, [], policy)
    left = left_of(looked_at)
    event("taken back" if left.taken_back else "plain")
    assert_same(left, left_of(alone))
    running = {timer.id for timer, _ in looked_at.sheet().running()}
    assert all(found.to is not None or found.timer_id in running for found in findings(left))


def a_switch_that_was_taken_back_leaves_what_no_switch_would_have_left(
    policy: Policy, mode: OverlapMode, lengths: list[int], late: Late, looked: list[int]
) -> None:
    """Timers of one owner take over from each other, and a press on one of them comes late: it had ended before.

    In order, the press finds its timer running, and no start ends it. Minutes, days, states and findings with time in
    them are the same; that the timers seemed to overlap (R13) stays told. So is what a locked day lost with the end
    that the press took back (R15).
    """
    switching = with_rules(policy, R13=Overlap(mode=mode))
    pressed_late = taken_over(switching, lengths, late, looked)
    pressed_in_order = taken_over(switching, lengths, late, [], in_order=True)
    came_late, in_order = left_of(pressed_late), left_of(pressed_in_order)
    assert came_late.minutes == in_order.minutes
    # One press in each story is no start, and it alone can take an end back.
    locked = came_late.locked(came_late.taken_back)
    if came_late.taken_back:
        locked |= in_order.locked(ends_of(pressed_in_order))
    assert findings(came_late, locked) == findings(in_order, locked)


def taken_over(policy: Policy, lengths: list[int], late: Late, looked: list[int], *, in_order: bool = False) -> Story:
    """Return a story in which each timer ends the one before, all presses at minutes that are their own."""
    starts_at = [10 * sum(lengths[:place]) for place in range(len(lengths) + 1)]
    which, before, after, verb = late
    end = starts_at[which % len(lengths) + 1]
    moment = max(starts_at[which % len(lengths)] + 1, end - before)
    heard = moment if in_order else max(end, moment) + after
    assert callable(verb)
    told_ = [(10 * minute, started(str(n), at=at(minute))) for n, minute in enumerate(starts_at)]
    told_.append((10 * heard + 5, verb(str(which % len(lengths)), at=at(heard), asked=at(moment))))
    told_ += [(10 * minute + 7, fact(DeadlineReached, at(minute))) for minute in looked]
    last = fact(DeadlineReached, at(starts_at[-1] + BACK))
    return told(policy=policy).when(*(press for _, press in sorted(told_, key=lambda one: one[0])), last)


switches = (
    st.sampled_from([OverlapMode.PAUSE_PREVIOUS, OverlapMode.STOP_PREVIOUS]),
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    st.tuples(st.integers(0, 3), st.integers(1, 300), st.integers(1, 300), st.sampled_from([paused, stopped])),
    st.lists(st.integers(1, 1600), max_size=3),
)
Law = Callable[..., None]
LAWS: Final[list[tuple[Law, tuple[st.SearchStrategy[Any], ...]]]] = [
    (ticks_change_nothing_however_late_the_presses_come, (ANY, starts, queues, ticks)),
    (a_switch_that_was_taken_back_leaves_what_no_switch_would_have_left, (FLAGGING, *switches)),
]
NAMES: Final = [law.__name__ for law, _ in LAWS]


@pytest.mark.parametrize(("law", "said"), LAWS, ids=NAMES)
def test_an_end_that_was_taken_back_leaves_what_never_ending_would_have_left(
    law: Law, said: tuple[st.SearchStrategy[Any], ...]
) -> None:
    given(*said)(law)()


def nothing_taken_back() -> AbstractContextManager[Any]:
    return patch.object(fold, "with_end_taken_back", lambda *_: None)


def found_for_ever() -> AbstractContextManager[Any]:
    """Leave what was found open when a press or a switch ends its interval."""
    return patch.object(effect, "endings", lambda *_: [])


@pytest.mark.parametrize("fault", [nothing_taken_back, found_for_ever])
@pytest.mark.parametrize(("law", "said"), LAWS, ids=NAMES)
def test_a_law_of_ends_notices_a_fault(law: Law, said: tuple[st.SearchStrategy[Any], ...], fault: Fault) -> None:
    """The control."""
    assert_noticed(fault, given(*said)(law))
