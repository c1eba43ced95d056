"""Dialect C: the form in which days are answered."""

import httpx2 as httpx
import pytest

from services.command_api.dialects.native.reports.accept import XLSX
from tests.support.fakes.desks import Clerk

JSON = "application/json"
CSV = "text/csv; charset=utf-8; header=present"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def asked(accept: str) -> httpx.Response:
    async with Clerk().client() as client:
        return await client.get("/v1/owners/dana/days", headers={"Accept": accept})


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/csv", CSV),
        ("Text/CSV; header=present", CSV),
        ("text/csv, */*;q=0.1", CSV),
        ("application/json;q=0.5, text/csv", CSV),
        ("text/csv;q=0.5, application/json", JSON),
        ("text/csv, application/json", JSON),
        ("text/csv;q=0", JSON),
        ("text/csv;q=much", JSON),
        (XLSX, XLSX),
        (XLSX.upper(), XLSX),
        (f"{XLSX}, */*;q=0.8", XLSX),
        (f"application/json;q=0.5, {XLSX};q=0.6", XLSX),
        (f"text/csv;q=0.5, {XLSX}", XLSX),
        (f"{XLSX};q=0.5, text/csv", CSV),
        (f"{XLSX}, text/csv", CSV),
        (f"{XLSX}, text/csv, application/json", JSON),
        (f"{XLSX};q=0.5, application/json", JSON),
        (f"{XLSX};q=0", JSON),
        (f"{XLSX};q=nan", JSON),
        ("application/*", JSON),
        ("application/vnd.ms-excel", JSON),
        (BROWSER, JSON),
        ("*/*", JSON),
        ("", JSON),
        ("application/json", JSON),
    ],
)
async def test_accept_decides_the_form(accept: str, form: str) -> None:
    answer = await asked(accept)
    assert answer.headers["content-type"] == form
    assert answer.headers["vary"] == "Accept"
