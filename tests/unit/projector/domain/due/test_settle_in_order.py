"""Nothing overtakes what waits for its first minute, and a late press finds what a tick before it would have told."""

import pytest

from services.projector.domain.due import settle
from services.projector.domain.fold import Voided
from shared.events.models import OwnerEstimateSet, OwnerLeaveGranted
from shared.events.outcome import Finding
from shared.events.policy import DailyCap, LongRunning, Mode, Overlap, OverlapMode, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.story.given import (
    Story,
    Told,
    fact,
    found,
    given,
    moment,
    paused,
    resumed,
    started,
    stopped,
    tick,
    timer_id,
)
from tests.unit.projector.domain.due.looks import HOUR, policy, told

R11 = Rule.OVER_DAILY_CAP


def limits(stops: int = 1, overlap: OverlapMode = OverlapMode.ALLOW) -> Policy:
    """Return a policy: an hour and a half that is billable a day, and after so many hours a timer stops."""
    rules = Rules(
        R09=RuleMode(mode=Mode.BLOCK),
        R11=DailyCap(billable_seconds_per_day=HOUR * 3 // 2),
        R13=Overlap(mode=overlap),
        R16=LongRunning(auto_close_seconds=stops * HOUR),
    )
    return policy(rules=rules)


def crossings(story: Story, timer: str) -> list[Finding]:
    """Return where a timer crossed the cap, as it was told last, without what turned out not to have happened."""
    return [one for one in told(story) if one.timer_id == timer_id(timer) and one.rule == R11 and one.amount_us != 0]


def beside_a_late_start(*ticks: str) -> Story:
    """The phone was started at 03:00, and that comes at 09:00:45. It has stopped by itself at 04:00."""
    begin = given(started("desk", at="09:00"), started("phone", at="09:00:45", asked="03:00"), policy=limits())
    return begin.when(*map(tick, ticks), tick("10:30"))


@pytest.mark.parametrize("ticks", [(), ("09:01:15",), ("09:01:15", "09:01:46")])
def test_a_crossing_waits_for_a_stop_before_it_that_waits(ticks: tuple[str, ...]) -> None:
    """An hour of the phone, so the desk crosses the cap in the middle of its own hour, and not at its start."""
    assert crossings(beside_a_late_start(*ticks), "desk") == [found(R11, "desk", "09:30", "10:00")]


def test_without_the_order_the_crossing_lies_where_nobody_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(settle, "_waits", lambda *_: False)
    assert crossings(beside_a_late_start("09:01:15"), "desk") != [found(R11, "desk", "09:30", "10:00")]


def test_the_owner_is_looked_at_when_what_waits_is_told() -> None:
    """Nobody looks before: what is due for the desk is due later than what waits."""
    assert beside_a_late_start().outcomes[1].due == moment("09:01:45")


@pytest.mark.parametrize("ticks", [(), ("09:01:16",), ("09:01:02", "09:01:46"), ("09:02",)])
def test_two_that_began_late_cross_the_cap_together(ticks: tuple[str, ...]) -> None:
    """Each began before the other was on the log. Who is looked at first does not matter."""
    story = given(
        started("desk", at="09:00:01", asked="03:00"),
        started("phone", at="09:00:46", asked="03:00"),
        policy=limits(stops=4),
    ).when(*map(tick, ticks), tick("09:30"))
    assert crossings(story, "desk") == [found(R11, "desk", "03:45", "07:00")]
    assert crossings(story, "phone") == [found(R11, "phone", "03:45", "07:00")]


@pytest.mark.parametrize("ticks", [(), ("10:01:01",), ("10:01:01", "10:29")])
def test_a_stop_that_takes_an_end_back_finds_what_a_tick_had_told(ticks: tuple[str, ...]) -> None:
    """The phone had its whole hour until the stop came; by it, the desk had crossed the cap at 08:00."""
    story = given(
        started("phone", at="09:30", asked="08:40"), started("desk", at="10:00:01", asked="07:30"), policy=limits()
    ).when(*map(tick, ticks), stopped("phone", at="10:30", asked="08:50"))
    assert crossings(story, "desk") == [found(R11, "desk", "08:00", "08:30")]


@pytest.mark.parametrize("ticks", [(), ("09:31:46",)])
def test_a_press_that_is_moved_finds_what_fell_due_until_it_counts(ticks: tuple[str, ...]) -> None:
    """The resume was asked for 07:30 and counts at 09:30, where it ends the phone: which was over the cap by then."""
    story = given(
        started("desk", at="09:00"),
        paused("desk", at="09:30"),
        started("phone", at="09:30", asked="07:50"),
        policy=limits(stops=9, overlap=OverlapMode.PAUSE_PREVIOUS),
    ).when(*map(tick, ticks), resumed("desk", at="10:00", asked="07:30"))
    assert crossings(story, "phone") == [found(R11, "phone", "08:50", "09:30")]


def refused_beside_a_first_minute(at: str) -> Story:
    """The phone was started late, at 05:00. A start that would have paused it is refused, because the day is free."""
    begin = given(
        started("phone", at="09:00", asked="05:00"), policy=limits(stops=9, overlap=OverlapMode.PAUSE_PREVIOUS)
    )
    return begin.when(fact(OwnerLeaveGranted, "09:00:10", on=moment("09:00").date()), started("desk", at=at))


def test_a_refused_start_tells_nothing_of_another_timers_first_minute() -> None:
    story = refused_beside_a_first_minute("09:00:30")
    assert story.outcome.verdict == "refused"
    assert story.outcome.changed == ()
    assert [one.timer_id for one in story.outcome.findings] == [timer_id("desk")]


def test_after_that_minute_a_refused_start_tells_what_fell_due_as_a_tick_would() -> None:
    """The control: the minute is what keeps it back."""
    assert found(R11, "phone", "06:30") in refused_beside_a_first_minute("09:01").outcome.findings


def test_a_refused_pause_tells_nothing_of_its_timers_first_minute() -> None:
    """In strict mode the pause is refused over the cap; the interval goes on, and its first minute too."""
    strict = limits(stops=9)
    strict = strict.model_copy(
        update={
            "rules": strict.rules.model_copy(
                update={"R11": DailyCap(mode=Mode.STRICT, billable_seconds_per_day=HOUR * 3 // 2)}
            )
        }
    )
    story = given(started("desk", at="09:00", asked="05:00"), policy=strict).when(paused("desk", at="09:00:30"))
    assert story.outcome.verdict == "refused"
    assert [(one.rule, one.from_, one.refused) for one in story.outcome.findings] == [(R11, moment("09:00:30"), True)]


def begun_yesterday(*before: Told) -> Story:
    """At half past midnight comes a start of yesterday, and no length is limited. It crossed the cap at 18:00."""
    rules = Rules(
        R11=DailyCap(billable_seconds_per_day=8 * HOUR),
        R12=RuleMode(mode=Mode.FLAG),
        R16=LongRunning(mode=Mode.OFF),
    )
    return given(*before, started("desk", at="2026-03-03T00:30", asked="10:00"), policy=policy(rules=rules))


def test_an_owner_is_looked_at_for_what_waits_of_an_earlier_day() -> None:
    """Days before today are not looked ahead at, so it would be told at 06:00, when today's cap is reached."""
    story = begun_yesterday()
    assert story.outcome.due == moment("2026-03-03T00:31")
    crossed = found(R11, "desk", "18:00", "22:00")
    assert crossed in story.when(tick("2026-03-03T00:31")).outcome.findings, "until midnight, in Jerusalem"


def test_a_tick_in_that_minute_asks_for_no_other_before_the_minute_is_over() -> None:
    """Each tick would ask for the next at once and find nothing, because the phone's estimate waits for the desk."""
    estimate = fact(OwnerEstimateSet, "2026-03-03T00:10", job_id="j1", seconds=600)
    phone = started("phone", at="2026-03-03T00:20:30", job_id="j1", billable=False)
    story = begun_yesterday(estimate, phone).when(tick("2026-03-03T00:30:30"))
    looked = story.answers[-1]
    assert isinstance(looked, Voided)
    assert looked.due == moment("2026-03-03T00:31")
    findings = story.when(tick("2026-03-03T00:31")).outcome.findings
    assert found(Rule.OVER_ESTIMATE, "phone", "2026-03-03T00:30:30") in findings
