"""Dialect C: days as CSV, for spreadsheets that run what looks like a formula."""

import csv
import io
from urllib.parse import quote

import httpx2 as httpx
import pytest

from tests.support.fakes.desks import Clerk
from tests.unit.command_api.dialects.native.reports.tables.found import FOUND


async def asked(about: str = "007", kind: str = "owner", query: str = "", accept: str = "text/csv") -> httpx.Response:
    async with Clerk(days_row=FOUND).client() as client:
        return await client.get(f"/v1/{kind}s/{quote(about, safe='')}/days?{query}", headers={"Accept": accept})


async def test_days_are_lines_with_a_header_and_ids_are_texts() -> None:
    answer = await asked()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert (answer.headers["vary"], answer.headers["x-position"]) == ("Accept", "3:42")
    assert answer.content.decode() == (
        '"owner","day","zone","seconds","billable_seconds","changed_after_lock","first_at","last_at","pause_seconds"\r\n'
        '"007","2026-03-01","Europe/Berlin",3600.000001,1800.5,false,'
        '"2026-03-01T12:00:00.000000Z","2026-03-01T14:00:00.000000Z",1.5\r\n'
        '"007","2026-03-02","Europe/Berlin",60,0,true,,,\r\n'
    )


@pytest.mark.parametrize("about", ["=1+1", "+7", "-7", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")'])
async def test_an_id_that_looks_like_a_formula_is_made_harmless(about: str) -> None:
    read = list(csv.reader(io.StringIO((await asked(about)).text, newline="")))
    assert [line[0] for line in read] == ["owner", f"'{about}", f"'{about}"]


@pytest.mark.parametrize("about", ["a,b", 'say "hi"', "a\nb", "a=1", "דנה", "7-1"])
async def test_any_other_id_reads_back_as_it_is(about: str) -> None:
    read = list(csv.reader(io.StringIO((await asked(about)).content.decode(), newline="")))
    assert [line[0] for line in read] == ["owner", about, about]


@pytest.mark.parametrize("kind", ["account", "job"])
async def test_the_first_column_says_whose_days_they_are(kind: str) -> None:
    assert (await asked(kind=kind)).text.startswith(f'"{kind}","day"')


async def test_a_bom_comes_only_when_it_is_asked_for() -> None:
    with_bom, without = (await asked(query="bom=1")).content, (await asked()).content
    assert with_bom == b"\xef\xbb\xbf" + without
    assert (await asked(query="bom=0")).status_code == 400
    assert (await asked(query="bom=1", accept="application/json")).status_code == 400
