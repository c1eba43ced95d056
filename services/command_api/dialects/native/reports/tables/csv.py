"""CSV: days as lines of RFC 4180, UTF-8.

A spreadsheet runs a cell that begins like a formula, so such a text gets an apostrophe before it: an id is a caller's
own text. Texts are quoted and numbers are not, for programs that look at quotes. Spreadsheets do not: they guess what
each cell is, so `007` becomes 7, and of an id of 39 digits they keep the first 15, unless whoever opens the file
imports its columns as text. `xlsx` has ids that stay as they are.
"""

from datetime import date
from typing import Final, assert_never

from starlette.responses import Response

from services.command_api.desk.rows import DaysRow
from services.command_api.dialects.native.reports.asking import DaysAsked
from services.command_api.dialects.native.reports.tables.cells import Cell, headers, lines
from shared.events.durations import seconds_text

_TYPE: Final = "text/csv; charset=utf-8; header=present"
_BOM: Final = "\ufeff"
# What spreadsheets take for the beginning of a formula, or skip before one.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def days(found: DaysRow, zone_name: str, asked: DaysAsked) -> Response:
    """Answer with days, a line each, and a byte order mark before them where it was asked for."""
    body = "".join(",".join(map(_written, line)) + "\r\n" for line in lines(found, zone_name, asked))
    return Response((_BOM if asked.bom else "") + body, 200, headers(found), _TYPE)


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return _text(cell)
        case date():
            return _text(cell.isoformat())
        case bool():  # a bool is an int as well
            return str(cell).lower()
        case int():
            return seconds_text(cell)
        case _:
            assert_never(cell)


def _text(text: str) -> str:
    safe = f"'{text}" if text.startswith(_FORMULA) else text
    return '"' + safe.replace('"', '""') + '"'
