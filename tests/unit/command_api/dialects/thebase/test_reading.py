"""Dialect A: the body of a start."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import hypothesis
import pytest
from hypothesis import strategies as st

from services.command_api.desk.commands import AskedTime, StartTimer
from services.command_api.dialects.malformed import Malformed
from services.command_api.dialects.thebase.reading import read_start
from shared.events.rules import Rule
from tests.support.fakes.desks import ANY_TIME

JERUSALEM = replace(ANY_TIME, zone_name="Asia/Jerusalem")
SEED_START = b"""{
    "account_id": "",
    "start_time": "",
    "owner": "253960413951646409173244928790043995930",
    "comment": "my first timer"
}"""


def test_the_published_body_is_read() -> None:
    assert read_start(SEED_START, JERUSALEM) == StartTimer(
        owner="253960413951646409173244928790043995930", comment="my first timer"
    )


@hypothesis.given(st.integers(0, 2**128 - 1))
def test_bare_integers_are_their_decimal_text(number: int) -> None:
    body = b'{"owner":%d,"account_id":%d}' % (number, number)
    assert read_start(body, JERUSALEM) == StartTimer(owner=str(number), account_id=str(number))


@pytest.mark.parametrize("spelt", ["007", "7", "dana", "שלום", "x" * 128])
def test_owners_are_text(spelt: str) -> None:
    assert read_start(json.dumps({"owner": spelt}).encode(), JERUSALEM) == StartTimer(owner=spelt)


@pytest.mark.parametrize("body", [b"{}", b'{"owner":""}', b'{"owner":null}', b'{"owner":"","comment":7}'])
def test_no_owner_is_a_missing_parameter_whatever_else_is_wrong(body: bytes) -> None:
    assert read_start(body, JERUSALEM) == Malformed(Rule.PARAMETER_MISSING, "owner")


@pytest.mark.parametrize(
    "owner",
    [
        b"1.0",
        b"1e3",
        b"-1",
        b"true",
        b"[]",
        b"{}",
        b'"a\\u0000"',
        b"340282366920938463463374607431768211456",
        b"9" * 4000,
    ],
)
def test_an_owner_that_is_no_id_is_invalid(owner: bytes) -> None:
    assert read_start(b'{"owner":%b}' % owner, JERUSALEM) == Malformed(Rule.VALUE_INVALID, "owner")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"owner=1",
        b'{"owner":"\\ud800"}',
        b'{"owner":"7","comment":"\\udc00 \\ud800\\u0041"}',
        b'{"owner":"\xff"}',
        b"[" * 9000,
        b'{"owner":%b}' % (b"9" * 5000),
    ],
)
def test_a_body_that_is_not_a_json_object_is_invalid(body: bytes) -> None:
    assert read_start(body, JERUSALEM) == Malformed(Rule.VALUE_INVALID, "body")


def test_a_comment_has_at_most_4000_characters() -> None:
    kept = read_start(json.dumps({"owner": "7", "comment": "ש" * 4000}).encode(), JERUSALEM)
    assert kept == StartTimer(owner="7", comment="ש" * 4000)
    assert read_start(json.dumps({"owner": "7", "comment": "x" * 4001}).encode(), JERUSALEM) == Malformed(
        Rule.TEXT_TOO_LONG, "comment"
    )


@pytest.mark.parametrize(
    ("spelt", "instant", "assumed"),
    [
        ("2026-03-01T09:00:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC), False),
        ("2026-03-01t09:00z", datetime(2026, 3, 1, 9, tzinfo=UTC), False),
        ("2026-03-01 09:00:00.1234567+02:00", datetime(2026, 3, 1, 7, 0, 0, 123456, tzinfo=UTC), False),
        ("2026-03-01T09:00:00,5+02", datetime(2026, 3, 1, 7, 0, 0, 500_000, tzinfo=UTC), False),
        ("2026-03-01T09:00:00-0330", datetime(2026, 3, 1, 12, 30, tzinfo=UTC), False),
        ("2026-03-01T09:00:00", datetime(2026, 3, 1, 7, tzinfo=UTC), True),
        ("2026-10-25T01:30:00", datetime(2026, 10, 24, 22, 30, tzinfo=UTC), True),  # twice: the first
        ("2026-03-27T02:30:00", datetime(2026, 3, 27, 0, 30, tzinfo=UTC), True),  # skipped: forward by the gap
        ("2020-01-01T00:00:00Z", datetime(2020, 1, 1, tzinfo=UTC), False),
        ("2026-03-01T09:00:00+05:45", datetime(2026, 3, 1, 3, 15, tzinfo=UTC), False),
        ("2026-03-01T09:00:00-00:00", datetime(2026, 3, 1, 9, tzinfo=UTC), False),
        ("2028-02-29T09:00:00Z", datetime(2028, 2, 29, 9, tzinfo=UTC), False),
        ("2028-02-29T00:30:00", datetime(2028, 2, 28, 22, 30, tzinfo=UTC), True),
        (
            "2026-03-01T09:00:00.999999999Z",
            datetime(2026, 3, 1, 9, 0, 0, 999_999, tzinfo=UTC),
            False,
        ),  # cut, not rounded
    ],
)
def test_start_time_is_an_instant(spelt: str, instant: datetime, *, assumed: bool) -> None:
    body = json.dumps({"owner": "7", "start_time": spelt}).encode()
    assert read_start(body, JERUSALEM) == StartTimer(owner="7", at=AskedTime(instant, spelt, zone_assumed=assumed))


@pytest.mark.parametrize(
    "spelt",
    [
        "yesterday",
        "2026-03-01",
        "2026-02-30T09:00:00Z",
        "2026-02-29T09:00:00Z",
        "2100-02-29T09:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T23:59:60Z",
        "2026-03-01T09:00:00+24:00",
        "2026-03-01T09:00:00+02:60",
        "2026-03-01T09:00:00.1234567890Z",
        "٢٠٢٦-03-01T09:00:00Z",
        "2026-03-01T09:00:00Z\n",
        "2019-12-31T23:59:59.999999Z",
        "2020-01-01T01:59:59",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59-12:00",
        "1772355600",
    ],
)
def test_a_start_time_that_is_none_or_before_2020_is_invalid(spelt: str) -> None:
    body = json.dumps({"owner": "7", "start_time": spelt}).encode()
    assert read_start(body, JERUSALEM) == Malformed(Rule.VALUE_INVALID, "start_time")


def test_year_9999_is_a_time_like_any_other() -> None:
    read = read_start(b'{"owner":"7","start_time":"9999-12-31T23:59:59Z"}', JERUSALEM)
    assert isinstance(read, StartTimer)


def test_a_start_without_time_claims_no_moment() -> None:
    read = read_start(b'{"owner":"7","start_time":null}', JERUSALEM)
    assert isinstance(read, StartTimer)
    assert read.at is None
