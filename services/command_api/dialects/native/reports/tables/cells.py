"""Cells: days as a table. The columns and their order are the same in each form.

A cell is a text, a day, yes or no, whole microseconds, or None: empty. A moment is a text in UTC, because a
spreadsheet's times have no zone and fewer than six decimals of a second.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from services.command_api.desk.rows import DayRow, DaysRow
from services.command_api.dialects.native.reports.accept import VARY
from services.command_api.dialects.native.reports.asking import DaysAsked
from services.command_api.dialects.times import rfc3339

Cell = str | date | bool | int | None

_COLUMNS: Final = ("day", "zone", "seconds", "billable_seconds", "changed_after_lock")
_ATTENDED: Final = ("first_at", "last_at", "pause_seconds")


def lines(found: DaysRow, zone_name: str, asked: DaysAsked) -> Iterator[tuple[Cell, ...]]:
    """Return the names of the columns, and a line for each day. The first column is the id that was asked about."""
    yield (asked.whose, *_COLUMNS, *_ATTENDED)
    for row in found.days:
        yield (asked.about, row.day, zone_name, row.total_us, row.billable_us, row.changed_after_lock, *_attended(row))


def headers(found: DaysRow) -> dict[str, str]:
    """Return the headers of each form of a table: a table has no other place for the position."""
    return VARY if found.position is None else VARY | {"X-Position": str(found.position)}


def _attended(row: DayRow) -> tuple[Cell, ...]:
    if row.attended is None:
        return None, None, None
    return rfc3339(row.attended.first_at), rfc3339(row.attended.last_at), row.attended.pause_us
