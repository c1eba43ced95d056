"""The table of rules is whole: a row for each rule, a place in it for each limit, and words that exist."""

from collections.abc import Iterator
from typing import Final

import pytest

from shared.events.policy import Mode, OverlapMode, Policy, Preset, RuleMode, Rules
from shared.events.rule_rows import FLAGS, ZOHO_FAILED, ZOHO_TEXTS, RuleRow
from shared.events.rule_table import RULE_ROWS, row_of
from shared.events.rules import Rule

# Of a policy, what is no rule's limit.
_NO_LIMITS: Final = {"preset", "zone", "rules"}


def test_each_rule_has_one_row_in_the_order_of_ids() -> None:
    assert [row.rule for row in RULE_ROWS] == sorted(Rule)
    assert [row_of(rule).rule for rule in Rule] == list(Rule)


def test_a_rule_has_modes_exactly_when_a_policy_may_name_it() -> None:
    assert {row.rule.value for row in RULE_ROWS if row.modes} == set(Rules.model_fields)


@pytest.mark.parametrize("row", RULE_ROWS, ids=lambda row: row.rule)
def test_modes_are_those_of_the_policys_field(row: RuleRow) -> None:
    """A mode that no document could hold would be a promise that cannot be taken up."""
    words = set(OverlapMode) if row.rule is Rule.OVERLAP else set(Mode)
    assert set(row.modes) <= words
    for preset in Preset if row.modes else ():
        assert row.default_of(preset) in row.modes
    assert set(row.presets) <= set(Preset)


def test_a_policy_that_says_nothing_has_the_tables_modes() -> None:
    for preset in Preset:
        policy = Policy(preset=preset, zone="Asia/Jerusalem")
        said = {row.rule: policy.mode(row.rule) for row in RULE_ROWS if row.modes} | {Rule.OVERLAP: policy.overlap_mode}
        assert said == {row.rule: row.default_of(preset) for row in RULE_ROWS if row.modes}


def test_each_limit_of_the_policy_is_in_one_row() -> None:
    listed = [limit.path for row in RULE_ROWS for limit in row.limits]
    assert sorted(listed) == sorted(_limits())


def _limits() -> Iterator[str]:
    yield from set(Policy.model_fields) - _NO_LIMITS
    for name, field in Rules.model_fields.items():
        kinds = getattr(field.annotation, "__args__", ())
        for kind in kinds:
            yield from (f"rules.{name}.{limit}" for limit in getattr(kind, "model_fields", {}) if limit != "mode")


def test_the_limits_of_a_model_are_found() -> None:
    """The control: the walk above sees the fields of a rule, and of the policy itself."""
    assert {"timers_disabled", "rules.R11.billable_seconds_per_day"} < set(_limits())
    assert "mode" in RuleMode.model_fields


@pytest.mark.parametrize("row", RULE_ROWS, ids=lambda row: row.rule)
def test_each_dialect_has_words_for_each_rule(row: RuleRow) -> None:
    assert row.sentence.endswith(".")
    assert set(row.thebase) == {"start", "stop"}
    assert set(row.zoho.messages) == set(ZOHO_FAILED)
    assert row.zoho.code in ZOHO_TEXTS
    assert all(row.zoho.messages.values())


def test_what_only_flags_is_no_refusal_and_what_is_void_neither() -> None:
    silent = {row.rule for row in RULE_ROWS if not row.refuses}
    assert silent == {Rule.LONG_RUNNING, Rule.OVERFULL_DAY, Rule.LATE_PRESS, Rule.ID_TAKEN, Rule.EXPIRED}
    assert all(row.modes in {FLAGS, ()} for row in RULE_ROWS if not row.refuses)
