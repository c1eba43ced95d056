"""Looks at an owner: ticks that find what fell due, the policies by which they look, and what was told in the end."""

from datetime import date
from typing import Any, Final

from services.projector.domain.sheet.evolve import evolve
from services.projector.domain.sheet.state import Timesheet
from shared.events.models import OwnerAttendanceRecorded
from shared.events.outcome import Finding
from shared.events.policy import Policy, WeekendFrom
from tests.support.story.given import JERUSALEM, Story, Told, fact, moment

HOUR: Final = 3600
FRIDAY_AND_SATURDAY: Final = (WeekendFrom.model_validate({"from": "2026-01-01", "days": "6,7"}),)


def policy(**said: Any) -> Policy:  # noqa: ANN401 - the fields of a policy
    return JERUSALEM.model_copy(update=said)


def there(came: str, left: str | None, at: str = "08:00") -> Told:
    """Tell when the owner came on Monday and left. None: the owner has not left yet."""
    ends = None if left is None else moment(left)
    return fact(OwnerAttendanceRecorded, at, on=date(2026, 3, 2), checked_in_at=moment(came), checked_out_at=ends)


def told(story: Story) -> list[Finding]:
    """Return each finding as it was told last, in the order in which it was told first."""
    last = {(one.timer_id, one.rule, one.from_): one for outcome in story.outcomes for one in outcome.findings}
    return list(last.values())


def agreed(story: Story) -> None:
    """Compare the sheet with the one that a reader of the outcomes has."""
    sheet = Timesheet("acme", "dana")
    for outcome in story.outcomes:
        sheet = evolve(sheet, outcome)
    assert sheet == story.sheet()
