"""An end that nobody pressed, and that a late press took back, leaves what never ending would have left."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st

from services.projector.domain import fold
from services.projector.domain.sheet.evolve import LASTING
from shared.events.models import DeadlineReached
from shared.events.outcome import Finding, Outcome, State
from shared.events.policy import DailyCap, LongRunning, Overlap, OverlapMode, Policy, Rules
from tests.support.story.given import JERUSALEM, MONDAY, Story, Told, fact, paused, resumed, started, stopped
from tests.support.story.given import given as told

MINUTE: Final = timedelta(minutes=1)
# Whatever was queued reaches the log from here on, after both automatic stops.
BACK: Final = 40 * 60
WATCHED: Final = JERUSALEM.model_copy(
    update={
        "rules": Rules(
            R11=DailyCap(billable_seconds_per_day=2 * 3600),
            R16=LongRunning(long_running_seconds=3 * 3600, auto_close_seconds=10 * 3600),
        )
    }
)
VERBS: Final = (paused, resumed, stopped)

# Of timers that take over from each other, which is pressed late: how much before its end, and heard how much after it.
Late = tuple[int, int, int, object]

# A phone that was away: starts at minutes of Monday, and then presses of its timers, at minutes in order.
starts = st.lists(st.integers(0, 300), min_size=1, max_size=2)
queues = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 1), st.integers(0, 900)), max_size=5)
ticks = st.lists(st.integers(1, BACK - 1), max_size=4)


def at(minutes: int) -> str:
    return (MONDAY_AT_FIVE + minutes * MINUTE).isoformat(timespec="seconds")


MONDAY_AT_FIVE: Final = datetime.combine(MONDAY, datetime.min.time()).replace(hour=5)


def lived(begun: list[int], queue: list[Told], looked: list[int], policy: Policy = WATCHED) -> Story:
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


def minutes_of(story: Story) -> object:
    """Return the minutes, to the microsecond: of each timer, with its state, and of each day."""
    timers = {id_: (timer.open, replace(timer.after, flags=())) for id_, timer in story.sheet().timers.items()}
    bare = {id_: (running and replace(running, found=()), after) for id_, (running, after) in timers.items()}
    return bare, {day: worked for day, worked in story.sheet().days.items() if worked.total_us}


def findings(outcomes: list[Outcome]) -> set[Finding]:
    """Return the findings that can last, and have time in them, as they were told last."""
    last = {(found.timer_id, found.rule, found.from_): found for one in outcomes for found in one.findings}
    return {found for found in last.values() if found.rule in LASTING and found.amount_us != 0}


# The laws. Each is a property, and is shown to notice that nothing is taken back.


def ticks_change_no_minute_however_late_the_presses_come(
    begun: list[int], presses: list[tuple[object, int, int]], looked: list[int]
) -> None:
    queue = queue_of(begun, presses)
    looked_at, alone = lived(begun, queue, looked), lived(begun, queue, [])
    for change in (change for outcome in looked_at.outcomes for change in outcome.changed):
        event("taken back" if change.closed is not None and change.closed.was is not None else "plain")
    assert minutes_of(looked_at) == minutes_of(alone)


def ticks_change_no_finding_of_one_timer_that_has_time_in_it(
    begin: int, presses: list[tuple[object, int, int]], looked: list[int]
) -> None:
    queue = queue_of([begin], presses)
    looked_at, alone = lived([begin], queue, looked), lived([begin], queue, [])
    assert findings(looked_at.outcomes) == findings(alone.outcomes)
    stopped_ = all(timer.state is State.STOPPED for timer in alone.sheet().timers.values())
    assert not stopped_ or all(found.to is not None for found in findings(looked_at.outcomes))


def a_switch_that_was_taken_back_leaves_what_no_switch_would_have_left(
    mode: OverlapMode, lengths: list[int], late: Late, looked: list[int]
) -> None:
    """Timers of one owner take over from each other, and a press on one of them comes late: it had ended before.

    In order, the press finds its timer running, and no start ends it. Minutes, days, states and findings with time in
    them are the same; that the timers seemed to overlap (R13) stays told.
    """
    came_late, in_order = taken_over(mode, lengths, late, looked), taken_over(mode, lengths, late, [], in_order=True)
    assert minutes_of(came_late) == minutes_of(in_order)
    assert findings(came_late.outcomes) == findings(in_order.outcomes)


def taken_over(
    mode: OverlapMode, lengths: list[int], late: Late, looked: list[int], *, in_order: bool = False
) -> Story:
    """Return a story in which each timer ends the one before, all presses at minutes that are their own."""
    switching = WATCHED.model_copy(update={"rules": WATCHED.rules.model_copy(update={"R13": Overlap(mode=mode)})})
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
    return told(policy=switching).when(*(press for _, press in sorted(told_, key=lambda one: one[0])), last)


switches = (
    st.sampled_from([OverlapMode.PAUSE_PREVIOUS, OverlapMode.STOP_PREVIOUS]),
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    st.tuples(st.integers(0, 3), st.integers(1, 300), st.integers(1, 300), st.sampled_from([paused, stopped])),
    st.lists(st.integers(1, 1600), max_size=3),
)
Law = Callable[..., None]
LAWS: Final[list[tuple[Law, tuple[st.SearchStrategy[Any], ...]]]] = [
    (ticks_change_no_minute_however_late_the_presses_come, (starts, queues, ticks)),
    (ticks_change_no_finding_of_one_timer_that_has_time_in_it, (st.integers(0, 300), queues, ticks)),
    (a_switch_that_was_taken_back_leaves_what_no_switch_would_have_left, switches),
]
NAMES: Final = [law.__name__ for law, _ in LAWS]


@pytest.mark.parametrize(("law", "said"), LAWS, ids=NAMES)
def test_an_end_that_was_taken_back_leaves_what_never_ending_would_have_left(
    law: Law, said: tuple[st.SearchStrategy[Any], ...]
) -> None:
    given(*said)(law)()


@pytest.mark.parametrize(("law", "said"), LAWS, ids=NAMES)
def test_a_law_of_ends_notices_that_nothing_is_taken_back(law: Law, said: tuple[st.SearchStrategy[Any], ...]) -> None:
    """The control. Nothing is shrunk, because only the noticing counts."""
    quickly = settings(phases=[Phase.generate], report_multiple_bugs=False, max_examples=3000)
    with patch.object(fold, "with_end_taken_back", lambda *_: None), pytest.raises(AssertionError):
        quickly(given(*said)(law))()
