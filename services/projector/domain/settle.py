"""Settle: what fell due for an owner before a press: caps crossed, long timers, automatic stops at their limit."""

from dataclasses import dataclass
from datetime import datetime

from services.projector.domain.state import Timesheet
from shared.events.outcome import Change, Finding
from shared.events.policy import Policy


@dataclass(frozen=True, slots=True)
class Settled:
    """What fell due, in time order, and the sheet after it. `found` says whether anything did."""

    sheet: Timesheet
    findings: tuple[Finding, ...] = ()
    changed: tuple[Change, ...] = ()

    @property
    def found(self) -> bool:
        """Whether anything fell due."""
        return bool(self.findings or self.changed)


def settle(sheet: Timesheet, policy: Policy, until: datetime) -> Settled:
    """Return what fell due for the sheet's owner up to the log time `until`, in time order.

    The rules of this release have no deadlines, so nothing does; those that do (R11, R12, R16, R17) are added here.
    """
    del policy, until
    return Settled(sheet)
