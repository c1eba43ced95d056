"""Policy documents: what one sets, what it leaves to its preset, and what is invalid."""

from datetime import date, timedelta
from typing import Any, Final

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.events.policy import HOLIDAYS_MAX, WEEKENDS_MAX, Mode, OverlapMode, Policy, Rules
from shared.events.rules import Rule

POLICY = TypeAdapter(Policy)
CLOSES = {"R16": {"auto_close_seconds": 50_400}}


def policy(preset: str = "native", **said: Any) -> Policy:  # noqa: ANN401 - documents hold any value
    return POLICY.validate_python({"preset": preset, "zone": "Asia/Jerusalem"} | said)


@pytest.mark.parametrize("preset", ["native", "thebase"])
def test_native_and_thebase_flag_what_they_do_not_refuse(preset: str) -> None:
    modes = {rule: policy(preset).mode(rule) for rule in Rule}
    assert {rule for rule, mode in modes.items() if mode is Mode.BLOCK} == {Rule.TIMERS_DISABLED}
    # A pause in the future is refused like a start. Only a stop is never refused.
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


def test_a_rule_with_a_limit_alone_keeps_the_presets_mode() -> None:
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
    assert policy("zoho", rules=rules).unfit == (_needs_an_end("R10, R11, R12"),)
    assert policy(rules={"R11": {"mode": "strict"}} | rules).unfit == (_needs_an_end("R11"),)
    assert policy("zoho", rules=rules | CLOSES).unfit == ()


def _needs_an_end(rules: str) -> str:
    return f"rules.R16.auto_close_seconds must be set while {rules} may refuse a pause"


@pytest.mark.parametrize("preset", ["native", "zoho"])
def test_a_limit_of_a_rule_that_is_off_stops_nothing_so_the_mode_is_named(preset: str) -> None:
    off = {"R11": {"mode": "strict"}, "R16": {"mode": "off", "auto_close_seconds": 50_400}}
    (why,) = policy(preset, rules=off).unfit
    assert why.startswith("rules.R16.mode must be flag while R")
    assert policy(preset, rules=off | CLOSES).unfit == ()


@pytest.mark.parametrize("rule", ["R08", "R09", "R10", "R11", "R12", "R20"])
def test_each_rule_that_can_refuse_a_pause_needs_an_automatic_stop(rule: str) -> None:
    strict = {rule: {"mode": "strict"}}
    assert policy(rules=strict).unfit == (_needs_an_end(rule),)
    assert policy(rules=strict | CLOSES).unfit == ()


def test_a_pause_refused_for_its_own_time_needs_no_automatic_stop() -> None:
    """It counts when it is sent again without that time."""
    assert policy(rules={"R14": {"mode": "strict"}}).unfit == ()


@pytest.mark.parametrize(
    ("rule", "mode", "modes"),
    [
        ("R15", "strict", "off, flag, block"),
        ("R16", "block", "off, flag"),
        ("R17", "strict", "off, flag"),
        ("R18", "block", "off, flag"),
    ],
)
def test_a_mode_that_a_rule_cannot_have_cannot_be_set(rule: str, mode: str, modes: str) -> None:
    """R16 to R18 refuse nothing. A tenant that set `block` would believe otherwise."""
    assert policy(rules={rule: {"mode": mode}}).unfit == (f"rules.{rule}.mode cannot be {mode}: it is one of {modes}",)
    assert policy(rules={rule: {"mode": "flag"}}).unfit == ()


def test_a_preset_with_softened_rules_needs_no_automatic_stop() -> None:
    softened = {"R10": {"mode": "block"}, "R11": {"mode": "off"}, "R12": {"mode": "flag"}}
    assert policy("zoho", rules=softened).unfit == ()


def test_every_rule_with_modes_can_be_set() -> None:
    assert policy().unfit == ()
    rules = {rule: {"mode": "off"} for rule in Rules.model_fields if rule != "R13"}
    for overlap in ("allow", "flag", "pause_previous", "stop_previous", "block"):
        assert policy("thebase", timers_disabled=True, rules={**rules, "R13": {"mode": overlap}}).unfit == ()


DAYS_366: Final = 366 * 24 * 3600


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("R11", "billable_seconds_per_day"),
        ("R15", "max_backdate_seconds"),
        ("R16", "long_running_seconds"),
        ("R16", "auto_close_seconds"),
    ],
)
def test_a_length_of_time_is_a_second_to_366_days(rule: str, limit: str) -> None:
    """An unbounded length overflows, and every press of that tenant would be our own failure."""
    for seconds in (1, DAYS_366):
        policy(rules={rule: {limit: seconds}})
    for seconds in (0, DAYS_366 + 1, 10**30):
        with pytest.raises(ValidationError):
            policy(rules={rule: {limit: seconds}})


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
        {"holidays": [{"day": 1_774_915_200}]},
        {"holidays": [{"day": "1774915200"}]},
        {"holidays": [{"day": "2026-03-31T00:00:00"}]},
        {"holidays": [{"day": "0001-01-01"}]},
        {"weekend": [{"from": 0, "days": "6,7"}]},
        {"rules": {"R15": {"locked_before": 1_774_915_200}}},
    ],
)
def test_an_invalid_document_is_refused(said: dict[str, Any]) -> None:
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


def test_a_list_that_nobody_needs_so_long_makes_a_document_unfit() -> None:
    """A program that adds days for ever, and all processes keep each document."""
    first = date(2020, 1, 1)
    holidays = [{"day": str(first + timedelta(days=number))} for number in range(HOLIDAYS_MAX + 1)]
    weekend = [{"from": str(first + timedelta(days=number)), "days": "6,7"} for number in range(WEEKENDS_MAX + 1)]
    assert policy(holidays=holidays[1:], weekend=weekend[1:]).unfit == ()
    assert policy(holidays=holidays, weekend=weekend).unfit == (
        "weekend may have at most 100 days, and has 101",
        "holidays may have at most 1000 days, and has 1001",
    )
