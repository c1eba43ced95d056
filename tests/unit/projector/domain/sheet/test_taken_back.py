"""An end that nobody pressed is provisional: a late pause or stop that belongs before it takes it back."""

from datetime import date
from typing import Final

import pytest

from services.projector.domain.sheet import taken_back
from services.projector.domain.sheet.state import ClosedInterval, DayWorked, FoundOpen
from shared.events.durations import US_PER_MINUTE
from shared.events.models import Actor
from shared.events.outcome import Change, Closed, DayPart, State, Was
from shared.events.policy import DailyCap, LongRunning, Mode, Overlap, OverlapMode, PastTime, Policy, Rules
from shared.events.rules import Rule
from shared.events.value import replace
from tests.support.story.given import (
    JERUSALEM,
    Story,
    accepted,
    book_of,
    found,
    given,
    moment,
    paused,
    refused,
    resumed,
    started,
    stopped,
    tick,
    timer_id,
)

MONDAY: Final = date(2026, 3, 2)
TUESDAY: Final = date(2026, 3, 3)
HOUR: Final = 3600
SEVEN: Final = LongRunning(auto_close_seconds=7 * HOUR)


def under(rules: Rules) -> Policy:
    return JERUSALEM.model_copy(update={"rules": rules})


def forgotten(policy: Policy | None = None) -> Story:
    """The desk's timer ran from 09:00, and the system stopped it at 16:00, because its phone was away."""
    story = given(started("desk", at="09:00"), policy=policy or under(Rules(R16=SEVEN)))
    story.when(tick("16:00"))
    assert story.timer("desk").stopped_at == moment("16:00")
    return story


def change(story: Story) -> Change:
    (only,) = story.outcome.changed
    return only


def parts(day: date, minutes: int, *, after_lock: bool = False) -> tuple[DayPart, ...]:
    return (DayPart(on=day, us=minutes * US_PER_MINUTE, after_lock=after_lock),)


def test_a_late_pause_takes_an_automatic_stop_back() -> None:
    story = forgotten().when(paused("desk", at="18:00", asked="12:00"))
    said = change(story)
    assert (said.by, said.after.state, said.after.stopped_at) == ("press", State.PAUSED, None)
    assert said.closed == Closed(
        seq=1,
        start=moment("09:00"),
        end=moment("12:00"),
        zone="Asia/Jerusalem",
        days=parts(MONDAY, 180),
        was=Was(end=moment("16:00"), days=parts(MONDAY, 7 * 60)),
    )
    assert (story.minutes("desk"), said.after.last_at) == (180, moment("12:00"))
    assert story.sheet().days == {MONDAY: DayWorked(180 * US_PER_MINUTE, 180 * US_PER_MINUTE)}
    assert story.sheet().closed == (
        ClosedInterval(
            timer_id("desk"), moment("09:00"), moment("12:00"), "Asia/Jerusalem", billable=True, job_id=None
        ),
    )


def test_a_queue_of_late_presses_counts_as_if_nothing_had_stopped_the_timer() -> None:
    story = forgotten().when(
        paused("desk", at="18:00", asked="12:00"),
        resumed("desk", at="18:00", asked="13:00"),
        stopped("desk", at="18:00", asked="18:00"),
    )
    story.then(accepted("late"), accepted("late"), accepted())
    assert (story.timer("desk").state, story.minutes("desk")) == (State.STOPPED, 180 + 300)


def test_a_late_stop_takes_a_switch_back() -> None:
    story = given(started("desk", at="09:00"), policy=under(Rules(R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS))))
    story.when(started("phone", at="10:00"), stopped("desk", at="11:00", asked="09:40"))
    assert change(story).closed == Closed(
        seq=1,
        start=moment("09:00"),
        end=moment("09:40"),
        zone="Asia/Jerusalem",
        days=parts(MONDAY, 40),
        was=Was(end=moment("10:00"), days=parts(MONDAY, 60)),
    )
    assert (story.timer("desk").state, story.minutes("desk")) == (State.STOPPED, 40)
    assert story.running("phone") is not None


def test_a_pause_before_the_interval_began_is_moved_to_its_beginning() -> None:
    story = forgotten().when(paused("desk", at="18:00", asked="08:30"))
    story.then(accepted("R18", "late", findings=[found(Rule.LATE_PRESS, "desk", "08:30", "09:00")]))
    assert story.minutes("desk") == 0
    # The row of the day stays, without time.
    assert story.sheet().days == {MONDAY: DayWorked()}


