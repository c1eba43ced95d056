"""Estimates: an owner's time on a job, over all timers and days, and when it reaches the estimate (R12).

The time is what was worked on the job in closed intervals, and each interval on it that runs. No local day cuts it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.projector.domain.due.alike import Alike, OnJob, alike_in
from services.projector.domain.due.crossings import ALREADY, first_at, time_in
from services.projector.domain.due.together import Part, first_in_all, moment_of_us, time_in_all, us_of
from services.projector.domain.sheet.state import ClosedInterval, Timesheet
from shared.events.durations import US_PER_SECOND, microseconds

_US: Final = timedelta(microseconds=1)


def estimate_reached(
    sheet: Timesheet, job_id: str, until: datetime, late: Sequence[ClosedInterval] = ()
) -> datetime | None:
    """Return the first microsecond, up to `until`, at which the time on a job is at or over its estimate.

    None: not by then, or there is no estimate. `ALREADY` when no interval that runs is needed for it. Those that
    are `late` count like ones that run and end.
    """
    job = sheet.job(job_id)
    if job.estimate is None:
        return None
    limit_us, alike = job.estimate.seconds * US_PER_SECOND, alike_in(sheet)
    if alike is not None and not late:
        if job.worked_us >= limit_us:
            return ALREADY
        crossed = first_in_all(job.worked_us, limit_us, _parts(alike, job_id, until + _US))
        return None if crossed is None else moment_of_us(crossed)
    parts = [(one.start, one.end) for one in late if one.job_id == job_id and one.start < one.end]
    whole_us = job.worked_us - sum(microseconds(begin, end) for begin, end in parts)
    spans = (*_spans(sheet, job_id, until + _US), *parts)
    return first_at(whole_us, limit_us, spans)


def time_on_job(sheet: Timesheet, job_id: str, moment: datetime) -> int:
    """Return the time on a job up to a moment, in microseconds: closed intervals whole, running ones up to it."""
    alike = alike_in(sheet)
    if alike is not None:
        return sheet.job(job_id).worked_us + time_in_all(_parts(alike, job_id, moment), us_of(moment))
    return sheet.job(job_id).worked_us + time_in(_spans(sheet, job_id, moment), moment)


def _spans(sheet: Timesheet, job_id: str, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    for timer in sheet.timers.values():
        if timer.open is not None and timer.after.job_id == job_id and timer.open.start < end:
            yield timer.open.start, end


def _parts(alike: Alike, job_id: str, end: datetime) -> list[Part]:
    """Return the same of timers in groups: those of whom the estimate was told already, and the others."""
    both = (alike.by_job.get(OnJob(job_id, is_told=is_told)) for is_told in (False, True))
    return [(peers.together, peers.together.starts[0], us_of(end)) for peers in both if peers is not None]
