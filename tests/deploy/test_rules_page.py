"""docs/rules.md agrees with the table of rules: `make pages` writes it anew."""

import re
from dataclasses import replace

import pytest

from deploy.pages import rules as rules_page
from deploy.pages.rules import PAGE, page
from shared.events.rule_rows import Limit
from shared.events.rule_table import RULE_ROWS, row_of
from shared.events.rules import Rule


def test_the_page_is_as_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_row_that_changes_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with another default and other words, the test above would fail."""
    before = page()
    other = replace(row_of(Rule.DAY_OFF), default="off", presets={}, sentence="Go home.")
    monkeypatch.setattr(rules_page, "RULE_ROWS", [other if row.rule is Rule.DAY_OFF else row for row in RULE_ROWS])
    assert page() != before
    assert "| day_off | `off`, `flag`, `block`, `strict` | `off` | `off` | `off` |" in page()
    assert "- C: 422, `day_off`, `Go home.`" in page()


def test_every_rule_has_its_section() -> None:
    headings = re.findall(r"^### (R\d\d) (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [(rule.value, rule.reason) for rule in Rule]


def test_limits_are_told_with_unit_and_bounds() -> None:
    told = page()
    assert "`rules.R11.billable_seconds_per_day`, the cap: seconds, 1 to 31,622,400 (366 days)." in told
    assert "`rules.R15.locked_before`, the first day that is not locked: a day (`YYYY-MM-DD`)." in told
    assert "whether timers are disabled for the whole tenant: `true` or `false`." in told
    assert "single days off: a list of {`day`, `name`}." in told


def test_a_limit_that_no_policy_has_fails_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that was renamed in the policy alone would leave readers with a name that is refused."""
    lost = replace(row_of(Rule.DAY_OFF), limits=(Limit("rules.R09.sunny", "the weather"),))
    monkeypatch.setattr(rules_page, "RULE_ROWS", [lost])
    with pytest.raises(KeyError):
        page()
