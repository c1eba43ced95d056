"""A timer as the store has it."""

from services.command_api.desk.rows import TimerRow
from shared.events.outcome import State
from tests.support.fakes.desks import NOON, SHORT

ROW = TimerRow(
    id=SHORT,
    owner="dana",
    account_id="77",
    job_id=None,
    project_id=None,
    billable=True,
    work_date=None,
    state=State.PAUSED,
    started_at=NOON,
    stopped_at=None,
    total_us=60_000_500,
    flags=("R13", "late"),
    comment="שלום",
    work_item=None,
    intervals=(),
    position="3:42",
    reference="crm/7",
)
