"""R06, R07, R08 and R20: who may press, and what is legal in the timer's state."""

from typing import Final

from services.projector.domain.rules.case import Case, Flag, Refusal, lasting, refusal
from shared.events.models import TimerPaused, TimerResumed
from shared.events.outcome import State
from shared.events.rules import Rule

# A timer begins with a start, and a stop is legal in every state.
_LEGAL_IN: Final = {TimerPaused: State.RUNNING, TimerResumed: State.PAUSED}


def not_the_owner(case: Case) -> Refusal | None:
    """R06: a person's token presses for its owner alone. Machines and admins act for any owner of their tenant."""
    actor = case.event.actor
    if actor.role != "person" or actor.person == case.sheet.owner:
        return None
    return refusal(case, Rule.NOT_THE_OWNER, case.at)


def not_legal_now(case: Case) -> Refusal | None:
    """R07: a pause needs a running timer, a resume a paused one. A stop is legal in every state."""
    needed = _LEGAL_IN.get(type(case.event))
    if needed is None or (case.timer is not None and case.timer.state is needed):
        return None
    return refusal(case, Rule.NOT_LEGAL_NOW, case.at)


def timers_disabled(case: Case) -> Refusal | Flag | None:
    """R08: the tenant's administrator switched timers off, for all or for this owner."""
    profile = case.sheet.profile
    if case.terms.timers_disabled or (profile is not None and profile.timers_disabled):
        return lasting(case, Rule.TIMERS_DISABLED)
    return None


def owner_unknown(case: Case) -> Refusal | Flag | None:
    """R20: no profile was ever set for the owner, or the owner is inactive. Off unless a tenant keeps profiles."""
    profile = case.sheet.profile
    if profile is not None and profile.active is not False:
        return None
    return lasting(case, Rule.OWNER_UNKNOWN)
