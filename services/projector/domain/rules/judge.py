"""Judge: what a press amounts to, given the timesheet as it stood before it. Argues, and never remembers."""

from typing import Final, assert_never

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

# In the order in which they answer (docs/contract.md, section 6).
RULES: Final[tuple[RuleFunction, ...]] = (
    not_the_owner,
    owner_unknown,
    not_legal_now,
    future_time,
    past_time,
    timers_disabled,
    day_off,
    outside_hours,
    over_daily_cap,
    over_estimate,
    overlap,
    late_press,
    moved_press,
    zone_assumed,
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


# Nearly always: no rule has anything to say.
_ACCEPTED: Final = Accepted()


def judge(case: Case) -> Accepted | Refused:
    """Return what a start, or a press on a known timer, amounts to. Changes nothing."""
    noted: list[Flag] = []
    for rule in RULES_OF_A_REPEATED_STOP if is_repeated_stop(case) else RULES:
        match rule(case):
            case None:
                pass
            case Refusal(rule=broken, reason=reason, finding=finding):
                # The flags so far are dropped with the press, because it never took effect.
                return Refused(broken, reason, (finding,))
            case Flag() as flag:
                noted.append(flag)
            case answer:
                assert_never(answer)
    return _accepted(noted) if noted else _ACCEPTED


def _accepted(noted: list[Flag]) -> Accepted:
    findings = [flag.finding for flag in noted if flag.finding is not None]
    return Accepted(
        tuple(sorted({flag.label for flag in noted})),
        tuple(sorted(findings, key=lambda found: (found.rule, found.from_))),
        tuple(switch for flag in noted for switch in flag.switches),
    )


def is_repeated_stop(case: Case) -> bool:
    """Return whether a stopped timer is stopped once more: the answer is the same again, and nothing changes."""
    return isinstance(case.event, TimerStopped) and case.timer is not None and case.timer.state is State.STOPPED
