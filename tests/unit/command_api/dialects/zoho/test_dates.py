"""Dialect B's dates, in the formats that callers name."""

from datetime import date

import hypothesis
import pytest
from hypothesis import strategies as st

from services.command_api.dialects.zoho.dates import format_date, is_format, parse_date


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("2026-03-01", "yyyy-MM-dd"),
        ("01/03/26", "dd/MM/yy"),
        ("1-Mar-2026", "d-MMM-yyyy"),
        ("mar 1, 2026", "MMM d, yyyy"),
        ("3.1.2026", "M.d.yyyy"),
        ("20260301", "yyyyMMdd"),
    ],
)
def test_dates_are_read_by_their_format(text: str, date_format: str) -> None:
    assert parse_date(text, date_format) == date(2026, 3, 1)


@pytest.mark.parametrize(
    "date_format", ["", "yyyy-MM", "yyyy-MM-dd-dd", "DD-MM-YYYY", "yyy-MM-dd", "MMMM d yyyy", "y" * 40, "dd.mm.yyyy"]
)
def test_a_format_says_year_month_and_day_once_each(date_format: str) -> None:
    assert not is_format(date_format)
    assert parse_date("2026-03-01", date_format) is None


@hypothesis.given(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)))
@pytest.mark.parametrize("date_format", ["yyyy-MM-dd", "d MMM yy", "MM/dd/yyyy", "(d).[M]*yyyy"])
def test_a_written_date_reads_as_itself(date_format: str, day: date) -> None:
    assert parse_date(format_date(day, date_format), date_format) == day
