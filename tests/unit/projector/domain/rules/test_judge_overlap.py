"""R13: another timer of the owner runs, or (backdated) ran then."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import pytest

from shared.events.models import DeadlineReached
from shared.events.outcome import State
from shared.events.policy import Mode, Overlap, OverlapMode, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
    Came,
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
    resumed,
    started,
    stopped,
    timer_id,
)

# What becomes of the timer that runs, in each mode.
OTHER_AFTER: Final = {
    OverlapMode.ALLOW: State.RUNNING,
    OverlapMode.FLAG: State.RUNNING,
    OverlapMode.PAUSE_PREVIOUS: State.PAUSED,
    OverlapMode.STOP_PREVIOUS: State.STOPPED,
    OverlapMode.BLOCK: State.RUNNING,
}
OPENING: Final[dict[str, tuple[tuple[Told, ...], Callable[..., Told]]]] = {
    "start": ((), started),
    "resume": ((started("desk", at="09:00"), paused("desk", at="09:10")), resumed),
}
# Paused once, so that its last event is not its start.
RUNS: Final = (started("other", at="09:12"), paused("other", at="09:20"), resumed("other", at="09:25"))


def overlapping(timer: str, from_: str, *more: str) -> Came:
    return accepted("R13", *more, findings=[found(Rule.OVERLAP, timer, from_)])


def test_a_second_start_while_one_runs_is_kept_and_flagged() -> None:
    """An owner has two hands but one clock."""
    story = given(started("desk", at="09:00")).when(started("phone", at="09:30")).then(overlapping("phone", "09:30"))
    assert {t.id for t in story.sheet().timers.values() if t.open is not None} == {timer_id("desk"), timer_id("phone")}
    assert all(timer.open is not None for timer in story.sheet().timers.values())
    assert story.timer("phone").flags == ("R13",)
    assert story.timer("desk").flags == ()


def test_both_of_two_parallel_timers_count_in_full() -> None:
    story = given(started("desk", at="09:00"), started("phone", at="09:30"))
    story.when(stopped("desk", at="10:00"), stopped("phone", at="10:00")).then(accepted(), accepted())
    assert (story.minutes("desk"), story.minutes("phone")) == (60, 30)


def test_a_resume_beside_a_running_timer_is_flagged() -> None:
    story = given(started("desk", at="09:00"), paused("desk", at="09:10"), started("phone", at="09:20"))
    story.when(resumed("desk", at="09:30")).then(overlapping("desk", "09:30"))


@pytest.mark.parametrize("press", [paused, stopped], ids=["pause", "stop"])
def test_a_press_that_ends_an_interval_never_overlaps(press: Callable[..., Told]) -> None:
    story = given(started("desk", at="09:00"), started("phone", at="09:20"))
    story.when(press("desk", at="09:30")).then(accepted())


def test_a_paused_timer_is_not_overlapped() -> None:
    given(started("desk", at="09:00"), paused("desk", at="09:10")).when(started("phone", at="09:20")).then(accepted())


def test_another_owners_timer_is_not_overlapped() -> None:
    given(started("desk", at="09:00", owner="noam")).when(started("phone", at="09:30")).then(accepted())


def test_the_same_owner_of_another_tenant_is_another_owner() -> None:
    given(started("desk", at="09:00", tenant="other")).when(started("phone", at="09:30")).then(accepted())


def test_a_backdated_start_overlaps_what_was_worked_then() -> None:
    story = given(started("desk", at="09:00"), stopped("desk", at="10:00"))
    story.when(started("phone", at="11:00", asked="09:30")).then(overlapping("phone", "09:30", "late"))


def test_a_backdated_start_overlaps_from_the_worked_intervals_begin() -> None:
    story = given(started("desk", at="09:00"), stopped("desk", at="10:00"))
    story.when(started("phone", at="11:00", asked="08:30")).then(overlapping("phone", "09:00", "late"))


def test_a_start_before_one_that_runs_overlaps_from_where_that_began() -> None:
    given(started("desk", at="09:00")).when(started("phone", at="09:01", asked="08:59:30")).then(
        accepted("R13", "late", findings=[found(Rule.OVERLAP, "phone", "09:00")])
    )


def test_the_first_of_several_overlaps_is_named() -> None:
    story = given(
        started("desk", at="09:00"),
        stopped("desk", at="09:10"),
        started("phone", at="09:20"),
        stopped("phone", at="09:30"),
        started("car", at="09:40"),
    )
    story.when(started("home", at="09:50", asked="09:05")).then(overlapping("home", "09:05", "late"))


def test_intervals_that_touch_do_not_overlap() -> None:
    """Intervals are half-open: ten o'clock belongs to the second one alone."""
    story = given(started("desk", at="09:00"), stopped("desk", at="10:00"))
    story.when(started("phone", at="10:00:10", asked="10:00")).then(accepted())


