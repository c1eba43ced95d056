"""The answers of reports: findings and days, in JSON. Seconds are exact, with at most six decimals."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from services.command_api.desk.rows import DayRow, DaysRow, ViolationRow
from services.command_api.dialects.jsontext import NULL, array, boolean, members, quoted
from services.command_api.dialects.native.answers import moment
from services.command_api.dialects.native.reports.csv import VARY
from shared.events.durations import seconds_text
from shared.events.ids import to_long

_JSON: Final = "application/json"


def violations(page: Sequence[ViolationRow], next_cursor: str | None) -> Response:
    """Answer with a page of findings."""
    body = members(("items", array(map(_violation, page))), ("next_cursor", quoted(next_cursor)))
    return Response(body, 200, media_type=_JSON)


def days(found: DaysRow, zone_name: str) -> Response:
    """Answer with days."""
    position = None if found.position is None else str(found.position)
    items = array(map(_day, found.days))
    body = members(("zone", quoted(zone_name)), ("items", items), ("position", quoted(position)))
    return Response(body, 200, VARY, _JSON)


def _violation(row: ViolationRow) -> str:
    return members(
        ("timer_id", quoted(to_long(row.timer_id))),
        ("owner", quoted(row.owner)),
        ("rule", quoted(row.rule)),
        ("from", moment(row.from_at)),
        ("to", moment(row.to_at)),
        ("amount_seconds", NULL if row.amount_us is None else seconds_text(row.amount_us)),
        ("refused", boolean(row.refused)),
        ("event_id", quoted(str(row.event_id))),
        ("policy_revision", NULL if row.policy_revision is None else str(row.policy_revision)),
    )


def _day(row: DayRow) -> str:
    return members(
        ("day", quoted(row.day.isoformat())),
        ("seconds", seconds_text(row.total_us)),
        ("billable_seconds", seconds_text(row.billable_us)),
        ("changed_after_lock", boolean(row.changed_after_lock)),
        ("first_at", moment(None if row.attended is None else row.attended.first_at)),
        ("last_at", moment(None if row.attended is None else row.attended.last_at)),
        ("pause_seconds", NULL if row.attended is None else seconds_text(row.attended.pause_us)),
    )
