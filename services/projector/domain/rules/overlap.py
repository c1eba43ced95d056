"""R13: another timer of the owner runs, or ran, in the time of this interval."""

from datetime import datetime
from typing import Final

from services.projector.domain.rules.case import Case, Flag, Refusal, Switch, flag, refusal
from shared.events.outcome import State
from shared.events.policy import OverlapMode
from shared.events.rules import Rule
from shared.events.value import replace

_STATE_OF_THE_PREVIOUS: Final = {OverlapMode.PAUSE_PREVIOUS: State.PAUSED, OverlapMode.STOP_PREVIOUS: State.STOPPED}


def overlap(case: Case) -> Refusal | Flag | None:
    """R13: the interval that begins here overlaps another timer of the owner, running or (backdated) closed.

    `block` refuses while another timer runs. The two switches end what runs; see `effect`. An overlap with what was
    worked before is flagged in each of these modes.
    """
    mode = case.terms.overlap
    if mode is OverlapMode.BLOCK and any(case.sheet.running_beside(case.timer_id)):
        return refusal(case, Rule.OVERLAP, case.at)
    begins = _begins(case)
    if begins is None:
        return None
    # The finding has no end: both timers run on, or may be stopped at any time.
    flagged = flag(case, Rule.OVERLAP, begins)
    state = _STATE_OF_THE_PREVIOUS.get(mode)
    if state is None:
        return flagged
    running = sorted(timer.id for timer in case.sheet.running_beside(case.timer_id))
    return replace(flagged, switches=tuple(Switch(id_, state) for id_ in running))


def _begins(case: Case) -> datetime | None:
    begins: datetime | None = None
    for start in case.sheet.busy_beside(case.timer_id, case.at):
        begins = max(case.at, start) if begins is None else min(begins, max(case.at, start))
        if begins == case.at:
            break  # none begins earlier, and an owner may have thousands
    return begins