def test_a_microsecond_is_an_overlap() -> None:
    story = given(started("desk", at="09:00"), stopped("desk", at="10:00"))
    story.when(started("phone", at="10:00:10", asked="09:59:59.999999")).then(overlapping("phone", "09:59:59.999999"))


def test_an_interval_of_no_length_is_overlapped_by_nothing() -> None:
    story = given(started("desk", at="09:00"), stopped("desk", at="09:00"))
    story.when(started("phone", at="09:00:30", asked="08:59:59")).then(accepted())


def test_a_timer_does_not_overlap_its_own_intervals() -> None:
    story = given(started("desk", at="09:00"), paused("desk", at="10:00"))
    story.when(resumed("desk", at="10:00:30", asked="09:59:30"))
    story.then(accepted("R18", findings=[found(Rule.LATE_PRESS, "desk", "09:59:30", "10:00")]))


def test_a_resume_that_was_moved_overlaps_from_its_new_time() -> None:
    story = given(started("desk", at="09:00"), started("phone", at="09:00"), paused("desk", at="09:30"))
    story.when(resumed("desk", at="09:30:20", asked="09:10")).then(
        accepted(
            "R13",
            "R18",
            "late",
            findings=[found(Rule.OVERLAP, "desk", "09:30"), found(Rule.LATE_PRESS, "desk", "09:10", "09:30")],
        )
    )


def test_a_backdated_resume_overlaps_what_another_timer_worked_since() -> None:
    story = given(
        started("desk", at="09:00"),
        paused("desk", at="09:10"),
        started("phone", at="09:20"),
        stopped("phone", at="09:30"),
    )
    story.when(resumed("desk", at="09:40", asked="09:15")).then(overlapping("desk", "09:20", "late"))


def test_a_refused_start_overlaps_nothing() -> None:
    story = given(started("desk", at="09:00", asked="12:00")).when(started("phone", at="09:30")).then(accepted())
    assert story.timer("phone").flags == ()


def test_every_further_start_is_a_finding_of_its_own() -> None:
    story = given(started("desk", at="09:00"), started("phone", at="09:30"), started("car", at="09:40"))
    overlaps = {(f.timer_id, f.from_) for outcome in story.outcomes for f in outcome.findings}
    expected: set[tuple[int, datetime]] = {
        (timer_id("phone"), moment("09:30")),
        (timer_id("car"), moment("09:40")),
    }
    assert overlaps == expected


def test_a_tenant_that_allows_overlaps_gets_no_finding() -> None:
    allowing = JERUSALEM.model_copy(update={"rules": Rules(R13=Overlap(mode=OverlapMode.ALLOW))})
    given(started("desk", at="09:00"), policy=allowing).when(started("phone", at="09:30")).then(accepted())


