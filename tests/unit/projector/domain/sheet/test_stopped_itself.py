"""A timer that stopped by itself counts as running for presses that happened before: a tick may have come first."""

from typing import Final

import pytest

from services.projector.domain import fold
from shared.events.models import DeadlineReached
from shared.events.outcome import Change, Closed, DayPart, State, Was
from shared.events.policy import LongRunning, Overlap, OverlapMode, Policy, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
    Story,
    accepted,
    fact,
    found,
    given,
    moment,
    paused,
    started,
    timer_id,
)

SEVEN: Final = LongRunning(auto_close_seconds=7 * 3600)
TICK: Final = fact(DeadlineReached, "16:00")
LATE_START: Final = started("phone", at="18:00", asked="12:00")


def under(mode: OverlapMode) -> Policy:
    return JERUSALEM.model_copy(update={"rules": Rules(R13=Overlap(mode=mode), R16=SEVEN)})


def forgotten(mode: OverlapMode, *, seen: bool = True) -> Story:
    """The desk's timer ran from 09:00, and a tick stopped it at 16:00, if it was seen in time."""
    story = given(started("desk", at="09:00"), policy=under(mode))
    return story.when(TICK) if seen else story


def desk(story: Story) -> tuple[State, float]:
    return story.timer("desk").state, story.minutes("desk")


@pytest.mark.parametrize("seen", [True, False], ids=["after a tick", "without one"])
@pytest.mark.parametrize(
    ("mode", "state"), [(OverlapMode.PAUSE_PREVIOUS, State.PAUSED), (OverlapMode.STOP_PREVIOUS, State.STOPPED)]
)
def test_a_late_start_switches_it(mode: OverlapMode, state: State, *, seen: bool) -> None:
    story = forgotten(mode, seen=seen).when(LATE_START)
    story.then(accepted("R13", "late", findings=story.outcome.findings))
    assert desk(story) == (state, 180)
    assert story.timer("desk").last_at == moment("12:00")


def test_a_switch_says_which_end_it_replaces() -> None:
    story = forgotten(OverlapMode.PAUSE_PREVIOUS).when(LATE_START)
    day = moment("09:00").date()
    assert closed_of(story.outcome.changed[0]) == Closed(
        seq=1,
        start=moment("09:00"),
        end=moment("12:00"),
        zone="Asia/Jerusalem",
        days=(DayPart(on=day, us=3 * 3_600_000_000),),
        was=Was(end=moment("16:00"), days=(DayPart(on=day, us=7 * 3_600_000_000),)),
    )
    # It is a switch by now, and may be taken back like one.
    story.when(paused("desk", at="18:01", asked="10:00"))
    assert desk(story) == (State.PAUSED, 60)


def closed_of(change: Change) -> Closed | None:
    return change.closed


@pytest.mark.parametrize("seen", [True, False], ids=["after a tick", "without one"])
def test_a_late_start_is_refused_beside_it(*, seen: bool) -> None:
    story = forgotten(OverlapMode.BLOCK, seen=seen).when(LATE_START)
    assert (story.outcome.verdict, story.outcome.rule) == ("refused", "R13")
    assert desk(story) == (State.STOPPED, 420)


def test_it_stays_stopped_when_no_switch_ends_it() -> None:
    story = forgotten(OverlapMode.FLAG).when(LATE_START)
    story.then(accepted("R13", "late", findings=[found(Rule.OVERLAP, "phone", "12:00")]))
    assert [change.timer for change in story.outcome.changed] == [timer_id("phone")]
    assert desk(story) == (State.STOPPED, 420)


@pytest.mark.parametrize("asked", ["16:00", "17:00"])
def test_a_start_at_its_end_or_later_finds_it_stopped(asked: str) -> None:
    story = forgotten(OverlapMode.PAUSE_PREVIOUS).when(started("phone", at="18:00", asked=asked))
    story.then(accepted("late"))
    assert desk(story) == (State.STOPPED, 420)


def test_a_start_that_is_recorded_a_month_later_finds_it_stopped() -> None:
    """As long as an end is provisional, and no longer."""
    story = forgotten(OverlapMode.BLOCK).when(started("phone", at="2026-04-01T16:00:00.001", asked="12:00"))
    assert (story.outcome.verdict, desk(story)) == ("accepted", (State.STOPPED, 420))


def test_without_the_look_back_a_tick_changes_the_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: judged as stopped, the timer keeps four hours that the same presses without a tick would not."""
    monkeypatch.setattr(fold, "stopped_after", lambda *_: frozenset())
    story = forgotten(OverlapMode.PAUSE_PREVIOUS).when(LATE_START)
    assert desk(story) == (State.STOPPED, 420)
