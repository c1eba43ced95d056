"""Durations: how microseconds are written."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import hypothesis
import pytest
from hypothesis import strategies as st

from shared.events.durations import microseconds, seconds_text, total_minutes

SECOND = 1_000_000
WORKED = st.integers(0, 10**18)


@pytest.mark.parametrize(
    ("worked_us", "minutes"),
    [
        (99 * SECOND, "1.7"),
        (3 * SECOND, "0.1"),
        (102 * SECOND, "1.7"),
        (0, "0.0"),
        (120 * SECOND, "2.0"),
        (3 * SECOND - 1, "0.0"),
        (9 * SECOND, "0.2"),  # half to even would say 0.2 as well
        (15 * SECOND, "0.3"),  # and here 0.2
    ],
)
def test_minutes_have_one_decimal_and_halves_go_up(worked_us: int, minutes: str) -> None:
    assert str(total_minutes(worked_us)) == minutes


@hypothesis.given(WORKED)
def test_minutes_are_the_nearest_tenth(worked_us: int) -> None:
    written = Fraction(str(total_minutes(worked_us)))
    assert Fraction(-1, 20) < written - Fraction(worked_us, 60 * SECOND) <= Fraction(1, 20)


@pytest.mark.parametrize(
    ("worked_us", "seconds"),
    [(0, "0"), (1, "0.000001"), (99 * SECOND, "99"), (1_500_000, "1.5"), (90 * SECOND + 10, "90.00001"), (10**7, "10")],
)
def test_seconds_are_a_json_number_without_exponent(worked_us: int, seconds: str) -> None:
    assert seconds_text(worked_us) == seconds


@hypothesis.given(WORKED)
def test_seconds_are_exact(worked_us: int) -> None:
    assert json.loads(seconds_text(worked_us), parse_float=Decimal, parse_int=Decimal) * SECOND == worked_us


def test_a_duration_over_an_age_is_exact() -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    end = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert microseconds(start, end) == (end - start) // timedelta(microseconds=1)
