"""Evolve: fold one outcome onto a timesheet, fresh or from the stream. It has been judged; nothing is checked again."""

from dataclasses import replace

from services.projector.domain.state import ClosedInterval, OpenInterval, Timer, Timesheet
from shared.events.outcome import Change, Fact, Outcome, TimerAfter


def evolve(sheet: Timesheet, outcome: Outcome) -> Timesheet:
    """Return the sheet after an outcome of its owner. A refused one changes only what `changed` names."""
    changes = {change.timer: change for change in outcome.changed}
    for change in outcome.changed:
        if change.closed is not None:
            worked = ClosedInterval(change.timer, change.closed.start, change.closed.end)
            sheet = replace(sheet, closed=(*sheet.closed, worked))
    if outcome.verdict != "accepted":
        return sheet
    if outcome.timer is not None:
        before = sheet.timers.get(outcome.timer.id)
        sheet = sheet.with_timer(_timer(before, outcome.timer, changes.get(outcome.timer.id)))
    if outcome.fact is not None:
        sheet = _learn(sheet, outcome.fact)
    return sheet


def _timer(before: Timer | None, after: TimerAfter, change: Change | None) -> Timer:
    was_open, intervals = (before.open, before.intervals) if before is not None else (None, 0)
    if change is not None and change.closed is not None:
        was_open = None
    if change is not None and change.opened is not None:
        was_open = OpenInterval(change.opened.seq, change.opened.start, change.opened.zone)
        intervals = change.opened.seq
    return Timer(
        id=after.id,
        owner=after.owner,
        account_id=after.account_id,
        job_id=after.job_id,
        project_id=after.project_id,
        billable=after.billable,
        work_date=after.work_date,
        state=after.state,
        started_at=after.started_at,
        stopped_at=after.stopped_at,
        total_us=after.total_us,
        last_at=after.last_at,
        flags=after.flags,
        open=was_open,
        intervals=intervals,
    )


def _learn(sheet: Timesheet, fact: Fact) -> Timesheet:
    zone = fact.body.get("zone") if fact.kind == "profile" else None
    return replace(sheet, zone=str(zone)) if zone is not None else sheet
