"""The envelope: what is written into the headers of a record is read from them again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.events.envelope import (
    Envelope,
    MalformedEnvelopeError,
    ReplyAddress,
    decode_headers,
    encode_headers,
    timestamp,
    tolerant,
)
from tests.support.story.presses import ENVELOPE, EVENT_ID, NOON, headers

BARE = Envelope(event_id=EVENT_ID, type="deadline.reached.v1", recorded_at=NOON, policy_rev=-1)
# A service that commands over Kafka waits on a topic of its own.
ELSEWHERE = replace(ENVELOPE, reply=ReplyAddress("timer.replies.payroll", 17, "r-1"))
IN_THREE = {"reply_to": "timer.replies.payroll", "reply_partition": "17", "request_id": "r-1"}


@pytest.mark.parametrize(
    "envelope", [ENVELOPE, ELSEWHERE, BARE], ids=["with everything", "of a service", "with what it must have"]
)
def test_an_envelope_survives_the_journey(envelope: Envelope) -> None:
    assert decode_headers(tolerant(encode_headers(envelope))) == envelope


def test_the_headers_are_those_of_cloudevents_on_kafka() -> None:
    assert encode_headers(BARE) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"019ca9d4-5e00-7000-8000-000000000001"),
        ("ce_type", b"deadline.reached.v1"),
        ("ce_source", b"/stint/command-api"),
        ("ce_time", b"2026-03-01T12:00:00.000000Z"),
        ("ce_policyrev", b"-1"),
        ("content-type", b"application/json"),
    ]


def test_a_moment_is_written_in_utc_whatever_zone_it_came_in() -> None:
    in_jerusalem = NOON.astimezone(timezone(timedelta(hours=2)))
    assert timestamp(in_jerusalem) == timestamp(NOON) == "2026-03-01T12:00:00.000000Z"


def test_a_moment_keeps_its_microseconds() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
    assert decode_headers(tolerant(headers(ce_time=timestamp(moment)))).recorded_at == moment


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_time", "ce_policyrev"])
def test_a_header_that_must_be_there_is_missed_by_name(name: str) -> None:
    with pytest.raises(MalformedEnvelopeError, match=f"header {name} is missing"):
        decode_headers(tolerant(headers(**{name: None})))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_id", "7"),
        ("ce_time", "yesterday"),
        ("ce_time", "2026-03-01T12:00:00"),  # in which zone?
        ("ce_time", "0001-01-01T00:00:00+14:00"),
        ("ce_policyrev", "x"),
        ("ce_policyrev", ""),
        ("ce_policyrev", "9" * 5000),
        ("ce_subject", "-1"),
        ("ce_subject", str(2**63)),
        ("ce_subject", "dana"),
        ("ce_expirytime", "soon"),
    ],
)
def test_a_malformed_header_is_named_and_not_quoted(name: str, value: str) -> None:
    with pytest.raises(MalformedEnvelopeError, match=f"^header {name} does not read$"):
        decode_headers(tolerant(headers(**{name: value})))


def test_null_and_undecodable_headers_are_left_out_and_cost_nothing_else() -> None:
    odd: list[tuple[str, bytes | None]] = [("x-null", None), ("x-bytes", b"\xff\xfe"), ("ce_correlationid", b"\xff")]
    assert tolerant([("x", b"1"), *odd]) == {"x": "1"}


@pytest.mark.parametrize(
    "changed",
    [
        {"reply_to": None},
        {"reply_partition": None},
        {"request_id": None},
        {"reply_partition": "x"},
        {"reply_partition": "-1"},
        {"reply_partition": ""},
        {"reply_partition": "9" * 5000},
        {"reply_partition": "\u00b2"},
        {"reply_to": b"\xff"},
        {"reply": "17"},
        {"reply": "x/r-1"},
        {"reply": "-1/r-1"},
        {"reply": "/r-1"},
        {"reply": ""},
        {"reply": "9" * 5000 + "/r-1"},
        {"reply": "\u00b2/r-1"},
    ],
)
def test_a_malformed_reply_address_loses_the_answer_and_not_the_press(changed: dict[str, str | bytes | None]) -> None:
    envelope = decode_headers(tolerant(headers(**{"reply": None} | IN_THREE | changed)))
    assert envelope.reply is None
    assert envelope.event_id == EVENT_ID


def test_a_reply_address_is_where_one_waiter_waits() -> None:
    assert decode_headers(tolerant(headers())).reply == ReplyAddress("timer.replies.v1", 17, "r-1")
    assert decode_headers(tolerant(headers(reply=None, **IN_THREE))).reply == ELSEWHERE.reply


def test_our_own_reply_address_is_one_header_and_a_services_are_three() -> None:
    said = dict(encode_headers(ENVELOPE))
    assert (said["reply"], said.keys() & IN_THREE.keys()) == (b"17/r-1", set())
    elsewhere = tolerant(encode_headers(ELSEWHERE))
    assert {name: elsewhere.get(name) for name in ("reply", *IN_THREE)} == {"reply": None} | IN_THREE


def test_the_reply_address_of_the_release_before_is_read() -> None:
    """Its events are on the log, and its processes press beside ours during an upgrade."""
    before = {"reply_to": "timer.replies.v1", "reply_partition": "17", "request_id": "r-1"}
    assert decode_headers(tolerant(headers(reply=None, **before))).reply == ENVELOPE.reply


def test_an_event_with_an_address_of_both_kinds_is_answered_at_the_own_one() -> None:
    assert decode_headers(tolerant(headers(**IN_THREE))).reply == ENVELOPE.reply
