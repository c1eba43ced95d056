"""XLSX: days as a workbook of one sheet. A year of days takes some 30 ms: make it beside the event loop.

Ids and other texts are text cells, whatever they look like. A day is a date, so that a spreadsheet can group by month
or weekday; seconds are numbers. What XML cannot hold, a control character, is escaped as the format has it
(`_x0001_`), and a spreadsheet reads it back. The same days give the same bytes.
"""

import re
from datetime import UTC, date, datetime, time
from io import BytesIO
from tempfile import TemporaryDirectory
from typing import Final, assert_never

from starlette.responses import Response
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from services.command_api.desk.rows import DaysRow
from services.command_api.dialects.native.reports.accept import XLSX
from services.command_api.dialects.native.reports.asking import DaysAsked
from services.command_api.dialects.native.reports.tables.cells import Cell, headers, lines
from shared.events.durations import US_PER_SECOND

# A row is written out when the next one begins, to a file in a folder of the workbook's own.
_OPTIONS: Final[dict[str, object]] = {"constant_memory": True}
# The moment that a workbook says of itself. Its real one would make other bytes each time.
_CREATED: Final = datetime(1980, 1, 1, tzinfo=UTC)
# A text stays one when its cell is edited.
_TEXT: Final = {"num_format": "@"}
_DAY: Final = {"num_format": "yyyy-mm-dd"}
# Characters. The second is that of a moment; 39 digits fit into the first.
_WIDTH_OF_ID: Final = 41
_WIDTH: Final = 28
# A spreadsheet offers to make numbers of texts that look like some: not of those in the column of ids.
_IDS: Final = {"number_stored_as_text": "A1:A1048576"}
# Control characters, an underscore before what reads like an escape, and what XlsxWriter would take for markup.
_ESCAPED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)|\A<(?=r>)")


class _Sheet(Worksheet):
    """A sheet whose text cells hold any text."""

    @staticmethod
    def _escape_control_characters(data: object) -> str:
        # XlsxWriter's own leaves `<r>…</r>` as it is and then writes it as markup, and misses the second of two
        # escapes that share an underscore.
        return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", str(data))


def days(found: DaysRow, zone_name: str, asked: DaysAsked) -> Response:
    """Answer with days, a row each below a frozen header, as a file to be kept."""
    name = f"{asked.whose}-days-{asked.first}-{asked.last}.xlsx"
    kept = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_workbook(found, zone_name, asked), 200, headers(found) | kept, XLSX)


def _workbook(found: DaysRow, zone_name: str, asked: DaysAsked) -> bytes:
    file = BytesIO()
    # Also when the disk is full, nothing stays on it.
    with TemporaryDirectory(prefix="stint-workbook-") as folder, Workbook(file, _OPTIONS | {"tmpdir": folder}) as book:
        book.set_properties({"created": _CREATED})
        text, day = book.add_format(_TEXT), book.add_format(_DAY)
        sheet = book.add_worksheet("days", _Sheet)
        sheet.freeze_panes(1, 0)
        sheet.set_column("A:A", _WIDTH_OF_ID)
        sheet.set_column("B:I", _WIDTH)
        sheet.ignore_errors(_IDS)
        for row, line in enumerate(lines(found, zone_name, asked)):
            for column, cell in enumerate(line):
                _write(sheet, row, column, cell, text, day)
    return file.getvalue()


def _write(sheet: Worksheet, row: int, column: int, cell: Cell, text: Format, day: Format) -> None:
    match cell:
        case None:
            pass
        case str():
            sheet.write_string(row, column, cell, text)
        case date():
            sheet.write_datetime(row, column, datetime.combine(cell, time.min), day)
        case bool():  # a bool is an int as well
            sheet.write_boolean(row, column, cell)
        case int():
            sheet.write_number(row, column, cell / US_PER_SECOND)
        case _:
            assert_never(cell)
