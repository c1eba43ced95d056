"""Effect: what an accepted press does to its timer, and to its intervals."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from services.projector.domain.rules import Case
from services.projector.domain.state import OpenInterval, Timer
from shared.events.calendar import split
from shared.events.durations import microseconds
from shared.events.models import TimerPaused, TimerResumed, TimerStarted, TimerStopped
from shared.events.outcome import Change, Closed, Opened, State, TimerAfter


def effect(case: Case, flags: Iterable[str]) -> tuple[Timer, Change]:
    """Return the timer as it stands after an accepted press, and what changed of its intervals."""
    match case.event:
        case TimerStarted() as event:
            timer, opened = _open(_new_timer(case, event), case)
            return _flagged(timer, flags), Change(timer=timer.id, by="press", opened=opened)
        case TimerResumed():
            timer, opened = _open(_known(case), case)
            return _flagged(timer, flags), Change(timer=timer.id, by="press", opened=opened)
        case TimerPaused():
            timer, closed = close(_known(case), case.at, State.PAUSED)
            return _flagged(timer, flags), Change(timer=timer.id, by="press", closed=closed)
        case TimerStopped():
            timer, closed = close(_known(case), case.at, State.STOPPED)
            return _flagged(timer, flags), Change(timer=timer.id, by="press", closed=closed)
        case _:
            assert_never(case.event)


def close(timer: Timer, at: datetime, state: State) -> tuple[Timer, Closed | None]:
    """Pause or stop a timer at `at`. A paused one that is stopped gains no time, and closes nothing."""
    stopped_at = at if state is State.STOPPED else None
    after = replace(timer, state=state, stopped_at=stopped_at, last_at=at, open=None)
    if timer.open is None:
        return after, None
    worked_us = microseconds(timer.open.start, at)
    days = split(timer.open.start, at, timer.open.zone)
    closed = Closed(seq=timer.open.seq, start=timer.open.start, end=at, zone=timer.open.zone, days=days)
    return replace(after, total_us=timer.total_us + worked_us), closed


def timer_after(timer: Timer) -> TimerAfter:
    """Return what an outcome says of its timer."""
    return TimerAfter(
        id=timer.id,
        owner=timer.owner,
        account_id=timer.account_id,
        job_id=timer.job_id,
        project_id=timer.project_id,
        billable=timer.billable,
        work_date=timer.work_date,
        state=timer.state,
        started_at=timer.started_at,
        stopped_at=timer.stopped_at,
        total_us=timer.total_us,
        last_at=timer.last_at,
        flags=timer.flags,
    )


def _new_timer(case: Case, event: TimerStarted) -> Timer:
    return Timer(
        id=case.timer_id,
        owner=event.owner,
        account_id=event.account_id,
        job_id=event.job_id,
        project_id=event.project_id,
        billable=event.billable,
        work_date=event.work_date,
        state=State.PAUSED,
        started_at=case.at,
        stopped_at=None,
        total_us=0,
        last_at=case.at,
        flags=(),
        open=None,
        intervals=0,
    )


def _open(timer: Timer, case: Case) -> tuple[Timer, Opened]:
    interval = OpenInterval(timer.intervals + 1, case.at, case.zone)
    after = replace(timer, state=State.RUNNING, last_at=case.at, open=interval, intervals=interval.seq)
    return after, Opened(seq=interval.seq, start=interval.start, zone=interval.zone)


def _flagged(timer: Timer, flags: Iterable[str]) -> Timer:
    added = set(flags).difference(timer.flags)
    return replace(timer, flags=tuple(sorted(added.union(timer.flags)))) if added else timer


def _known(case: Case) -> Timer:
    if case.timer is None:
        raise AssertionError("only a start is judged without its timer")
    return case.timer
