"""Settle: what fell due for an owner before a press: caps crossed, long timers, automatic stops at their limit."""

from dataclasses import dataclass
from datetime import datetime

from services.projector.domain.sheet.state import Timesheet
from shared.events.outcome import Change, Finding
from shared.events.policy import Policy


@dataclass(frozen=True, slots=True)
class Settled:
    """What fell due, in time order."""

    findings: tuple[Finding, ...] = ()
    changed: tuple[Change, ...] = ()

    @property
    def found(self) -> bool:
        """Whether anything fell due."""
        return bool(self.findings or self.changed)


def settle(sheet: Timesheet, policy: Policy, until: datetime, at_most: int) -> Settled:
    """Return what fell due for the sheet's owner up to `until`, in time order: `at_most` changes, and as many findings.

    The sheet is not changed; `evolve` applies the changes. What is left out falls due again at the owner's next record.
    The rules of this release have no deadlines, so nothing falls due. Rules that have (R11, R12, R16, R17) belong here.
    """
    del sheet, policy, until, at_most
    return Settled()