@pytest.mark.parametrize("asked", ["16:00", "17:00"])
def test_a_press_at_the_end_or_later_takes_nothing_back(asked: str) -> None:
    story = forgotten().when(paused("desk", at="18:00", asked=asked), stopped("desk", at="18:00", asked=asked))
    story.then(refused(Rule.NOT_LEGAL_NOW, found(Rule.NOT_LEGAL_NOW, "desk", asked, refused=True)), accepted())
    assert (story.outcome.changed, story.minutes("desk")) == ((), 7 * 60)


def test_only_a_pause_or_a_stop_takes_an_end_back() -> None:
    story = forgotten().when(resumed("desk", at="18:00", asked="12:00"))
    assert (story.outcome.rule, story.minutes("desk")) == ("R07", 7 * 60)


def test_an_end_that_somebody_pressed_stands() -> None:
    """Also the stop of a timer that a switch had paused: the person has said that the timer is over."""
    story = given(started("desk", at="09:00"), policy=under(Rules(R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS))))
    story.when(started("phone", at="10:00"), stopped("desk", at="10:30"), stopped("desk", at="11:00", asked="09:40"))
    assert (story.outcome.changed, story.minutes("desk")) == ((), 60)


def test_an_interval_that_was_followed_by_another_stands() -> None:
    story = given(started("desk", at="09:00"), policy=under(Rules(R13=Overlap(mode=OverlapMode.PAUSE_PREVIOUS))))
    story.when(started("phone", at="10:00"), resumed("desk", at="11:00"), paused("desk", at="11:30", asked="09:40"))
    # Its own last press was at 11:00, so the pause is moved there.
    assert (story.timer("desk").last_at, story.minutes("desk")) == (moment("11:00"), 60)


@pytest.mark.parametrize(
    ("recorded", "minutes"), [("2026-04-01T16:00", 180), ("2026-04-01T16:00:00.001", 7 * 60)], ids=["in time", "late"]
)
def test_an_end_is_provisional_for_thirty_days(recorded: str, minutes: int) -> None:
    story = forgotten().when(stopped("desk", at=recorded, asked="12:00"))
    assert story.minutes("desk") == minutes


def test_another_persons_press_takes_nothing_back() -> None:
    noam = Actor(client="phone", person="noam", role="person")
    story = forgotten().when(stopped("desk", at="18:00", asked="12:00", by=noam))
    assert (story.outcome.rule, story.outcome.changed, story.minutes("desk")) == ("R06", (), 7 * 60)


def test_a_pause_that_a_rule_refuses_takes_nothing_back() -> None:
    """Strict: over the cap, a pause is refused. The automatic stop stands, and so does what was found until then."""
    strict = under(Rules(R11=DailyCap(mode=Mode.STRICT, billable_seconds_per_day=2 * HOUR), R16=SEVEN))
    story = forgotten(strict).when(paused("desk", at="18:00", asked="12:00"))
    story.then(refused(Rule.OVER_DAILY_CAP, found(Rule.OVER_DAILY_CAP, "desk", "12:00", refused=True)))
    assert (story.outcome.changed, story.minutes("desk")) == ((), 7 * 60)
    # A stop is never refused by a rule of time.
    story.when(stopped("desk", at="18:00", asked="12:00"))
    assert story.minutes("desk") == 180
    assert story.outcome.findings == (found(Rule.OVER_DAILY_CAP, "desk", "11:00", "12:00"),)


def test_findings_end_where_the_interval_ends_now() -> None:
    """One that began before the pause is shorter; one that began after it did not happen: it has no time."""
    rules = Rules(
        R11=DailyCap(billable_seconds_per_day=2 * HOUR), R16=SEVEN.model_copy(update={"long_running_seconds": 5 * HOUR})
    )
    story = forgotten(under(rules))
    assert story.outcome.findings[:2] == (
        found(Rule.OVER_DAILY_CAP, "desk", "11:00", "16:00"),
        found(Rule.LONG_RUNNING, "desk", "14:00", "16:00"),
    )
    story.when(paused("desk", at="18:00", asked="12:00"))
    assert story.outcome.findings == (
        found(Rule.OVER_DAILY_CAP, "desk", "11:00", "12:00"),
        found(Rule.LONG_RUNNING, "desk", "14:00", "14:00"),
    )
    # The pause is over the cap, whose finding was open: flagged, and no second finding.
    assert story.outcome.flags == ("R11", "late")


