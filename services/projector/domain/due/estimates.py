"""Estimates: an owner's time on a job, over all timers and days, and when it reaches the estimate (R12).

The time is what was worked on the job in closed intervals, and each interval on it that runs. No local day cuts it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from services.projector.domain.due.crossings import first_at, time_in
from services.projector.domain.sheet.state import Timesheet
from shared.events.durations import US_PER_SECOND

_US: Final = timedelta(microseconds=1)


def estimate_reached(sheet: Timesheet, job_id: str, until: datetime) -> datetime | None:
    """Return the first microsecond, up to `until`, at which the time on a job is at or over its estimate.

    None: not by then, or there is no estimate. `ALREADY` when no interval that runs is needed for it.
    """
    job = sheet.job(job_id)
    if job.estimate is None:
        return None
    return first_at(job.worked_us, job.estimate.seconds * US_PER_SECOND, _spans(sheet, job_id, until + _US))


def time_on_job(sheet: Timesheet, job_id: str, moment: datetime) -> int:
    """Return the time on a job up to a moment, in microseconds: closed intervals whole, running ones up to it."""
    return sheet.job(job_id).worked_us + time_in(_spans(sheet, job_id, moment), moment)


def _spans(sheet: Timesheet, job_id: str, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    for timer in sheet.timers.values():
        if timer.open is not None and timer.after.job_id == job_id and timer.open.start < end:
            yield timer.open.start, end
