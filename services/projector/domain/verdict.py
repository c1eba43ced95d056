"""Verdicts: what a press amounts to."""

from dataclasses import dataclass

from shared.events.outcome import Finding
from shared.events.rules import Rule


@dataclass(frozen=True, slots=True)
class Accepted:
    """It counts. `flags` are sorted: rule ids, and what else a reader wants to know."""

    flags: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """It is recorded and changes nothing. `rule` is the first that failed."""

    rule: Rule
    reason: str
    findings: tuple[Finding, ...] = ()


Verdict = Accepted | Refused
