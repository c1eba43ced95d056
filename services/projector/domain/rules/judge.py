"""Judge: what a press amounts to, given the timesheet as it stood before it. Changes nothing."""

from functools import lru_cache
from typing import Final, Literal, assert_never

from services.projector.domain.rules.case import Case, Flag, Refusal, RuleFunction, Switch
from services.projector.domain.rules.day import day_off, outside_hours, over_daily_cap
from services.projector.domain.rules.estimate import over_estimate
from services.projector.domain.rules.overlap import overlap
from services.projector.domain.rules.permission import not_legal_now, not_the_owner, owner_unknown, timers_disabled
from services.projector.domain.rules.times import future_time, late_press, moved_press, past_time, zone_assumed
from shared.events.models import TimerStopped
from shared.events.outcome import Finding, State
from shared.events.rules import Rule
from shared.events.value import value

# Which presses a rule concerns.
Concerns = Literal["all", "those that add time", "those that open", "those that tell a time"]

# In the order in which they answer (docs/contract.md, section 6).
_RULES: Final[tuple[tuple[Rule, Concerns, RuleFunction], ...]] = (
    (Rule.NOT_THE_OWNER, "all", not_the_owner),
    (Rule.OWNER_UNKNOWN, "all", owner_unknown),
    (Rule.NOT_LEGAL_NOW, "all", not_legal_now),
    (Rule.FUTURE_TIME, "those that tell a time", future_time),
    (Rule.PAST_TIME, "those that add time", past_time),
    (Rule.TIMERS_DISABLED, "all", timers_disabled),
    (Rule.DAY_OFF, "those that add time", day_off),
    (Rule.OUTSIDE_ATTENDANCE, "those that add time", outside_hours),
    (Rule.OVER_DAILY_CAP, "those that add time", over_daily_cap),
    (Rule.OVER_ESTIMATE, "those that add time", over_estimate),
    (Rule.OVERLAP, "those that open", overlap),
    (Rule.LATE_PRESS, "those that tell a time", late_press),
    (Rule.LATE_PRESS, "those that tell a time", moved_press),
)

# A repeated stop changes nothing, so no rule of time applies to it.
RULES_OF_A_REPEATED_STOP: Final[tuple[RuleFunction, ...]] = (not_the_owner,)


@value
class Accepted:
    """The press counts. `flags` are sorted: rule ids, and labels that are no rules. `switches` end other timers."""

    flags: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    switches: tuple[Switch, ...] = ()


@value
class Refused:
    """The press is recorded and changes nothing. `rule` is the first that refused it."""

    rule: Rule
    reason: str
    findings: tuple[Finding, ...] = ()


# Nearly always no rule finds anything.
_ACCEPTED: Final = Accepted()


def judge(case: Case) -> Accepted | Refused:
    """Return what a start, or a press on a known timer, amounts to. Changes nothing."""
    noted: list[Flag] = []
    for rule in RULES_OF_A_REPEATED_STOP if is_repeated_stop(case) else rules_of(case):
        answer = rule(case)
        if answer is None:
            continue  # nearly always
        match answer:
            case Refusal(rule=broken, reason=reason, finding=finding):
                # The flags so far are dropped with the press, because it never took effect.
                return Refused(broken, reason, (finding,))
            case Flag() as flag:
                noted.append(flag)
            case _:
                assert_never(answer)
    return _accepted(noted) if noted else _ACCEPTED


def rules_of(case: Case) -> tuple[RuleFunction, ...]:
    """Return the rules that are on and concern a press, in the order in which they answer."""
    return _rules_of(case.terms.on, case.opens, case.adds_time, case.tells_a_time)


@lru_cache(maxsize=256)
def _rules_of(on: frozenset[Rule], opens: bool, adds_time: bool, tells_a_time: bool) -> tuple[RuleFunction, ...]:  # noqa: FBT001 - a key
    concerned = {"all": True, "those that open": opens}
    concerned |= {"those that add time": adds_time, "those that tell a time": tells_a_time}
    chosen = [function for rule, concerns, function in _RULES if rule in on and concerned[concerns]]
    return (*chosen, zone_assumed) if opens else tuple(chosen)


def _accepted(noted: list[Flag]) -> Accepted:
    findings = [flag.finding for flag in noted if flag.finding is not None]
    return Accepted(
        tuple(sorted({flag.label for flag in noted})),
        tuple(sorted(findings, key=lambda found: (found.rule, found.from_))),
        tuple(switch for flag in noted for switch in flag.switches),
    )


def is_repeated_stop(case: Case) -> bool:
    """Return whether a stopped timer is stopped once more: the answer is the same again, and nothing changes."""
    return case.timer is not None and case.timer.state is State.STOPPED and isinstance(case.event, TimerStopped)
