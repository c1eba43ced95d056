"""Cases: all that a rule may look at, and what it may answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import assert_never

from services.projector.domain.entry import LoggedPress
from services.projector.domain.sheet.state import Timer, Timesheet
from shared.events.calendar import local_day
from shared.events.durations import microseconds
from shared.events.models import TimerPaused, TimerResumed, TimerStarted, TimerStopped
from shared.events.outcome import Finding, State, TimerAfter
from shared.events.policies.terms import Terms
from shared.events.policy import Mode
from shared.events.rules import Rule
from shared.events.value import value

TimerEvent = TimerStarted | TimerPaused | TimerResumed | TimerStopped


@dataclass(slots=True)
class Case:
    """All that a rule may look at. `timer` is None for a start; `at` is when the press counts if it is accepted.

    It is no `@value`, because the press's local day is computed when the first rule needs it, and kept for the others.
    """

    press: LoggedPress
    event: TimerEvent
    timer_id: int
    sheet: Timesheet
    timer: Timer | None
    terms: Terms
    at: datetime
    _day: date | None = field(default=None, init=False)

    @property
    def zone(self) -> str:
        """The owner's zone as far as it is known, else the tenant's."""
        return self.sheet.zone or self.terms.zone

    @property
    def opens(self) -> bool:
        """Whether an interval begins with this press."""
        return self.event.opens

    @property
    def work(self) -> TimerStarted | TimerAfter:
        """What the timer's time is worked on: as the start says, or as it is known."""
        if self.timer is not None:
            return self.timer.after
        if isinstance(self.event, TimerStarted):
            return self.event
        raise AssertionError("only a start is judged without its timer")

    @property
    def work_date(self) -> date | None:
        """The day for which a start says that it is."""
        # In this order, because the timer is the quicker check.
        return self.event.work_date if self.timer is None and isinstance(self.event, TimerStarted) else None

    @property
    def day_zone(self) -> str:
        """The zone whose days the press is judged by: that of the interval that it ends, else the owner's."""
        running = None if self.timer is None else self.timer.open
        return self.zone if running is None else running.zone

    @property
    def day(self) -> date:
        """The local day on which the press counts."""
        if self._day is None:
            self._day = local_day(self.at, self.day_zone)
        return self._day

    @property
    def adds_time(self) -> bool:
        """Whether the press begins or ends an interval. A stop of a paused timer does not."""
        return self.timer is None or self.timer.open is not None or self.event.opens

    @property
    def tells_a_time(self) -> bool:
        """Whether the caller said when the press happened, or on which day."""
        return self.event.asked_at is not None or self.work_date is not None

    def refuses(self, rule: Rule) -> bool:
        """Return whether the rule refuses this press when it fires. No mode refuses a stop."""
        match self.terms.modes[rule]:
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


@value
class Refusal:
    """The press is refused, and why."""

    rule: Rule
    finding: Finding
    reason: str


@value
class Switch:
    """Another timer of the owner ends with this press, PAUSED or STOPPED: at the press, or at its own last event."""

    timer_id: int
    state: State


@value
class Flag:
    """The press counts, with this label. Without a finding it is no rule, or its finding is open already.

    `switches` end other timers.
    """

    label: str
    finding: Finding | None = None
    switches: tuple[Switch, ...] = ()


def refusal(case: Case, rule: Rule, from_: datetime, to: datetime | None = None) -> Refusal:
    """Refuse the press by a rule, with a finding about its timer."""
    return Refusal(rule, case.finding(rule, from_, to, refused=True), rule.reason)


def flag(case: Case, rule: Rule, from_: datetime, to: datetime | None = None) -> Flag:
    """Let the press count, with a finding about its timer."""
    return Flag(rule.value, case.finding(rule, from_, to))


def refusal_or_flag(case: Case, rule: Rule, from_: datetime, to: datetime | None = None) -> Refusal | Flag:
    """Do what the tenant's mode of the rule says."""
    return refusal(case, rule, from_, to) if case.refuses(rule) else flag(case, rule, from_, to)


def lasting(case: Case, rule: Rule) -> Refusal | Flag:
    """Do what the mode says for a rule whose findings last: open one at the press, unless one is open already.

    A press that ends the interval ends the finding with it: it has no time.
    """
    if case.refuses(rule):
        return refusal(case, rule, case.at)
    running = None if case.timer is None else case.timer.open
    if running is not None and running.has_open(rule):
        return Flag(rule.value)
    return flag(case, rule, case.at, None if case.opens else case.at)


RuleFunction = Callable[[Case], Refusal | Flag | None]
