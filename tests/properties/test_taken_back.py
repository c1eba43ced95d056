"""An end that nobody pressed, and that a late press took back, leaves what never ending would have left."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hypothesis import event, given
from hypothesis import strategies as st

from services.projector.domain.sheet.evolve import LASTING
from shared.events.models import DeadlineReached
from shared.events.outcome import Finding, Outcome, State
from shared.events.policy import DailyCap, LongRunning, Policy, Rules
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


@given(starts, queues, ticks)
def test_ticks_change_no_minute_however_late_the_presses_come(
    begun: list[int], presses: list[tuple[object, int, int]], looked: list[int]
) -> None:
    queue = queue_of(begun, presses)
    looked_at, alone = lived(begun, queue, looked), lived(begun, queue, [])
    for change in (change for outcome in looked_at.outcomes for change in outcome.changed):
        event("taken back" if change.closed is not None and change.closed.was is not None else "plain")
    assert minutes_of(looked_at) == minutes_of(alone)


@given(st.integers(0, 300), queues, ticks)
def test_ticks_change_no_finding_of_one_timer_that_has_time_in_it(
    begin: int, presses: list[tuple[object, int, int]], looked: list[int]
) -> None:
    queue = queue_of([begin], presses)
    looked_at, alone = lived([begin], queue, looked), lived([begin], queue, [])
    assert findings(looked_at.outcomes) == findings(alone.outcomes)
    stopped_ = all(timer.state is State.STOPPED for timer in alone.sheet().timers.values())
    assert not stopped_ or all(found.to is not None for found in findings(looked_at.outcomes))
