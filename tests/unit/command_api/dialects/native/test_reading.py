"""Dialect C: the bodies of presses."""

import json
from datetime import UTC, date, datetime

import pytest

from services.command_api.desk.commands import AskedTime, PressTimer, StartTimer
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.native.reading import Verb, read_press, read_start
from shared.events.rules import Rule
from tests.support.fakes.desks import (
    ANY_TIME,
    LONG,
    SHORT,
)


def test_a_start_says_all_that_was_given() -> None:
    said = {
        "owner": 7,
        "account_id": 2**127,
        "job_id": "J",
        "project_id": "P",
        "billable": False,
        "work_date": "2026-03-01",
        "comment": "c",
        "work_item": "w",
        "at": "2026-03-01T09:00:00+02:00",
        "reference": "הזמנה 7/a",
    }
    assert read_start(json.dumps(said).encode(), ANY_TIME) == StartTimer(
        owner="7",
        account_id=str(2**127),
        job_id="J",
        project_id="P",
        billable=False,
        work_date=date(2026, 3, 1),
        comment="c",
        work_item="w",
        at=AskedTime(datetime(2026, 3, 1, 7, tzinfo=UTC), "2026-03-01T09:00:00+02:00"),
        reference="הזמנה 7/a",
    )


def test_empty_and_null_are_not_given() -> None:
    names = ("account_id", "job_id", "project_id", "work_date", "comment", "work_item", "at", "reference")
    said = dict.fromkeys(names, "")
    assert read_start(json.dumps(said | {"owner": "dana", "billable": None}).encode(), ANY_TIME) == StartTimer("dana")


@pytest.mark.parametrize(
    ("said", "rule", "parameter"),
    [
        ({}, Rule.PARAMETER_MISSING, "owner"),
        ({"owner": "dana", "at": "2026-03-01T09:00:00"}, Rule.VALUE_INVALID, "at"),
        ({"owner": "dana", "at": "2019-12-31T23:59:59Z"}, Rule.VALUE_INVALID, "at"),
        ({"owner": "dana", "work_date": "2026-02-29"}, Rule.VALUE_INVALID, "work_date"),
        ({"owner": "dana", "work_date": "20260301"}, Rule.VALUE_INVALID, "work_date"),
        ({"owner": "dana", "billable": 1}, Rule.VALUE_INVALID, "billable"),
        ({"owner": "dana", "billable": "false"}, Rule.VALUE_INVALID, "billable"),
        ({"owner": "dana", "<script>": 1}, Rule.VALUE_INVALID, "body"),
        ({"owner": "dana", "work_item": "x" * 501}, Rule.TEXT_TOO_LONG, "work_item"),
        ({"owner": "x" * 129}, Rule.TEXT_TOO_LONG, "owner"),
        ({"owner": "dana", "reference": "x" * 129}, Rule.TEXT_TOO_LONG, "reference"),
        ({"owner": "dana", "reference": "a\nb"}, Rule.VALUE_INVALID, "reference"),
        ({"owner": "dana", "reference": "a\n"}, Rule.VALUE_INVALID, "reference"),
        ({"owner": "dana", "reference": "\x00"}, Rule.VALUE_INVALID, "reference"),
        ({"owner": "dana", "reference": "\x85"}, Rule.VALUE_INVALID, "reference"),
        ({"owner": "dana", "reference": True}, Rule.VALUE_INVALID, "reference"),
        ({"owner": "dana", "reason": "lunch"}, Rule.VALUE_INVALID, "body"),
    ],
)
def test_a_malformed_start_names_its_rule_and_parameter(said: dict[str, object], rule: Rule, parameter: str) -> None:
    read = read_start(json.dumps(said).encode(), ANY_TIME)
    assert isinstance(read, Malformed)
    assert (read.rule, read.parameter) == (rule, parameter)


@pytest.mark.parametrize("body", [b"", b" ", b"null", b"{}", b" { }", b"[]", b"[ ]\n", b'{"at":""}'])
def test_a_press_needs_no_body(body: bytes) -> None:
    assert read_press("pause", LONG, body, ANY_TIME) == PressTimer("pause", SHORT)


def test_a_press_may_say_when_it_happened_even_before_2020() -> None:
    assert read_press("stop", LONG, b'{"at":"2019-01-01T00:00:00Z"}', ANY_TIME) == PressTimer(
        "stop", SHORT, AskedTime(datetime(2019, 1, 1, tzinfo=UTC), "2019-01-01T00:00:00Z")
    )


def test_a_reference_may_be_a_bare_number_and_128_characters() -> None:
    numbered = read_start(b'{"owner":"dana","reference":7}', ANY_TIME)
    longest = read_start(_started_as("é" * 128), ANY_TIME)
    assert (numbered, longest) == (StartTimer("dana", reference="7"), StartTimer("dana", reference="é" * 128))


def _started_as(reference: str) -> bytes:
    return json.dumps({"owner": "dana", "reference": reference}).encode()


@pytest.mark.parametrize("code", ["lunch", "CALL_2-b", "x" * 32])
def test_a_pause_may_say_why_with_a_code(code: str) -> None:
    body = json.dumps({"reason": code}).encode()
    assert read_press("pause", LONG, body, ANY_TIME) == PressTimer("pause", SHORT, reason=code)


@pytest.mark.parametrize(
    ("verb", "reason", "rule", "parameter"),
    [
        ("pause", "x" * 33, Rule.TEXT_TOO_LONG, "reason"),
        ("pause", "to lunch", Rule.VALUE_INVALID, "reason"),
        ("pause", "lunch\n", Rule.VALUE_INVALID, "reason"),
        ("pause", "צהריים", Rule.VALUE_INVALID, "reason"),
        ("pause", 7, Rule.VALUE_INVALID, "reason"),
        ("resume", "lunch", Rule.VALUE_INVALID, "body"),
        ("stop", "lunch", Rule.VALUE_INVALID, "body"),
    ],
)
def test_a_reason_that_is_no_code_or_not_of_a_pause_is_malformed(
    verb: Verb, reason: object, rule: Rule, parameter: str
) -> None:
    read = read_press(verb, LONG, json.dumps({"reason": reason}).encode(), ANY_TIME)
    assert isinstance(read, Malformed)
    assert (read.rule, read.parameter) == (rule, parameter)


@pytest.mark.parametrize("body", [b"[0]", b"[[]]", b"{", b'{"at":"now"}', b'{"at":7}', b'{"owner":"dana"}'])
def test_a_press_with_another_body_is_malformed(body: bytes) -> None:
    assert isinstance(read_press("stop", LONG, body, ANY_TIME), Malformed)