def test_a_locked_day_flags_it_and_says_what_the_day_has_lost() -> None:
    locked = Rules(R15=PastTime(mode=Mode.BLOCK, locked_before=TUESDAY), R16=SEVEN)
    unlocked = under(Rules(R16=SEVEN))
    story = Story(book_of(unlocked, under(locked))).when(started("desk", at="09:00"), tick("16:00"))
    story.when(stopped("desk", at="2026-03-03T08:00", asked="12:00", policy_rev=3))
    assert story.outcome.flags == ("R15", "late")
    # The day loses the time between the two ends.
    assert found(Rule.PAST_TIME, "desk", "12:00", "16:00") in story.outcome.findings
    closed = change(story).closed
    assert closed is not None
    assert closed.days == parts(MONDAY, 180, after_lock=True)
    assert closed.was == Was(end=moment("16:00"), days=parts(MONDAY, 7 * 60, after_lock=True))


def test_a_locked_day_that_loses_nothing_is_not_flagged() -> None:
    """Monday has its two hours with the new end as with the old one, which lies on Tuesday."""
    locked = Rules(R15=PastTime(mode=Mode.BLOCK, locked_before=TUESDAY), R16=SEVEN)
    story = Story(book_of(under(Rules(R16=SEVEN)), under(locked))).when(started("desk", at="20:00"))
    story.when(tick("2026-03-03T03:00"), stopped("desk", at="2026-03-03T08:00", asked="2026-03-03T01:00", policy_rev=3))
    assert story.outcome.flags == ("late",)
    closed = change(story).closed
    assert closed is not None
    assert closed.was is not None
    assert not any(part.after_lock for part in (*closed.days, *closed.was.days))


@pytest.mark.parametrize("read_back", [False, True])
def test_what_was_told_of_the_end_taken_back_stands_when_the_next_interval_ends(*, read_back: bool) -> None:
    """The next interval begins at the very pause, and the lock is off by then.

    A sheet that is read back has the finding with the new interval, because both begin at one instant.
    """
    locked = under(Rules(R15=PastTime(mode=Mode.FLAG, locked_before=TUESDAY), R16=SEVEN))
    story = Story(book_of(locked, under(Rules(R16=SEVEN)))).when(started("desk", at="09:00"), tick("16:00"))
    story.when(paused("desk", at="2026-03-03T08:00", asked="12:00"))
    lost = found(Rule.PAST_TIME, "desk", "12:00", "16:00")
    assert lost in story.outcome.findings
    story.when(resumed("desk", at="2026-03-03T09:00", asked="12:00", policy_rev=3))
    if read_back:
        sheet = story.sheet()
        desk = sheet.timers[timer_id("desk")]
        assert desk.open is not None
        interval = replace(desk.open, found=(FoundOpen(lost.rule, lost.from_, lost.to),))
        story.ledger.sheets["acme", "dana"] = replace(sheet, timers={desk.id: replace(desk, open=interval)})
    story.when(stopped("desk", at="2026-03-03T09:00:30", asked="13:00", policy_rev=3))
    assert story.outcome.findings == ()


def test_a_finding_on_the_way_leaves_the_end_to_be_taken_back() -> None:
    """The record of a cap is behind the stop, its clock before it. So a flag comes before the late pause."""
    capped = under(Rules(R11=DailyCap(billable_seconds_per_day=2 * HOUR), R16=SEVEN))
    story = Story(book_of(under(Rules(R16=SEVEN)), capped)).when(started("desk", at="09:00"), tick("16:00"))
    story.when(paused("desk", at="18:00", asked="12:00", policy_rev=3))
    assert [one.by for one in story.outcome.changed] == ["settle", "press"]
    assert story.outcome.changed[-1].closed is not None
    assert story.outcome.changed[-1].closed.was is not None
    assert story.sheet().worked_us(MONDAY, billable=True) == 180 * US_PER_MINUTE


def test_the_system_does_not_stop_the_timer_again() -> None:
    """A lower limit counts from when it was set. Its record is behind the stop, its clock before it."""
    lower = under(Rules(R16=LongRunning(auto_close_seconds=60)))
    story = Story(book_of(under(Rules(R16=SEVEN)), lower)).when(started("desk", at="09:00"), tick("16:00"))
    story.when(paused("desk", at="18:00", asked="12:00", policy_rev=3))
    assert change(story).by == "press"
    assert story.minutes("desk") == 180


def test_without_the_bound_of_thirty_days_a_press_of_next_year_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the bound is what holds such a press back."""
    monkeypatch.setattr(taken_back, "TAKEN_BACK_WITHIN", moment("2027-03-02T00:00") - moment("2026-03-02T00:00"))
    story = forgotten().when(stopped("desk", at="2026-10-01T16:00", asked="12:00"))
    assert story.minutes("desk") == 180
