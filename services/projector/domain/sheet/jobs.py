"""Jobs: what is known of one owner's work on a job: the time of its closed intervals, and the owner's estimate."""

from collections.abc import Mapping
from datetime import datetime

from shared.events.durations import microseconds
from shared.events.outcome import Closed
from shared.events.value import replace, value


@value
class Estimate:
    """How long the owner's work on a job is to take, and since when that is known: the log time of its fact."""

    seconds: int
    known_at: datetime


@value
class Job:
    """What closed intervals add to an owner's time on a job, in microseconds, and the estimate if there is one."""

    worked_us: int = 0
    estimate: Estimate | None = None


Jobs = Mapping[str, Job]
_NOT_WORKED_ON = Job()


def added_us(now: Closed) -> int:
    """Return what an interval that ended adds: its length, less what it counted before its end was taken back."""
    taken_back_us = 0 if now.was is None else microseconds(now.start, now.was.end)
    return microseconds(now.start, now.end) - taken_back_us


def with_time(jobs: Jobs, job_id: str, us: int) -> Jobs:
    """Return the jobs with more time on one of them, or with less."""
    before = jobs.get(job_id, _NOT_WORKED_ON)
    return {**jobs, job_id: replace(before, worked_us=before.worked_us + us)}


def with_estimate(jobs: Jobs, job_id: str, estimate: Estimate) -> Jobs:
    """Return the jobs with an estimate. It replaces the one before."""
    return {**jobs, job_id: replace(jobs.get(job_id, _NOT_WORKED_ON), estimate=estimate)}
