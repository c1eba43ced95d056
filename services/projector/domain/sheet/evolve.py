"""Evolve: fold one outcome onto a timesheet, fresh or from the stream. It is judged; nothing is checked again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any, Final, TypeVar

from services.projector.domain.sheet.jobs import Estimate, added_us, with_estimate, with_time
from services.projector.domain.sheet.state import (
    ClosedInterval,
    DayWorked,
    FoundOpen,
    Leave,
    OpenInterval,
    Profile,
    ProvisionalEnd,
    Timer,
    Timesheet,
    Window,
)
from shared.events.outcome import PROVISIONAL, Change, Closed, DayPart, Fact, Finding, Outcome, TimerAfter
from shared.events.rules import Rule
from shared.events.value import replace

# Rules whose findings last for a while: they open, and end with their interval or at midnight.
LASTING: Final = frozenset(
    {
        *(Rule.TIMERS_DISABLED, Rule.OWNER_UNKNOWN, Rule.PAST_TIME),
        *(Rule.DAY_OFF, Rule.OUTSIDE_ATTENDANCE, Rule.OVER_DAILY_CAP),
        *(Rule.OVER_ESTIMATE, Rule.LONG_RUNNING, Rule.OVERFULL_DAY),
    }
)
_PROFILE: Final = tuple(field.name for field in fields(Profile))
_Told = TypeVar("_Told", Leave, Window, Estimate)


def evolve(sheet: Timesheet, outcome: Outcome) -> Timesheet:
    """Return the sheet after an outcome of its owner: every change, with any verdict, and the fact if there is one."""
    changed = with_changes(sheet, outcome.changed, outcome.findings, outcome.log_time)
    return learned(changed, outcome.fact, outcome.log_time)


def with_changes(
    sheet: Timesheet, changes: Sequence[Change], findings: Sequence[Finding], log_time: datetime
) -> Timesheet:
    """Return the sheet after changes, in their order, and after the findings told with them."""
    if not changes and not findings:
        return sheet
    timers, closed, days, jobs = dict(sheet.timers), sheet.closed, sheet.days, sheet.jobs
    for change in changes:
        timers[change.timer] = _timer(timers.get(change.timer), change, log_time)
        if change.closed is not None:
            closed = _worked(closed, change.after, change.closed)
            billable = change.after.billable
            days = _counted(days, change.closed.days, 1, sheet.days_since, billable=billable)
            if change.closed.was is not None:
                days = _counted(days, change.closed.was.days, -1, sheet.days_since, billable=billable)
            job_id = change.after.job_id
            if job_id is not None and sheet.knows_job(job_id):
                jobs = with_time(jobs, job_id, added_us(change.closed))
    for finding in findings:
        timer = timers.get(finding.timer_id)
        if timer is not None and finding.rule in LASTING and not finding.refused:
            timers[timer.id] = _with_finding(timer, finding)
    return replace(sheet, timers=timers, closed=closed, days=days, jobs=jobs, quiet=None)


def learned(sheet: Timesheet, fact: Fact | None, log_time: datetime) -> Timesheet:
    """Return the sheet after a fact became known; the same sheet for None, and for what is known already."""
    if fact is None:
        return sheet
    match fact.kind:
        case "profile":
            # A profile comes in parts: a member that is not named stays. A later release may name more members.
            told = {name: fact.body[name] for name in _PROFILE if fact.body.get(name) is not None}
            return replace(sheet, profile=replace(sheet.profile or Profile(), **told), quiet=None)
        case "leave" if sheet.knows_days_since(day := date.fromisoformat(fact.about)):
            leave = Leave(fact.body["granted"], log_time)
            if _is_known(sheet.leave.get(day), leave):
                return sheet
            return replace(sheet, leave={**sheet.leave, day: leave}, quiet=None)
        case "attendance" if sheet.knows_days_since(date.fromisoformat(fact.body["on"])):
            window = window_of(fact.body, log_time)
            if _is_known(sheet.attendance.get(fact.about), window):
                return sheet
            return replace(sheet, attendance={**sheet.attendance, fact.about: window}, quiet=None)
        case "estimate" if sheet.knows_job(fact.about):
            estimate = Estimate(fact.body["seconds"], log_time)
            if _is_known(sheet.job(fact.about).estimate, estimate):
                return sheet
            return replace(sheet, jobs=with_estimate(sheet.jobs, fact.about, estimate), quiet=None)
        case _:
            return sheet


def _is_known(before: _Told | None, now: _Told) -> bool:
    """Return whether a fact says what was known before. Then it counts from its first time."""
    return before is not None and replace(now, known_at=before.known_at) == before


def window_of(body: Mapping[str, Any], known_at: datetime) -> Window:
    """Return what the body of a fact says of a window of attendance."""
    left = body.get("checked_out_at")
    return Window(
        date.fromisoformat(body["on"]),
        datetime.fromisoformat(body["checked_in_at"]),
        None if left is None else datetime.fromisoformat(left),
        known_at,
    )


def _timer(before: Timer | None, change: Change, log_time: datetime) -> Timer:
    running, intervals = (before.open, before.intervals) if before is not None else (None, 0)
    # A finding that opens changes flags alone, also on the way to a press that takes an end back.
    ended = before.ended if before is not None and change.by == "settle" else None
    if change.closed is not None:
        ended = None
        if change.by in PROVISIONAL and running is not None:
            ended = ProvisionalEnd(running, change.closed.end, unlocked(change.closed.days))
        running = None
    if change.opened is not None:
        running = OpenInterval(change.opened.seq, change.opened.start, change.opened.zone, log_time)
        intervals = change.opened.seq
    return Timer(change.after, running, intervals, ended)


def unlocked(days: Iterable[DayPart]) -> tuple[DayPart, ...]:
    """Return parts of days without what was locked when they were told."""
    return tuple(DayPart(on=part.on, us=part.us) for part in days)


def _with_finding(timer: Timer, finding: Finding) -> Timer:
    if timer.open is not None:
        return replace(timer, open=_found(timer.open, finding))
    if timer.ended is not None:
        return replace(timer, ended=replace(timer.ended, interval=_found(timer.ended.interval, finding)))
    return timer


def _found(running: OpenInterval, finding: Finding) -> OpenInterval:
    told = FoundOpen(finding.rule, finding.from_, finding.to)
    if told.from_ < running.start:
        return running  # about an interval that ended in this same outcome
    others = tuple(found for found in running.found if (found.rule, found.from_) != (told.rule, told.from_))
    return replace(running, found=tuple(sorted((*others, told), key=lambda found: (found.from_, found.rule))))


def without(
    sheet: Timesheet, timer_id: int, start: datetime, end: datetime, parts: Iterable[DayPart], *, billable: bool
) -> tuple[tuple[ClosedInterval, ...], Mapping[date, DayWorked]]:
    """Return the sheet's closed intervals and days without an interval that did not end there after all."""
    days = _counted(sheet.days, parts, -1, sheet.days_since, billable=billable)
    return _except(sheet.closed, timer_id, start, end), days


def _worked(closed: tuple[ClosedInterval, ...], timer: TimerAfter, now: Closed) -> tuple[ClosedInterval, ...]:
    if now.was is not None:
        closed = _except(closed, timer.id, now.start, now.was.end)
    return (*closed, ClosedInterval(timer.id, now.start, now.end, now.zone, timer.billable, timer.job_id))


def _except(
    closed: tuple[ClosedInterval, ...], timer_id: int, start: datetime, end: datetime
) -> tuple[ClosedInterval, ...]:
    gone = timer_id, start, end
    return tuple(interval for interval in closed if (interval.timer_id, interval.start, interval.end) != gone)


def _counted(
    days: Mapping[date, DayWorked], parts: Iterable[DayPart], sign: int, since: date | None, *, billable: bool
) -> Mapping[date, DayWorked]:
    """Return the days with parts of an interval. Days of which the sheet does not know the rest stay unknown."""
    counted = dict(days)
    for part in parts:
        if since is None or part.on >= since:
            before, us = counted.get(part.on, DayWorked()), sign * part.us
            counted[part.on] = DayWorked(before.total_us + us, before.billable_us + (us if billable else 0))
    return counted
