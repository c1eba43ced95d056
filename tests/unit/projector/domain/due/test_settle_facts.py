"""A fact counts from when it is on the log: until then, what is due is due by what was known, ticks or no ticks.

Each fact is heard ten seconds before something is due, and is on the log ten seconds after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from shared.events.models import (
    DeadlineReached,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
)
from shared.events.outcome import Finding
from shared.events.policy import LongRunning, Mode, Policy, Preset, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.proof.twice import naive_bodies, stated
from tests.support.story.given import (
    JERUSALEM,
    Story,
    Told,
    fact,
    found,
    given,
    moment,
    started,
    stopped,
    timer_id,
)
from tests.unit.projector.domain.due.looks import told as told_of

# In Jerusalem, Tuesday 3 March 2026 begins at 22:00 UTC of Monday.
ON: Final = date(2026, 3, 2)
TUESDAY: Final = date(2026, 3, 3)


def there(left: str, at: str) -> Told:
    return fact(OwnerAttendanceRecorded, at, on=ON, checked_in_at=moment("07:00"), checked_out_at=moment(left))


def estimate(seconds: int, at: str) -> Told:
    return fact(OwnerEstimateSet, at, job_id="roof", seconds=seconds)


CASES: Final = [
    (estimate(3600, "08:00"), "09:00", estimate(7200, "09:59:50"), found(Rule.OVER_ESTIMATE, "desk", "10:00", "10:30")),
    (
        there("10:00", "08:00"),
        "09:00",
        there("12:00", "09:59:50"),
        found(Rule.OUTSIDE_ATTENDANCE, "desk", "10:00", "10:30"),
    ),
    (
        fact(OwnerLeaveGranted, "08:00", on=TUESDAY),
        "21:00",
        fact(OwnerLeaveRevoked, "21:59:50", on=TUESDAY),
        found(Rule.DAY_OFF, "desk", "22:00", "22:30"),
    ),
]


def lived(known: Told, start: str, other: Told, ticks: Sequence[Told]) -> Story:
    """Return a story in which a fact replaces what was known, twenty seconds after it was heard."""
    hour = int(start[:2]) + 1
    late = replace(other, log_time=moment(f"{hour}:00:10"))
    story = given(known, started("desk", at=start, job_id="roof"))
    return story.when(*ticks, late, stopped("desk", at=f"{hour}:30"))


@pytest.mark.parametrize("ticked", [False, True])
@pytest.mark.parametrize(("known", "start", "other", "finding"), CASES, ids=["estimate", "attendance", "leave"])
def test_what_was_due_before_a_fact_was_on_the_log_is_found(
    known: Told, start: str, other: Told, finding: Finding, *, ticked: bool
) -> None:
    ticks = [fact(DeadlineReached, f"{int(start[:2]) + 1}:00:05")] if ticked else []
    assert told_of(lived(known, start, other, ticks)) == [finding]


def test_a_fact_waits_for_no_first_minute_and_both_folds_say_so() -> None:
    """The phone's interval is in its first minute when the fact comes. What is due of the desk before it is told."""
    rules = Rules(R16=LongRunning(long_running_seconds=3600), R12=RuleMode(mode=Mode.FLAG))
    policy = Policy(preset=Preset.NATIVE, zone="Etc/UTC", rules=rules)
    presses = [
        estimate(3600, "08:00"),
        started("desk", "09:00", job_id="roof"),
        started("phone", "09:59:30", asked="08:50"),
        estimate(7200, "10:00:10"),
        stopped("desk", "10:30"),
    ]
    story = given(policy=policy).when(*presses)
    told = {(one.rule, one.timer_id, one.from_) for one in story.outcomes[3].findings}
    assert told == {(rule, timer_id("desk"), moment("10:00")) for rule in (Rule.OVER_ESTIMATE, Rule.LONG_RUNNING)}
    assert naively(presses, policy) == [one.body for one in story.answers]


def leave(at: str, *, on: date = TUESDAY, granted: bool = True) -> Told:
    return fact(OwnerLeaveGranted if granted else OwnerLeaveRevoked, at, on=on)


# What is told of the roof, of the office and of Tuesday; then the finding of a press that comes hours late.
LATE: Final = [
    (lambda at: estimate(3600, at), lambda at: estimate(9000, at), "09:00", Rule.OVER_ESTIMATE),
    (lambda at: there("10:00", at), lambda at: there("12:00", at), "09:00", Rule.OUTSIDE_ATTENDANCE),
    (leave, lambda at: leave(at, granted=False), "21:00", Rule.DAY_OFF),
]


@pytest.mark.parametrize(("told", "other", "start", "rule"), LATE, ids=["estimate", "attendance", "leave"])
def test_a_fact_that_is_told_again_counts_from_when_it_was_told_first(
    told: Callable[[str], Told], other: Callable[[str], Told], start: str, rule: Rule
) -> None:
    """Every night another system tells all that it has. A day's work comes after that, from a phone that was offline.

    When something else was told in between, only the last telling counts, and nothing is found before it.
    """
    hour = int(start[:2])
    opens, ends = f"{hour + 1}:00", f"{hour + 1}:30"
    work = [
        started("desk", "23:00", asked=start, job_id="roof"),
        stopped("desk", "23:01", asked=ends),
    ]
    whole = found(rule, "desk", opens, ends)
    for sync, findings in (
        ([], [whole]),
        ([told("22:30"), told("22:40")], [whole]),
        ([other("22:30"), told("22:40")], [found(rule, "desk", ends, ends)]),
    ):
        presses = [told("08:00"), *sync, *work]
        story = given(*presses)
        assert told_of(story) == findings
        assert naively(presses, JERUSALEM) == [one.body for one in story.answers]


def naively(presses: Sequence[Told], policy: Policy) -> list[bytes]:
    """Return the outcomes that the naive fold has of the same presses."""
    log = [press.logged(offset) for offset, press in enumerate(presses)]
    return naive_bodies(log, {"acme": [(0, stated(policy))]})
