"""Evolve: fold one outcome onto a timesheet, fresh or from the stream. It is judged; nothing is checked again."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Final

from services.projector.domain.sheet.state import ClosedInterval, OpenInterval, Profile, Timer, Timesheet
from shared.events.outcome import Change, Closed, Fact, Outcome

_PROFILE: Final = tuple(field.name for field in fields(Profile))


def evolve(sheet: Timesheet, outcome: Outcome) -> Timesheet:
    """Return the sheet after an outcome of its owner: every change, with any verdict, and the fact if there is one."""
    return learned(with_changes(sheet, outcome.changed), outcome.fact)


def with_changes(sheet: Timesheet, changes: Sequence[Change]) -> Timesheet:
    """Return the sheet after changes, in their order."""
    if not changes:
        return sheet
    timers, closed = dict(sheet.timers), sheet.closed
    for change in changes:
        timers[change.timer] = _timer(timers.get(change.timer), change)
        if change.closed is not None:
            closed = _worked(closed, change.timer, change.closed)
    return replace(sheet, timers=timers, closed=closed)


def learned(sheet: Timesheet, fact: Fact | None) -> Timesheet:
    """Return the sheet after a fact became known, or the same sheet for None."""
    if fact is None or fact.kind != "profile":
        return sheet
    # A profile is told in parts: what is not named stays. A later release may name more.
    told = {name: fact.body[name] for name in _PROFILE if fact.body.get(name) is not None}
    return replace(sheet, profile=replace(sheet.profile or Profile(), **told))


def _timer(before: Timer | None, change: Change) -> Timer:
    running, intervals = (before.open, before.intervals) if before is not None else (None, 0)
    if change.closed is not None:
        running = None
    if change.opened is not None:
        running = OpenInterval(change.opened.seq, change.opened.start, change.opened.zone)
        intervals = change.opened.seq
    return Timer(change.after, running, intervals)


def _worked(closed: tuple[ClosedInterval, ...], timer_id: int, now: Closed) -> tuple[ClosedInterval, ...]:
    if now.was is not None:
        taken_back = ClosedInterval(timer_id, now.start, now.was.end)
        closed = tuple(interval for interval in closed if interval != taken_back)
    return (*closed, ClosedInterval(timer_id, now.start, now.end))
