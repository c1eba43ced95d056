"""The rules that need history: each a small function of one `Case`, which returns None, a `Flag` or a `Refusal`.

A case is a press, the timesheet as it stood before it, its timer, the policy and the moment at which the press counts.
`RULES` is in the order in which they answer (docs/contract.md, section 6).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from services.projector.domain.entry import LoggedPress
from services.projector.domain.state import Timer, Timesheet
from shared.events.calendar import local_day
from shared.events.durations import microseconds
from shared.events.models import TimerPaused, TimerResumed, TimerStarted, TimerStopped
from shared.events.outcome import Finding, State
from shared.events.policy import Mode, OverlapMode, Policy
from shared.events.rules import LATE, ZONE_ASSUMED, Rule

FUTURE_TOLERANCE: Final = timedelta(seconds=60)
LATE_AFTER: Final = timedelta(seconds=60)
MOVED_TOLERANCE: Final = timedelta(seconds=1)
_LOG_TICK: Final = timedelta(milliseconds=1)

TimerEvent = TimerStarted | TimerPaused | TimerResumed | TimerStopped


@dataclass(frozen=True, slots=True)
class Case:
    """All that a rule may look at. `timer` is None for a start; `at` is when the press counts if it is accepted."""

    press: LoggedPress
    event: TimerEvent
    timer_id: int
    sheet: Timesheet
    timer: Timer | None
    policy: Policy
    at: datetime

    @property
    def zone(self) -> str:
        """The owner's zone as far as it is known, else the tenant's."""
        return self.sheet.zone or self.policy.zone

    @property
    def opens(self) -> bool:
        """Whether an interval begins with this press."""
        return isinstance(self.event, TimerStarted | TimerResumed)

    def refuses(self, rule: Rule) -> bool:
        """Return whether the rule refuses this press when it fires. No mode refuses a stop."""
        match self.policy.mode(rule):
            case Mode.OFF | Mode.FLAG:
                return False
            case Mode.BLOCK:
                return self.opens
            case Mode.STRICT:
                return not isinstance(self.event, TimerStopped)
            case mode:
                assert_never(mode)

    def finding(self, rule: Rule, from_: datetime, to: datetime | None = None, *, refused: bool = False) -> Finding:
        """Return a finding about the pressed timer. Its amount is the time between, None without `to`."""
        amount = None if to is None else microseconds(from_, to)
        return Finding(timer_id=self.timer_id, rule=rule.value, from_=from_, to=to, amount_us=amount, refused=refused)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The press is refused, and why."""

    rule: Rule
    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Switch:
    """Another timer of the owner ends with this press, PAUSED or STOPPED: at the press, or at its own last event."""

    timer_id: int
    state: State


@dataclass(frozen=True, slots=True)
class Flag:
    """The press counts, with this label. A label that is no rule has no finding. `switches` end other timers."""

    label: str
    finding: Finding | None = None
    switches: tuple[Switch, ...] = ()


def not_the_owner(case: Case) -> Refusal | None:
    """R06: a person's token presses for its owner alone. Machines and admins act for any owner of their tenant."""
    actor = case.event.actor
    if actor.role != "person" or actor.person == case.sheet.owner:
        return None
    return _refusal(case, Rule.NOT_THE_OWNER, case.at)


def not_legal_now(case: Case) -> Refusal | None:
    """R07: a pause needs a running timer, a resume a paused one. A stop is legal in every state."""
    state = case.timer.state if case.timer is not None else None
    match case.event:
        case TimerStarted() | TimerStopped():
            return None
        case TimerPaused():
            legal = state is State.RUNNING
        case TimerResumed():
            legal = state is State.PAUSED
        case _:
            assert_never(case.event)
    return None if legal else _refusal(case, Rule.NOT_LEGAL_NOW, case.at)


def future_time(case: Case) -> Refusal | Flag | None:
    """R14: the time asked lies ahead of the log. Over 60 s is refused. Less, and any stop, is clamped and flagged."""
    if case.policy.mode(Rule.FUTURE_TIME) is Mode.OFF:
        return None
    asked, log_time = case.event.asked_at, case.press.log_time
    if _worked_on_a_day_to_come(case):
        return _refusal_or_flag(case, Rule.FUTURE_TIME, case.at)
    # Log times are whole milliseconds, so a time within the same millisecond is not ahead.
    if asked is None or asked < log_time + _LOG_TICK:
        return None
    if asked - log_time > FUTURE_TOLERANCE:
        return _refusal_or_flag(case, Rule.FUTURE_TIME, log_time, asked)
    return _flag(case, Rule.FUTURE_TIME, log_time, asked)


def late_press(case: Case) -> Flag | None:
    """R18, first half: a press that was recorded over 60 s after it happened counts as asked, and is labelled."""
    asked = case.event.asked_at
    if asked is None or case.policy.mode(Rule.LATE_PRESS) is Mode.OFF:
        return None
    return Flag(LATE) if case.press.log_time - asked > LATE_AFTER else None


def moved_press(case: Case) -> Flag | None:
    """R18, second half: a press asked for before the timer's last event is moved to it; flagged when moved over 1 s."""
    asked = case.event.asked_at
    if asked is None or case.timer is None or case.policy.mode(Rule.LATE_PRESS) is Mode.OFF:
        return None
    moved = case.timer.last_at - asked > MOVED_TOLERANCE
    return _flag(case, Rule.LATE_PRESS, asked, case.timer.last_at) if moved else None


def overlap(case: Case) -> Flag | None:
    """R13: the interval that begins here overlaps another timer of the owner, running or (backdated) closed."""
    if not case.opens or case.policy.overlap_mode is OverlapMode.ALLOW:
        return None
    begins: datetime | None = None
    for start in case.sheet.busy_beside(case.timer_id, case.at):
        begins = max(case.at, start) if begins is None else min(begins, max(case.at, start))
        if begins == case.at:
            break  # none begins earlier, and an owner may have thousands
    # The finding has no end: both timers run on, or may be stopped at any time.
    return None if begins is None else _flag(case, Rule.OVERLAP, begins)


def zone_assumed(case: Case) -> Flag | None:
    """Label a start whose time came without a zone: the tenant's zone was used."""
    assumed = isinstance(case.event, TimerStarted) and case.event.zone_assumed
    return Flag(ZONE_ASSUMED) if assumed else None


def _worked_on_a_day_to_come(case: Case) -> bool:
    work_date = case.event.work_date if isinstance(case.event, TimerStarted) else None
    return work_date is not None and work_date > local_day(case.press.log_time + FUTURE_TOLERANCE, case.zone)


def _refusal(case: Case, rule: Rule, from_: datetime, to: datetime | None = None) -> Refusal:
    return Refusal(rule, case.finding(rule, from_, to, refused=True), rule.reason)


def _flag(case: Case, rule: Rule, from_: datetime, to: datetime | None = None) -> Flag:
    return Flag(rule.value, case.finding(rule, from_, to))


def _refusal_or_flag(case: Case, rule: Rule, from_: datetime, to: datetime | None = None) -> Refusal | Flag:
    return _refusal(case, rule, from_, to) if case.refuses(rule) else _flag(case, rule, from_, to)


RuleFunction = Callable[[Case], Refusal | Flag | None]

RULES: Final[tuple[RuleFunction, ...]] = (
    not_the_owner,
    not_legal_now,
    future_time,
    overlap,
    late_press,
    moved_press,
    zone_assumed,
)

# A repeated stop changes nothing, so no rule of time applies to it.
RULES_OF_A_REPEATED_STOP: Final[tuple[RuleFunction, ...]] = (not_the_owner,)
