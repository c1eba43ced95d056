"""Judge: what a press amounts to, given the timesheet as it stood before it. Argues, and never remembers."""

from typing import assert_never

from services.projector.domain.rules import RULES, RULES_OF_A_REPEATED_STOP, Case, Flag, Refusal
from services.projector.domain.verdict import Accepted, Refused, Verdict
from shared.events.models import TimerStopped
from shared.events.outcome import Finding, State


def judge(case: Case) -> Verdict:
    """Say what a start, or a press on a known timer, amounts to. Changes nothing."""
    flags: set[str] = set()
    findings: list[Finding] = []
    for rule in RULES_OF_A_REPEATED_STOP if is_repeated_stop(case) else RULES:
        match rule(case):
            case None:
                pass
            case Refusal(rule=broken, reason=reason, finding=finding):
                # What was only noted before is dropped with the press: it never took effect.
                return Refused(broken, reason, (finding,))
            case Flag(label=label, finding=noted):
                flags.add(label)
                findings.extend([noted] if noted is not None else [])
            case said:
                assert_never(said)
    return Accepted(tuple(sorted(flags)), tuple(sorted(findings, key=lambda found: (found.rule, found.from_))))


def is_repeated_stop(case: Case) -> bool:
    """Say whether a stopped timer is stopped once more: the same answer again, and nothing changes."""
    return isinstance(case.event, TimerStopped) and case.timer is not None and case.timer.state is State.STOPPED
