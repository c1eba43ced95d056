"""Dialect C: days as a workbook, whose texts stay what they are."""

import asyncio
import errno
import gc
import io
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile
from contextlib import suppress
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Event, get_ident
from time import monotonic
from typing import NoReturn
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx2 as httpx
import pytest
import xlsxwriter.workbook
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response
from xlsxwriter.exceptions import FileCreateError

from deploy.local.settings import ROOT
from services.command_api.desk.rows import DayRow, DaysRow
from services.command_api.dialects.native.reports import calls
from services.command_api.dialects.native.reports.accept import XLSX
from services.command_api.dialects.native.reports.asking import DaysAsked
from services.command_api.dialects.native.reports.tables import xlsx
from services.command_api.dialects.values import NAME_LENGTH_MAX
from shared.events.base import is_writable
from tests.support.fakes.desks import LONG, NOON, Clerk
from tests.unit.command_api.dialects.native.reports.tables.found import FOUND

Cells = list[list[tuple[str, str] | None]]

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ONE_DAY = DaysRow("UTC", None, (DayRow(date(2026, 3, 2), 60_000_000, 0, changed_after_lock=True),))


async def asked(about: str = "007", kind: str = "owner", query: str = "", found: DaysRow = FOUND) -> httpx.Response:
    async with Clerk(days_row=found).client() as client:
        return await client.get(f"/v1/{kind}s/{quote(about, safe='')}/days?{query}", headers={"Accept": XLSX})


def read(workbook: bytes) -> Cells:
    """Return the type and the value of each cell of the sheet, None where there is none, as its format has it."""
    sheet = part(workbook, "xl/worksheets/sheet1.xml")
    return [[cell_of(row, f"{column}{row.get('r')}") for column in "ABCDEFGHI"] for row in sheet.iter(f"{MAIN}row")]


def cell_of(row: ET.Element, place: str) -> tuple[str, str] | None:
    cell = row.find(f"{MAIN}c[@r='{place}']")
    if cell is None:
        return None
    assert {inner.tag for inner in cell} <= {f"{MAIN}is", f"{MAIN}v"}  # no formula
    texts = [inner.text or "" for inner in cell.iter() if inner.tag in {f"{MAIN}t", f"{MAIN}v"}]
    return cell.get("t", "n"), re.sub("_x([0-9A-Fa-f]{4})_", lambda code: chr(int(code[1], 16)), "".join(texts))


def part(workbook: bytes, name: str) -> ET.Element:
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        return ET.fromstring(file.read(name))


def about_in(workbook: bytes) -> list[tuple[str, str] | None]:
    return [line[0] for line in read(workbook)[1:]]


def made(about: str, found: DaysRow = ONE_DAY) -> bytes:
    return bytes(xlsx.days(found, "UTC", DaysAsked("owner", about, NOON.date(), NOON.date(), bom=False)).body)


async def test_days_are_rows_with_the_columns_of_the_csv() -> None:
    """A day is a number of days, since 1899-12-30."""
    answer = await asked(query="from=2026-03-01&to=2026-03-31")
    assert (answer.status_code, answer.headers["content-type"]) == (200, XLSX)
    assert (answer.headers["vary"], answer.headers["x-position"]) == ("Accept", "3:42")
    assert answer.headers["content-disposition"] == 'attachment; filename="owner-days-2026-03-01-2026-03-31.xlsx"'
    columns = "owner day zone seconds billable_seconds changed_after_lock first_at last_at pause_seconds"
    owner, zone = ("inlineStr", "007"), ("inlineStr", "Europe/Berlin")
    moments = [("inlineStr", "2026-03-01T12:00:00.000000Z"), ("inlineStr", "2026-03-01T14:00:00.000000Z")]
    assert read(answer.content) == [
        [("inlineStr", column) for column in columns.split()],
        [owner, ("n", "46082"), zone, ("n", "3600.000001"), ("n", "1800.5"), ("b", "0"), *moments, ("n", "1.5")],
        [owner, ("n", "46083"), zone, ("n", "60"), ("n", "0"), ("b", "1"), None, None, None],
    ]


async def test_days_and_texts_have_formats_of_their_own_and_the_header_stands() -> None:
    """A text cell with a text's format is a text again when somebody has edited it."""
    workbook = (await asked()).content
    sheet, styles = part(workbook, "xl/worksheets/sheet1.xml"), part(workbook, "xl/styles.xml")
    custom = {one.get("numFmtId"): one.get("formatCode") for one in styles.iter(f"{MAIN}numFmt")} | {"49": "@"}
    of_style = [custom.get(str(one.get("numFmtId"))) for one in styles.findall(f"{MAIN}cellXfs/{MAIN}xf")]
    line = [sheet.find(f".//{MAIN}c[@r='{column}2']") for column in "ABCD"]
    formats = [of_style[int(cell.get("s", "0"))] for cell in line if cell is not None]
    assert formats == ["@", "yyyy-mm-dd", "@", None]
    pane = sheet.find(f".//{MAIN}pane")
    assert pane is not None
    assert (pane.get("ySplit"), pane.get("topLeftCell"), pane.get("state")) == ("1", "A2", "frozen")
    hushed = sheet.find(f".//{MAIN}ignoredError")
    assert hushed is not None
    assert hushed.attrib == {"sqref": "A1:A1048576", "numberStoredAsText": "1"}


