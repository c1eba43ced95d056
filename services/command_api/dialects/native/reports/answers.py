"""The answers of reports: findings and days, in JSON. Seconds are exact, with at most six decimals."""

from collections.abc import Sequence

from starlette.responses import Response

from services.command_api.desk.rows import DayRow, DaysRow, ViolationRow
from services.command_api.dialects.jsontext import seconds, written
from services.command_api.dialects.native.answers import moment
from services.command_api.dialects.native.reports.accept import JSON, VARY
from shared.events.ids import to_long


def violations(page: Sequence[ViolationRow], next_cursor: str | None) -> Response:
    """Answer with a page of findings."""
    body = {"items": list(map(_violation, page)), "next_cursor": next_cursor}
    return Response(written(body), 200, media_type=JSON)


def days(found: DaysRow, zone_name: str) -> Response:
    """Answer with days."""
    position = None if found.position is None else str(found.position)
    body = {"zone": zone_name, "items": list(map(_day, found.days)), "position": position}
    return Response(written(body), 200, VARY, JSON)


def _violation(row: ViolationRow) -> dict[str, object]:
    return {
        "timer_id": to_long(row.timer_id),
        "owner": row.owner,
        "rule": row.rule,
        "from": moment(row.from_at),
        "to": moment(row.to_at),
        "amount_seconds": None if row.amount_us is None else seconds(row.amount_us),
        "refused": row.refused,
        "event_id": str(row.event_id),  # the driver has a class of its own for it
        "policy_revision": row.policy_revision,
    }


def _day(row: DayRow) -> dict[str, object]:
    attended = row.attended
    return {
        "day": row.day,
        "seconds": seconds(row.total_us),
        "billable_seconds": seconds(row.billable_us),
        "changed_after_lock": row.changed_after_lock,
        "first_at": moment(None if attended is None else attended.first_at),
        "last_at": moment(None if attended is None else attended.last_at),
        "pause_seconds": None if attended is None else seconds(attended.pause_us),
    }
