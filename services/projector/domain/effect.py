"""Effect: what an accepted press does to its timer and to others, as changes that leave nothing to decide later."""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from services.projector.domain.rules.case import Case, Switch
from services.projector.domain.rules.judge import Accepted
from services.projector.domain.sheet.state import Timer
from shared.events.calendar import split
from shared.events.durations import microseconds
from shared.events.models import WORK, TimerPaused, TimerResumed, TimerStarted, TimerStopped
from shared.events.outcome import By, Change, Closed, Opened, State, TimerAfter


def effect(case: Case, accepted: Accepted) -> tuple[Change, ...]:
    """Return what an accepted press changes: first the timers that it ends, then its own."""
    return (*(_switched(case, switch) for switch in accepted.switches), _pressed(case, accepted.flags))


def ended(timer: Timer, at: datetime, state: State, by: By, flags: Iterable[str] = ()) -> Change:
    """Return how a timer is paused or stopped at `at`. Stopping a paused timer adds no time, and closes no interval."""
    closed = _closed(timer, at)
    worked_us = 0 if closed is None else microseconds(closed.start, closed.end)
    after = timer.after.model_copy(
        update={
            "state": state,
            "stopped_at": at if state is State.STOPPED else None,
            "total_us": timer.after.total_us + worked_us,
            "last_at": at,
            "flags": _with(timer.after.flags, flags),
        }
    )
    return Change(timer=timer.id, by=by, after=after, closed=closed)


def _pressed(case: Case, flags: Iterable[str]) -> Change:
    match case.event:
        case TimerStarted() as event:
            return _begun(_new(case, event), 1, case, flags)
        case TimerResumed():
            timer = _known(case)
            return _begun(timer.after, timer.intervals + 1, case, flags)
        case TimerPaused():
            return ended(_known(case), case.at, State.PAUSED, "press", flags)
        case TimerStopped():
            return ended(_known(case), case.at, State.STOPPED, "press", flags)
        case _:
            assert_never(case.event)


def _switched(case: Case, switch: Switch) -> Change:
    other = case.sheet.timers[switch.timer_id]
    return ended(other, max(case.at, other.last_at), switch.state, "switch")


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
    )


def _begun(timer: TimerAfter, seq: int, case: Case, flags: Iterable[str]) -> Change:
    moved = {"state": State.RUNNING, "last_at": case.at, "flags": _with(timer.flags, flags)}
    opened = Opened(seq=seq, start=case.at, zone=case.zone)
    return Change(timer=timer.id, by="press", after=timer.model_copy(update=moved), opened=opened)


def _closed(timer: Timer, at: datetime) -> Closed | None:
    running = timer.open
    if running is None:
        return None
    days = split(running.start, at, running.zone)
    return Closed(seq=running.seq, start=running.start, end=at, zone=running.zone, days=days)


def _with(flags: tuple[str, ...], added: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*flags, *added}))


def _known(case: Case) -> Timer:
    if case.timer is None:
        raise AssertionError("only a start is judged without its timer")
    return case.timer
