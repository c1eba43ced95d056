"""R13: another timer of the owner runs, or ran, in the time of this interval."""

from datetime import datetime

from services.projector.domain.rules.case import Case, Flag, flag
from shared.events.policy import OverlapMode
from shared.events.rules import Rule


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
    return None if begins is None else flag(case, Rule.OVERLAP, begins)
