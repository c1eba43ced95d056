"""R12: the owner's estimate of a job is used up."""

from services.projector.domain.due.estimates import time_on_job
from services.projector.domain.rules.case import Case, Flag, Refusal, lasting
from shared.events.durations import US_PER_SECOND
from shared.events.rules import Rule


def over_estimate(case: Case) -> Refusal | Flag | None:
    """R12: the owner's time on the timer's job, over all timers and days, is at or over the owner's estimate."""
    job_id = case.work.job_id
    if job_id is None:
        return None
    estimate = case.sheet.job(job_id).estimate
    if estimate is None or time_on_job(case.sheet, job_id, case.at) < estimate.seconds * US_PER_SECOND:
        return None
    return lasting(case, Rule.OVER_ESTIMATE)
