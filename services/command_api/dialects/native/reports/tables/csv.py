"""CSV: days for spreadsheets (RFC 4180), and which callers ask for it.

A spreadsheet runs a cell that begins like a formula, so such a text gets an apostrophe before it: an id is a caller's
own text. Texts are always quoted, so that `007` is written as a text; numbers never are.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.rows import DayRow, DaysRow
from services.command_api.dialects.times import rfc3339
from shared.events.durations import seconds_text

CSV: Final = "text/csv"
VARY: Final = {"Vary": "Accept"}

_TYPE: Final = "text/csv; charset=utf-8; header=present"
_JSON: Final = "application/json"
_BOM: Final = "\ufeff"
_COLUMNS: Final = ("day", "zone", "seconds", "billable_seconds", "changed_after_lock")
_ATTENDED: Final = ("first_at", "last_at", "pause_seconds")
# What spreadsheets take for the beginning of a formula, or skip before one.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def wants_csv(request: Request) -> bool:
    """Say whether `Accept` names text/csv, and weighs it above application/json where it names both."""
    weights: dict[str, float] = {}
    for part in ",".join(request.headers.getlist("accept")).split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        weights.setdefault(name, _weight(parameters))
    return weights.get(CSV, 0.0) > weights.get(_JSON, 0.0)


def days(found: DaysRow, zone_name: str, whose: str, about: str, *, bom: bool) -> Response:
    """Answer with days, a line each. `whose` is the kind of id that is the first column, and `about` the id."""
    head = [_text(name) for name in (whose, *_COLUMNS, *_ATTENDED)]
    lines = [head, *(_line(row, zone_name, about) for row in found.days)]
    body = "".join(",".join(line) + "\r\n" for line in lines)
    position = {} if found.position is None else {"X-Position": str(found.position)}
    return Response((_BOM if bom else "") + body, 200, VARY | position, _TYPE)


def _line(row: DayRow, zone_name: str, about: str) -> list[str]:
    said = [_text(about), _text(row.day.isoformat()), _text(zone_name)]
    said += [seconds_text(row.total_us), seconds_text(row.billable_us), str(row.changed_after_lock).lower()]
    if row.attended is None:
        return [*said, "", "", ""]
    bounds = (_text(rfc3339(at)) for at in (row.attended.first_at, row.attended.last_at))
    return [*said, *bounds, seconds_text(row.attended.pause_us)]


def _text(text: str) -> str:
    safe = f"'{text}" if text.startswith(_FORMULA) else text
    return '"' + safe.replace('"', '""') + '"'


def _weight(parameters: Iterable[str]) -> float:
    for name, _, value in _pairs(parameters):
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _pairs(parameters: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    return (each.replace(" ", "").partition("=") for each in parameters)
