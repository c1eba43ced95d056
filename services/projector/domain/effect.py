"""Effect: what an accepted press does to its timer and to others, as changes that leave nothing to decide later."""

from collections.abc import Container, Sequence
from datetime import date, datetime
from typing import assert_never

from services.projector.domain.endings import endings
from services.projector.domain.rules.case import Case, Switch
from services.projector.domain.rules.judge import Accepted
from services.projector.domain.sheet.state import Timer
from shared.events.calendar import split
from shared.events.durations import microseconds
from shared.events.models import WORK, TimerPaused, TimerResumed, TimerStarted, TimerStopped
from shared.events.outcome import By, Change, Closed, DayPart, Finding, Opened, State, TimerAfter, Was
from shared.events.value import replace


def effect(case: Case, accepted: Accepted) -> tuple[Change, ...]:
    """Return what an accepted press changes: first the timers that it ends, then its own."""
    return (*[_switched(case, switch) for switch in accepted.switches], _pressed(case, accepted.flags))


def findings_ended(case: Case, accepted: Accepted) -> tuple[Finding, ...]:
    """Return the findings that end with the intervals that an accepted press ends, in the same order."""
    switched = [
        ending
        for switch in accepted.switches
        for ending in endings(case.sheet.timers[switch.timer_id], _switch_at(case, switch))
    ]
    own = [] if case.opens or case.timer is None else endings(case.timer, case.at)
    return (*switched, *own)


def ended(
    timer: Timer,
    at: datetime,
    state: State,
    by: By,
    flags: Sequence[str] = (),
    *,
    locked_before: date | None = None,
    reason: str | None = None,
) -> Change:
    """Return how a timer is paused or stopped at `at`. Stopping a paused timer adds no time, and closes no interval.

    Days before `locked_before` are marked as changed after their lock. `reason` is the code that a pause gave.
    """
    closed = _closed(timer, at, locked_before, reason)
    worked_us = 0 if closed is None else microseconds(closed.start, closed.end)
    after = replace(
        timer.after,
        state=state,
        stopped_at=at if state is State.STOPPED else None,
        total_us=timer.after.total_us + worked_us,
        last_at=at,
        flags=_with(timer.after.flags, flags),
    )
    return Change(timer=timer.id, by=by, after=after, closed=closed)


def _pressed(case: Case, flags: Sequence[str]) -> Change:
    match case.event:
        case TimerStarted() as event:
            return _begun(_new(case, event), 1, case, flags)
        case TimerResumed():
            timer = _known(case)
            return _begun(timer.after, timer.intervals + 1, case, flags)
        case TimerPaused():
            return _ended_by_press(case, State.PAUSED, flags, case.event.reason)
        case TimerStopped():
            return _ended_by_press(case, State.STOPPED, flags)
        case _:
            assert_never(case.event)


def _ended_by_press(case: Case, state: State, flags: Sequence[str], reason: str | None = None) -> Change:
    return ended(_known(case), case.at, state, "press", flags, locked_before=case.terms.locked_before, reason=reason)


def _switched(case: Case, switch: Switch) -> Change:
    other = case.sheet.timers[switch.timer_id]
    return ended(other, _switch_at(case, switch), switch.state, "switch", locked_before=case.terms.locked_before)


def _switch_at(case: Case, switch: Switch) -> datetime:
    return max(case.at, case.sheet.timers[switch.timer_id].last_at)


def _new(case: Case, event: TimerStarted) -> TimerAfter:
    return TimerAfter(
        id=case.timer_id,
        owner=event.owner,
        **{name: getattr(event, name) for name in WORK},
        state=State.RUNNING,
        started_at=case.at,
        stopped_at=None,
        total_us=0,
        last_at=case.at,
        flags=(),
        reference=event.reference,
    )


def _begun(timer: TimerAfter, seq: int, case: Case, flags: Sequence[str]) -> Change:
    after = replace(timer, state=State.RUNNING, last_at=case.at, flags=_with(timer.flags, flags))
    opened = Opened(seq=seq, start=case.at, zone=case.zone)
    return Change(timer=timer.id, by="press", after=after, opened=opened)


def _closed(timer: Timer, at: datetime, locked_before: date | None, reason: str | None) -> Closed | None:
    running = timer.open
    if running is None:
        return None
    days, was = split(running.start, at, running.zone), None
    if timer.ended is None:
        days = _marked(days, locked_before)
    else:
        # Days that have the same time with the new end as with the old one do not change.
        same = set(days) & set(timer.ended.days)
        before = _marked(timer.ended.days, locked_before, same)
        days, was = _marked(days, locked_before, same), Was(end=timer.ended.at, days=before)
    return Closed(seq=running.seq, start=running.start, end=at, zone=running.zone, days=days, was=was, reason=reason)


def _marked(
    days: tuple[DayPart, ...], locked_before: date | None, same: Container[DayPart] = ()
) -> tuple[DayPart, ...]:
    if locked_before is None or not days or days[0].on >= locked_before:
        return days
    return tuple(replace(part, after_lock=part.on < locked_before and part not in same) for part in days)


def _with(flags: tuple[str, ...], added: Sequence[str]) -> tuple[str, ...]:
    return flags if not added else tuple(sorted({*flags, *added}))


def _known(case: Case) -> Timer:
    if case.timer is None:
        raise AssertionError("only a start is judged without its timer")
    return case.timer
