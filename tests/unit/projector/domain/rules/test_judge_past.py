"""R15: a press of long ago, and days that payroll has locked."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pytest

from shared.events.durations import US_PER_MINUTE
from shared.events.models import DeadlineReached
from shared.events.outcome import State
from shared.events.policy import LongRunning, Mode, Overlap, OverlapMode, PastTime, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
    MONDAY,
    Story,
    Told,
    accepted,
    book_of,
    fact,
    found,
    given,
    moment,
    paused,
    refused,
    started,
    stopped,
)

# Monday is 2 March 2026. In Jerusalem it begins at 22:00 of Sunday, UTC.
DAY: Final = 86_400


def past_time(mode: Mode = Mode.BLOCK, **limits: Any) -> Policy:  # noqa: ANN401 - seconds and days
    return JERUSALEM.model_copy(update={"rules": Rules(R15=PastTime(mode=mode, **limits))})


def early(from_: str) -> Any:  # noqa: ANN401 - what `then` takes
    return refused(Rule.PAST_TIME, found(Rule.PAST_TIME, "desk", from_, refused=True))


def test_a_start_at_the_limit_is_accepted_and_a_microsecond_before_it_refused() -> None:
    limited = past_time(max_backdate_seconds=3600)
    given(policy=limited).when(started("desk", at="10:00", asked="09:00")).then(accepted("late"))
    given(policy=limited).when(started("desk", at="10:00", asked="08:59:59.999999")).then(early("08:59:59.999999"))


@pytest.mark.parametrize("mode", [None, Mode.OFF])
def test_without_a_mode_no_press_is_too_old(mode: Mode | None) -> None:
    policy = JERUSALEM.model_copy(update={"rules": Rules(R15=PastTime(mode=mode, max_backdate_seconds=1))})
    given(policy=policy).when(started("desk", at="10:00", asked="09:00")).then(accepted("late"))


def test_a_mode_without_a_limit_never_fires() -> None:
    given(policy=past_time()).when(started("desk", at="10:00", asked="2026-02-01T09:00")).then(accepted("late"))


@pytest.mark.parametrize("on", [date(1, 1, 2), date(9999, 12, 30)])
@pytest.mark.parametrize("zone", ["Etc/GMT-14", "Etc/GMT+12"])
def test_without_a_limit_no_work_date_is_too_old(zone: str, on: date) -> None:
    """The first day and the last that a record may name, in the zones whose days begin first and last."""
    rules = Rules(R14=RuleMode(mode=Mode.OFF), R15=PastTime(mode=Mode.BLOCK))
    policy = JERUSALEM.model_copy(update={"zone": zone, "rules": rules})
    given(policy=policy).when(started("desk", at="10:00", work_date=on)).then(accepted())


def test_a_lock_before_the_first_day_locks_nothing() -> None:
    locked = past_time(locked_before=date(1, 1, 2))
    given(policy=locked).when(started("desk", at="10:00", work_date=date(1, 1, 2))).then(accepted())


def test_a_start_too_long_ago_is_flagged_and_counts_from_then() -> None:
    story = given(policy=past_time(Mode.FLAG, max_backdate_seconds=60)).when(started("desk", at="10:00", asked="09:00"))
    story.then(accepted("R15", "late", findings=[found(Rule.PAST_TIME, "desk", "09:00")]))
    assert story.timer("desk").started_at == moment("09:00")


def test_a_start_in_the_locked_period_is_refused_from_its_last_microsecond() -> None:
    locked = past_time(locked_before=date(2026, 3, 2))
    given(policy=locked).when(started("desk", at="10:00", asked="2026-03-01T22:00")).then(accepted("late"))
    story = given(policy=locked).when(started("desk", at="10:00", asked="2026-03-01T21:59:59.999999"))
    story.then(early("2026-03-01T21:59:59.999999"))


def test_a_work_date_in_the_locked_period_is_refused() -> None:
    """It moves no time, so the press counts at its own moment; but it says on which day the work belongs."""
    locked = past_time(locked_before=date(2026, 3, 2))
    given(policy=locked).when(started("desk", at="10:00", work_date=date(2026, 3, 1))).then(early("10:00"))
    given(policy=locked).when(started("desk", at="10:00", work_date=date(2026, 3, 2))).then(accepted())


@pytest.mark.parametrize("press", [paused, stopped], ids=["pause", "stop"])
@pytest.mark.parametrize("mode", [Mode.FLAG, Mode.BLOCK, Mode.STRICT])
def test_an_end_that_adds_time_to_a_locked_day_counts_and_is_flagged(mode: Mode, press: Callable[..., Told]) -> None:
    """Two hours before midnight are on Sunday, which is locked; one hour is on Monday."""
    # The lock came after the start.
    book = book_of(JERUSALEM, past_time(mode, locked_before=date(2026, 3, 2)))
    story = Story(book).when(started("desk", at="2026-03-01T20:00"))
    story.when(press("desk", at="2026-03-01T23:00", policy_rev=3))
    finding = found(Rule.PAST_TIME, "desk", "2026-03-01T20:00", "2026-03-01T22:00")
    story.then(accepted("R15", findings=[finding]))
    [change] = story.outcome.changed
    assert change.closed is not None
    assert [(part.on.day, part.us // US_PER_MINUTE, part.after_lock) for part in change.closed.days] == [
        (1, 120, True),
        (2, 60, False),
    ]
    assert story.timer("desk").state is not State.RUNNING


LOCKED_LATER: Final = PastTime(mode=Mode.FLAG, locked_before=date(2026, 3, 2))
STOPS: Final = {"R16": LongRunning(auto_close_seconds=7200)}
SWITCHES: Final = {"R13": Overlap(mode=OverlapMode.PAUSE_PREVIOUS)}


@pytest.mark.parametrize(
    ("ends", "by", "day"),
    [
        (STOPS, fact(DeadlineReached, "2026-03-01T21:01"), (1, 120, False)),
        (STOPS, fact(DeadlineReached, "10:00"), (1, 120, True)),
        (SWITCHES, started("phone", at="10:00", asked="2026-03-01T20:30"), (1, 90, True)),
    ],
    ids=["stop before the lock", "stop after it", "switch after it"],
)
def test_an_end_that_nobody_pressed_marks_what_was_locked_when_it_was_told_and_is_not_flagged(
    ends: dict[str, Any], by: Told, day: tuple[int, int, bool]
) -> None:
    """Sunday is locked on Monday. A stop that is found only then lies before the lock, and adds time after it."""
    open_, locked = (
        JERUSALEM.model_copy(update={"rules": Rules(**ends, R15=past)}) for past in (PastTime(), LOCKED_LATER)
    )
    story = Story(book_of(open_, locked)).when(started("desk", at="2026-03-01T19:00"))
    story.when(replace(by, policy_rev=3 if by.log_time >= MONDAY else 1))
    [closed] = [change.closed for change in story.outcome.changed if change.closed is not None]
    assert [(part.on.day, part.us // US_PER_MINUTE, part.after_lock) for part in closed.days] == [day]
    assert "R15" not in story.timer("desk").flags
