"""Two days of an owner as the store has them: one with attendance, one that changed after its lock."""

from datetime import date, timedelta

from services.command_api.desk.attended import Attended
from services.command_api.desk.commands import Position
from services.command_api.desk.rows import DayRow, DaysRow
from tests.support.fakes.desks import NOON

ATTENDED = Attended(NOON, NOON + timedelta(hours=2), 1_500_000)
FOUND = DaysRow(
    zone="Europe/Berlin",
    position=Position(3, 42),
    days=(
        DayRow(date(2026, 3, 1), 3_600_000_001, 1_800_500_000, changed_after_lock=False, attended=ATTENDED),
        DayRow(date(2026, 3, 2), 60_000_000, 0, changed_after_lock=True),
    ),
)
