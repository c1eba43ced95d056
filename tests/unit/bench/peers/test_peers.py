"""The peers answer as honestly as the product does."""

from datetime import UTC, datetime, timedelta

import pytest

from bench.peers.crud_with_promises import days_of
from bench.peers.timers import fresh_id, minutes, read_id


def test_an_id_has_39_digits_and_is_read_back() -> None:
    ids = [fresh_id() for _ in range(1_000)]
    assert {len(str(each.int)) for each in ids} == {39}
    assert [read_id(str(each.int)) for each in ids] == ids
    assert read_id("9" * 39) is None


@pytest.mark.parametrize(("seconds", "said"), [(99, "1.7"), (3, "0.1"), (102, "1.7"), (0, "0.0"), (120, "2.0")])
def test_minutes_are_those_of_the_contract(seconds: int, said: str) -> None:
    assert minutes(timedelta(seconds=seconds)) == said


def test_an_interval_is_cut_at_the_owners_midnight() -> None:
    """Jerusalem is two hours ahead of UTC in winter."""
    start = datetime(2026, 11, 28, 21, tzinfo=UTC)
    parts = days_of(start, start + timedelta(hours=3))
    assert [(day.isoformat(), worked_us // 3_600_000_000) for day, worked_us in parts] == [
        ("2026-11-28", 1),
        ("2026-11-29", 2),
    ]
