"""Taken back: a timer as if nothing had ended its last interval (docs/contract.md, section 6, "provisional")."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from services.projector.domain.sheet.evolve import without
from services.projector.domain.sheet.jobs import with_time
from services.projector.domain.sheet.state import FoundOpen, ProvisionalEnd, Timer, Timesheet
from shared.events.durations import microseconds
from shared.events.outcome import State
from shared.events.value import replace

# A pause or stop that is recorded later than this after an end that nobody pressed leaves the end as it is. It goes by
# the end's own moment, never by when the end was found: a tick may come late.
TAKEN_BACK_WITHIN: Final = timedelta(days=30)


def with_end_taken_back(sheet: Timesheet, timer_id: int, moment: datetime, log_time: datetime) -> Timesheet | None:
    """Return the sheet on which the end of a timer's last interval is undone, because a press belongs before it.

    None when there is nothing to take back: somebody pressed that end or something since, or the press counts at the
    end or later, or it was recorded too late. `moment` is when the timer was pressed.
    """
    timer = sheet.timers.get(timer_id)
    if timer is None or timer.ended is None:
        return None
    end = timer.ended
    if max(moment, end.interval.start) >= end.at or log_time - end.at > TAKEN_BACK_WITHIN:
        return None
    closed, days = without(sheet, timer_id, end.interval.start, end.at, end.days, billable=timer.after.billable)
    jobs, job_id = sheet.jobs, timer.after.job_id
    if job_id is not None and sheet.knows_job(job_id):
        jobs = with_time(jobs, job_id, -microseconds(end.interval.start, end.at))
    timers = {**sheet.timers, timer_id: _running(timer, end)}
    return replace(sheet, timers=timers, closed=closed, days=days, jobs=jobs, quiet=None)


def _running(timer: Timer, end: ProvisionalEnd) -> Timer:
    worked_us = microseconds(end.interval.start, end.at)
    after = replace(
        timer.after,
        state=State.RUNNING,
        stopped_at=None,
        total_us=timer.after.total_us - worked_us,
        last_at=end.interval.start,
    )
    return replace(timer, after=after, open=replace(end.interval, found=_lasting(end.interval.found, end.at)))


def _lasting(found: Sequence[FoundOpen], end: datetime) -> tuple[FoundOpen, ...]:
    """Return findings as they stood before the end: those that ended with it go on."""
    return tuple(replace(told, to=None) if told.to == end and told.lasted else told for told in found)