@pytest.mark.parametrize(("asked", "ends"), [("09:30", "09:30"), ("09:25", "09:25"), ("09:15", "09:25")])
@pytest.mark.parametrize("verb", OPENING)
@pytest.mark.parametrize("mode", OverlapMode)
def test_only_a_switch_ends_the_other_timer_at_the_press_or_at_its_own_last_event(
    mode: OverlapMode, verb: str, asked: str, ends: str
) -> None:
    """A press that counts before the other timer's last event cannot take that event back."""
    before, pressing = OPENING[verb]
    policy = JERUSALEM.model_copy(update={"rules": Rules(R13=Overlap(mode=mode), R18=RuleMode(mode=Mode.OFF))})
    story = given(*before, *RUNS, policy=policy).when(pressing("desk", at="09:30", asked=asked))
    match mode:
        case OverlapMode.ALLOW:
            story.then(accepted())
        case OverlapMode.BLOCK:
            story.then(refused(Rule.OVERLAP, found(Rule.OVERLAP, "desk", asked, refused=True)))
        case _:
            story.then(overlapping("desk", asked))
    state = OTHER_AFTER[mode]
    switches, begins = state is not State.RUNNING, mode is not OverlapMode.BLOCK
    assert [(change.by, change.timer) for change in story.outcome.changed] == [
        *([("switch", timer_id("other"))] if switches else []),
        *([("press", timer_id("desk"))] if begins else []),
    ]
    other, last_at = story.timer("other"), moment(ends if switches else "09:25")
    assert (other.state, other.last_at) == (state, last_at)
    assert other.stopped_at == (last_at if state is State.STOPPED else None)
    # Eight minutes before its pause, and what came after that.
    assert story.minutes("other") == 8 + (last_at - moment("09:25")) / timedelta(minutes=1)


@pytest.mark.parametrize("mode", [OverlapMode.PAUSE_PREVIOUS, OverlapMode.STOP_PREVIOUS])
def test_a_switch_ends_every_timer_that_runs_and_none_that_is_paused(mode: OverlapMode) -> None:
    """Two were left running under an older document."""
    rules = Rules(R13=Overlap(mode=mode))
    story = Story(book_of(JERUSALEM, JERUSALEM.model_copy(update={"rules": rules})))
    story.when(started("rests", at="08:00"), paused("rests", at="08:10"))
    story.when(started("one", at="09:00"), started("two", at="09:10"), started("desk", at="09:30", policy_rev=3))
    ended = [change.timer for change in story.outcome.changed if change.by == "switch"]
    assert ended == sorted([timer_id("one"), timer_id("two")])
    assert story.timer("rests").state is State.PAUSED
    assert (story.minutes("one"), story.minutes("two")) == (30, 20)


@pytest.mark.parametrize("mode", OverlapMode)
def test_what_was_worked_is_flagged_and_never_blocked_nor_switched(mode: OverlapMode) -> None:
    """The other timer ended before the press, which counts in its time."""
    policy = JERUSALEM.model_copy(update={"rules": Rules(R13=Overlap(mode=mode))})
    story = given(started("other", at="09:00"), stopped("other", at="09:20"), policy=policy)
    story.when(started("desk", at="09:30", asked="09:10"))
    story.then(accepted("late") if mode is OverlapMode.ALLOW else overlapping("desk", "09:10", "late"))
    assert (story.timer("other").stopped_at, story.minutes("other")) == (moment("09:20"), 20)


def test_a_switch_ends_99_timers_and_the_others_at_the_owners_next_start() -> None:
    """A tick in between ends none of them: a switch is of a press, and does not fall due."""
    both = (OverlapMode.ALLOW, OverlapMode.STOP_PREVIOUS)
    book = book_of(*(JERUSALEM.model_copy(update={"rules": Rules(R13=Overlap(mode=mode))}) for mode in both))
    many = {start.timer: start for start in (started(f"t{number}", at="09:00") for number in range(130))}
    story = Story(book).when(*many.values())
    left = sorted(timer.id for timer, _ in story.sheet().running())[99:]
    assert left
    story.when(started("desk", at="10:00", policy_rev=3), fact(DeadlineReached, "10:05"))
    assert sorted(timer.id for timer, _ in story.sheet().running()) == sorted([*left, timer_id("desk")])
    story.when(started("phone", at="10:10", policy_rev=3))
    assert [timer.id for timer, _ in story.sheet().running()] == [timer_id("phone")]
