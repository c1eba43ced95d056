"""What a document asks of presses, worked out once."""

from datetime import date, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.policies.terms import Days, Terms, terms_of
from shared.events.policy import Mode, Policy, Preset
from shared.events.rules import Rule

HOUR: Final = 3600
FIRST, NEXT = date(2026, 1, 1), date(2026, 6, 1)


def terms(**said: object) -> Terms:
    return terms_of(Policy.model_validate({"preset": Preset.NATIVE, "zone": "Asia/Jerusalem", **said}))


def weekend(*sets: tuple[date, str]) -> list[dict[str, Any]]:
    return [{"from": since, "days": days} for since, days in sets]


LIMITED: Final[dict[str, dict[str, Any]]] = {
    "R11": {"billable_seconds_per_day": 8 * HOUR},
    "R15": {"mode": "flag", "max_backdate_seconds": 60, "locked_before": FIRST},
    "R16": {"long_running_seconds": 10 * HOUR, "auto_close_seconds": 14 * HOUR},
}


def limits(asked: Terms) -> list[Any]:
    return [asked.daily_cap_us, asked.max_backdate, asked.locked_before, asked.long_running, asked.auto_close]


def test_a_limit_counts_while_its_rule_is_on() -> None:
    asked = terms(rules=LIMITED)
    assert limits(asked) == [
        8 * HOUR * 1_000_000,
        timedelta(minutes=1),
        FIRST,
        timedelta(hours=10),
        timedelta(hours=14),
    ]
    assert asked.has_deadlines


def test_a_limit_whose_rule_is_off_is_none() -> None:
    asked = terms(rules={rule: setting | {"mode": "off"} for rule, setting in LIMITED.items()})
    assert limits(asked) == [None] * 5
    assert not asked.has_deadlines
    assert asked.on.isdisjoint(LIMITED)


@pytest.mark.parametrize("preset", Preset)
def test_no_preset_has_a_limit(preset: Preset) -> None:
    """R16 neither, although the contract's row of it has a number."""
    asked = terms(preset=preset)
    assert limits(asked) == [None] * 5
    assert not asked.has_deadlines


def test_what_a_document_leaves_out_is_the_presets() -> None:
    assert Rule.OWNER_UNKNOWN not in terms().on
    assert terms().modes[Rule.DAY_OFF] is Mode.FLAG
    assert terms(preset=Preset.ZOHO).modes[Rule.DAY_OFF] is Mode.BLOCK


def test_an_overlap_that_is_allowed_is_a_rule_that_is_off() -> None:
    allows = terms(rules={"R13": {"mode": "allow"}})
    pauses = terms(rules={"R13": {"mode": "pause_previous"}})
    assert [Rule.OVERLAP in asked.on for asked in (allows, terms(), pauses)] == [False, True, True]
    assert [asked.switches for asked in (allows, terms(), pauses)] == [False, False, True]


@pytest.mark.parametrize(
    ("day", "is_off"),
    [
        (date(2025, 12, 26), False),  # a Friday before any weekend was set
        (date(2026, 1, 2), True),  # a Friday
        (date(2026, 1, 4), False),  # a Sunday
        (date(2026, 6, 5), False),  # a Friday of the next set
        (date(2026, 6, 7), True),  # a Sunday of it
        (date(2026, 4, 2), True),  # the holiday, a Thursday
        (date(2026, 4, 9), False),
    ],
)
def test_the_newest_weekend_counts_and_a_holiday_beside_it(day: date, is_off: bool) -> None:  # noqa: FBT001 - a table
    sets = weekend((NEXT, "7,1"), (FIRST, "6,7"), (FIRST, "1"))
    assert terms(weekend=sets, holidays=[{"day": date(2026, 4, 2)}]).is_day_off(day) is is_off


def test_a_document_has_days_off_when_they_are_judged() -> None:
    sets = weekend((FIRST, "6,7"))
    asked = terms(weekend=sets), terms(), terms(weekend=sets, rules={"R09": {"mode": "off"}})
    assert [one.has_days_off for one in asked] == [True, False, False]


@given(st.lists(st.dates()), st.dates())
def test_packed_days_hold_the_days_that_they_were_made_of(days: list[date], other: date) -> None:
    packed = Days(days)
    assert [day in packed for day in [*days, other]] == [True] * len(days) + [other in days]
    again = Days([*reversed(days), *days])
    assert (packed, hash(packed)) == (again, hash(again))
    assert packed != Days({*days, other}) or other in days
