"""Policy documents: what one says, what it leaves to its preset, and what no document may say."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.events.policy import Mode, OverlapMode, Policy
from shared.events.rules import Rule

POLICY = TypeAdapter(Policy)
CLOSES = {"R16": {"auto_close_seconds": 50_400}}


def policy(preset: str = "native", **said: Any) -> Policy:  # noqa: ANN401 - documents hold anything
    return POLICY.validate_python({"preset": preset, "zone": "Asia/Jerusalem"} | said)


@pytest.mark.parametrize("preset", ["native", "thebase"])
def test_native_and_thebase_flag_what_they_do_not_refuse(preset: str) -> None:
    modes = {rule: policy(preset).mode(rule) for rule in Rule}
    assert {rule for rule, mode in modes.items() if mode is Mode.BLOCK} == {Rule.TIMERS_DISABLED}
    # Of a time to come, a pause is refused as a start is: only a stop never waits for it.
    assert {rule for rule, mode in modes.items() if mode is Mode.STRICT} == {Rule.FUTURE_TIME}
    assert {rule for rule, mode in modes.items() if mode is Mode.OFF} == {Rule.PAST_TIME, Rule.OWNER_UNKNOWN}
    assert all(modes[rule] is Mode.FLAG for rule in (Rule.DAY_OFF, Rule.OVER_DAILY_CAP, Rule.LATE_PRESS))


def test_zoho_refuses_as_zoho_documents() -> None:
    zoho = policy("zoho", rules=CLOSES)
    assert zoho.mode(Rule.DAY_OFF) is Mode.BLOCK
    strict = (Rule.OUTSIDE_ATTENDANCE, Rule.OVER_DAILY_CAP, Rule.OVER_ESTIMATE)
    assert [zoho.mode(rule) for rule in strict] == [Mode.STRICT] * 3
    assert zoho.mode(Rule.OVERLAP) is Mode.FLAG


def test_the_document_counts_before_its_preset() -> None:
    said = policy("zoho", rules=CLOSES | {"R09": {"mode": "off"}, "R11": {"mode": "flag"}})
    assert said.mode(Rule.DAY_OFF) is Mode.OFF
    assert said.mode(Rule.OVER_DAILY_CAP) is Mode.FLAG
    assert said.mode(Rule.OVER_ESTIMATE) is Mode.STRICT


def test_a_rule_with_a_limit_and_no_mode_keeps_the_mode_of_the_preset() -> None:
    assert policy(rules={"R11": {"billable_seconds_per_day": 28_800}}).mode(Rule.OVER_DAILY_CAP) is Mode.FLAG


def test_overlaps_have_modes_of_their_own() -> None:
    assert policy().overlap_mode is OverlapMode.FLAG
    assert policy(rules={"R13": {"mode": "stop_previous"}}).overlap_mode is OverlapMode.STOP_PREVIOUS
    assert policy(rules={"R13": {}}).overlap_mode is OverlapMode.FLAG


def test_a_limit_that_is_left_out_never_fires() -> None:
    assert policy().auto_close_seconds is None
    assert policy(rules=CLOSES).auto_close_seconds == 50_400


@pytest.mark.parametrize("rules", [{}, {"R16": {"long_running_seconds": 36_000}}])
def test_a_rule_that_may_refuse_a_pause_needs_an_automatic_stop(rules: dict[str, Any]) -> None:
    assert policy("zoho", rules=rules).unfit == _needs_an_end("R10, R11, R12")
    assert policy(rules={"R11": {"mode": "strict"}} | rules).unfit == _needs_an_end("R11")
    assert policy("zoho", rules=rules | CLOSES).unfit is None
    assert policy(rules=rules).unfit is None


def _needs_an_end(rules: str) -> str:
    return f"rules.R16.auto_close_seconds must be set while {rules} may refuse a pause"


def test_a_preset_whose_strict_rules_are_softened_needs_none() -> None:
    softened = {"R10": {"mode": "block"}, "R11": {"mode": "off"}, "R12": {"mode": "flag"}}
    assert policy("zoho", rules=softened).unfit is None


@pytest.mark.parametrize(
    "said",
    [
        {"zone": "Mars/Olympus"},
        {"zone": ""},
        {"preset": "acme"},
        {"mood": "good"},
        {"rules": {"R99": {}}},
        {"rules": {"R09": {"mode": "maybe"}}},
        {"rules": {"R13": {"mode": "strict"}}},
        {"rules": {"R11": {"billable_seconds_per_day": 0}}},
        {"rules": {"R15": {"locked_before": "soon"}}},
        {"weekend": [{"from": "2026-01-01", "days": "Friday"}]},
        {"weekend": [{"from": "2026-01-01", "days": "0,7"}]},
        {"weekend": [{"from": "2026-01-01", "days": "6,6"}]},
        {"weekend": [{"from": "2026-01-01", "days": ""}]},
        {"holidays": [{"day": "2026-02-30"}]},
    ],
)
def test_what_no_document_may_say(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        policy(**({"preset": "native"} | said))


def test_the_contracts_own_example_is_a_policy() -> None:
    example = """{"preset":"native", "zone":"Asia/Jerusalem", "timers_disabled":false,
      "weekend":[{"from":"2026-01-01","days":"6,7"}], "holidays":[{"day":"2026-04-02","name":"Passover"}],
      "rules":{"R09":{"mode":"block"}, "R11":{"mode":"strict","billable_seconds_per_day":28800},
      "R13":{"mode":"stop_previous"}, "R15":{"mode":"block","max_backdate_seconds":604800,"locked_before":"2026-06-01"},
      "R16":{"mode":"flag","long_running_seconds":36000,"auto_close_seconds":50400}}}"""
    document = POLICY.validate_json(example)
    assert POLICY.validate_json(POLICY.dump_json(document, by_alias=True)) == document
    assert document.mode(Rule.PAST_TIME) is Mode.BLOCK
