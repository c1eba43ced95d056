"""The tenant of the bench has every rule and breaks none, on whatever day it runs."""

from datetime import UTC, datetime, timedelta

import pytest

from bench.rig.product import quiet_policy
from shared.events.policy import Mode, OverlapMode


@pytest.mark.parametrize("ahead", range(7))
def test_the_weekend_is_neither_today_nor_tomorrow(ahead: int) -> None:
    """A start on a weekend is flagged, so that a Saturday's figures would not be a Tuesday's."""
    now = datetime(2026, 11, 28, 23, 59, tzinfo=UTC) + timedelta(days=ahead)
    [weekend] = quiet_policy(now).weekend or ()
    days = {int(day) for day in weekend.days.split(",")}
    assert len(days) == 2
    assert not days & {moment.isoweekday() % 7 + 1 for moment in (now, now + timedelta(days=1))}


def test_every_rule_that_needs_no_directory_is_flagged() -> None:
    rules = quiet_policy(datetime(2026, 11, 28, tzinfo=UTC)).rules
    said = {name: rule.mode for name in type(rules).model_fields if (rule := getattr(rules, name)) is not None}
    assert said.pop("R13") is OverlapMode.FLAG
    assert set(said.values()) == {Mode.FLAG}
    assert set(type(rules).model_fields) - set(said) == {"R12", "R13", "R20"}
