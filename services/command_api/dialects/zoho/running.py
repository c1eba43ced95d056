"""`getcurrentlyrunningtimer`: the running timer, which dialect B counts in whole seconds since a local midnight."""

from datetime import datetime
from typing import Final

from services.command_api.desk.rows import RunningTimer
from services.command_api.dialects.zoho.answers import Fields
from services.command_api.dialects.zoho.dates import format_date
from shared.events.calendar import first_instant, local_day
from shared.events.durations import US_PER_SECOND, microseconds

BILLABLE: Final = "billable"
NON_BILLABLE: Final = "nonbillable"


def running_timer(timer: RunningTimer, now: datetime, date_format: str) -> Fields:
    """Return the fields of the result.

    `date` (now) and `fromTime` count elapsed time from the first instant of the local day on which the open interval
    began. Their difference is the time worked, so after a change of the clocks they differ from a wall clock.
    """
    now = max(now, timer.opened_at)  # our clock may be behind the log's
    on = local_day(timer.opened_at, timer.zone)
    midnight = first_instant(on, timer.zone) or timer.opened_at
    now_s = microseconds(midnight, now) // US_PER_SECOND
    from_s = microseconds(midnight, timer.opened_at) // US_PER_SECOND
    total_s = (timer.closed_us + microseconds(timer.opened_at, now)) // US_PER_SECOND
    job = timer.job_id or ""
    return [
        ("timelogId", str(timer.id)),
        ("timerId", str(timer.id)),
        ("jobId", job),
        ("jobName", job),
        ("erecno", timer.owner),
        ("employeename", timer.name or ""),
        ("taskName", timer.work_item or ""),
        # A timer of another dialect has no work date. Its day is then the one on which it was last resumed.
        ("workDate", format_date(timer.work_date or on, date_format)),
        ("billingStatus", BILLABLE if timer.billable else NON_BILLABLE),
        ("isRunning", True),
        ("date", now_s),
        ("fromTime", from_s),
        ("diff", now_s - from_s),
        ("totaltime", total_s),
        ("hours", total_s // 60),
    ]