LIKE_NUMBERS = [LONG, "007", "7", "1e5", "2026-03-01", "TRUE", "#N/A", "'7"]
LIKE_FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "{=1}", "https://stint.example", "mailto:a@b.c", "internal:days!A1"]
LIKE_MARKUP = ["a&b", "<r>", "<r><t>1</t></r>", "<r>&</r>", "<r>\x01</r>", "_x0001_", "_x0041_x0042_", "_x005F_"]
NOT_FOR_XML = ["\x01\x0b\x1f\x7f\x85", "\ufffe\uffff", "a\r\nb", " a ", "דנה", "😀" * NAME_LENGTH_MAX]


@pytest.mark.parametrize("about", [*LIKE_NUMBERS, *LIKE_FORMULAS, *LIKE_MARKUP, *NOT_FOR_XML])
def test_an_id_is_a_text_cell_and_reads_back_as_it_is(about: str) -> None:
    """The longest has 256 units of UTF-16, and a cell takes 32,767."""
    assert about_in(made(about, FOUND)) == [("inlineStr", about)] * 2


@given(st.text(st.sampled_from("<r>/_x0041\x00\r\n\ud7ff\uffff =") | st.characters(), max_size=NAME_LENGTH_MAX))
def test_any_text_that_an_id_may_be_reads_back(about: str) -> None:
    if about and is_writable(about):
        assert about_in(made(about)) == [("inlineStr", about)]


@given(st.integers(0, 10**15))
def test_seconds_are_numbers_that_round_to_the_exact_microsecond(worked_us: int) -> None:
    """A spreadsheet counts in 15 digits. That is a day of a job that 11,000 people work on around the clock."""
    found = DaysRow(None, None, (DayRow(date(2026, 3, 1), worked_us, 0, changed_after_lock=False),))
    [_, line] = read(made("dana", found))
    assert line[3] is not None
    assert (line[3][0], round(float(line[3][1]) * 1_000_000)) == ("n", worked_us)


@pytest.mark.parametrize("kind", ["account", "job"])
async def test_the_first_column_and_the_file_say_whose_days_they_are(kind: str) -> None:
    answer = await asked(kind=kind, query="from=2026-03-01&to=2026-03-02")
    assert read(answer.content)[0][0] == ("inlineStr", kind)
    assert answer.headers["content-disposition"].endswith(f'filename="{kind}-days-2026-03-01-2026-03-02.xlsx"')


async def test_no_days_are_a_header_alone_without_a_position() -> None:
    answer = await asked(found=DaysRow(None, None, ()))
    assert (answer.status_code, len(read(answer.content)), "x-position" in answer.headers) == (200, 1, False)


def test_the_same_days_are_the_same_bytes() -> None:
    """Each file in it, and the moment that the workbook says of itself."""
    one = made("dana")
    assert one == made("dana")
    created = [inner.text for inner in part(one, "docProps/core.xml") if inner.text and inner.text.endswith("Z")]
    assert created == ["1980-01-01T00:00:00Z"] * 2


async def test_a_workbook_has_no_byte_order_mark_to_ask_for() -> None:
    assert (await asked(query="bom=1")).status_code == 400


async def test_workbooks_are_made_one_at_a_time_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presses go on meanwhile."""
    spans: list[tuple[float, float, int]] = []
    make = xlsx.days

    def watched(found: DaysRow, zone_name: str, asked: DaysAsked) -> Response:
        began = monotonic()
        answer = make(found, zone_name, asked)
        spans.append((began, monotonic(), get_ident()))
        return answer

    monkeypatch.setattr(xlsx, "days", watched)
    async with Clerk(days_row=FOUND).client() as client:
        await asyncio.gather(*(client.get("/v1/owners/7/days", headers={"Accept": XLSX}) for _ in range(8)))
    assert len(spans) == 8
    assert get_ident() not in {thread for _, _, thread in spans}
    assert all(ended <= began for (_, ended, _), (began, _, _) in pairwise(sorted(spans)))


async def test_who_waits_too_long_for_a_workbook_may_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_WORKBOOK_WITHIN_SECONDS", 0.01)
    make, may_go_on = xlsx.days, Event()

    def slow(found: DaysRow, zone_name: str, asked: DaysAsked) -> Response:
        may_go_on.wait(10)
        return make(found, zone_name, asked)

    monkeypatch.setattr(xlsx, "days", slow)
    async with Clerk(days_row=FOUND).client() as client:
        ask = partial(client.get, "/v1/owners/7/days", headers={"Accept": XLSX})
        first, second = asyncio.create_task(ask()), asyncio.create_task(ask())
        ended, _ = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
        may_go_on.set()
        answers = await asyncio.gather(first, second)
    assert [task.result().status_code for task in ended] == [503]
    assert sorted(answer.status_code for answer in answers) == [200, 503]


def test_a_full_disk_keeps_nothing_of_a_workbook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(xlsxwriter.workbook, "ZipFile", full)
    with warnings.catch_warnings():
        # The library leaves its file open then, and says nothing more of it.
        warnings.simplefilter("ignore", ResourceWarning)
        with suppress(FileCreateError):
            xlsx.days(FOUND, "UTC", DaysAsked("owner", "7", NOON.date(), NOON.date(), bom=False))
            pytest.fail("the disk is full")
        gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_an_api_that_makes_no_workbook_does_not_import_the_library() -> None:
    begun = "import sys; import services.command_api.app; print('xlsxwriter' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", begun], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout.strip() == "False"
