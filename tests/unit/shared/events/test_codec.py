"""Reading presses: which records are presses, which are not, and which only a newer version can read."""

import json

import pytest

from shared.events.codec import Newer, Press, Unreadable, read, write_body
from shared.events.models import (
    BODY_OF,
    AnyEvent,
    DeadlineReached,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
    OwnerTextsErased,
    TimerPaused,
    TimerResumed,
    TimerStarted,
    TimerStopped,
)
from tests.support.story.presses import ENVELOPE, NOON, STARTED, Headers, body, headers

SAID = STARTED.model_dump(include={"tenant", "actor", "dialect", "digest"})
EVERY: list[AnyEvent] = [
    STARTED,
    TimerStarted(**SAID, owner="dana", account_id="77", job_id="j", project_id="p", billable=False, zone_assumed=True),
    TimerPaused(**SAID),
    TimerResumed(**SAID, asked_at=NOON),
    TimerStopped(**SAID),
    OwnerProfileSet(**SAID, owner="dana", zone="Asia/Jerusalem", timers_disabled=False, active=True),
    OwnerLeaveGranted(**SAID, owner="dana", on=NOON.date()),
    OwnerLeaveRevoked(**SAID, owner="dana", on=NOON.date()),
    OwnerAttendanceRecorded(**SAID, owner="dana", on=NOON.date(), checked_in_at=NOON),
    OwnerEstimateSet(**SAID, owner="dana", job_id="j", seconds=0),
    OwnerTextsErased(**SAID, owner="dana"),
    DeadlineReached(**SAID, owner="dana"),
]


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.type)
def test_every_event_survives_the_journey(event: AnyEvent) -> None:
    found = read(headers(ce_type=event.type), write_body(event))
    assert isinstance(found, Press)
    assert found.event == event
    assert found.envelope.type == event.type


def test_every_type_of_the_contract_is_tried_above() -> None:
    assert {event.type for event in EVERY} == set(BODY_OF)


def test_a_body_leaves_defaults_out() -> None:
    assert b"billable" not in write_body(STARTED)
    assert b"asked_at" not in write_body(STARTED)
    assert b'"billable":false' in write_body(EVERY[1])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"not json", "body: json_invalid"),
        (b"", "body: json_invalid"),
        (b"null", "body: model_type"),
        (b"[]", "body: model_type"),
        (b"7", "body: model_type"),
        (b"[" * 100_000, "body: json_invalid"),  # deep nesting
        (b'{"a":' * 100_000, "body: json_invalid"),
        (b"\xff\xfe", "body: json_invalid"),
        (b'{"tenant":"\xff"}', "body: json_invalid"),  # invalid UTF-8 inside a string
        (b"\x00", "body: json_invalid"),
        (b'{"tenant":"a\x00b"}', "body: json_invalid"),
        (b'{"tenant":"\\ud800"}', "body: json_invalid"),  # half of a surrogate pair
        (None, "no_body"),  # a tombstone
        (b"{}", "body: missing at tenant"),
        (body(owner=""), "body: string_too_short at owner"),
        (body(owner="x" * 129), "body: string_too_long at owner"),
        (body(owner=7), "body: string_type at owner"),
        (body(tenant="a/b"), "body: string_pattern_mismatch at tenant"),
        (body(tenant="a\x00"), "body: string_pattern_mismatch at tenant"),
        (body(asked_at="2026-03-01T12:00:00"), "body: timezone_aware at asked_at"),
        (body(actor={"client": 7, "role": "machine"}), "body: string_type at actor.client"),
        (body(work_date=1772323200), "body: value_error at work_date"),
        (body(work_date="1772323200"), "body: value_error at work_date"),
        (body(reference=""), "body: string_pattern_mismatch at reference"),
        (body(reference="x" * 129), "body: string_pattern_mismatch at reference"),
        (body(reference="a\x00b"), "body: string_pattern_mismatch at reference"),
        (body(reference="a\n"), "body: string_pattern_mismatch at reference"),
        (body(reference=7), "body: string_type at reference"),
        (body(work_date="2026-02-30"), "body: date_from_datetime_parsing at work_date"),
    ],
)
def test_a_body_that_no_version_can_read_is_unreadable(value: bytes | None, reason: str) -> None:
    found = read(headers(), value)
    assert isinstance(found, Unreadable)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("record_headers", "reason"),
    [
        ([], "unknown_type"),
        (headers(ce_type=None), "unknown_type"),
        (headers(ce_type=""), "unknown_type"),
        (headers(ce_type="timer.started"), "unknown_type"),
        (headers(ce_type="invoice.sent.v1"), "unknown_type"),
        (headers(ce_type="timer.Started.v1"), "unknown_type"),
        (headers(ce_type="timer.started.v1\n"), "unknown_type"),
        (headers(ce_type=b"\xff"), "unknown_type"),
        (headers(ce_id=None), "envelope: header ce_id is missing"),
        (headers(ce_id="7"), "envelope: header ce_id does not read"),
        (headers(ce_id=b"\xff"), "envelope: header ce_id is missing"),
        (headers(ce_subject=None), "envelope: header ce_subject is missing"),
        (headers(ce_policyrev="9" * 5000), "envelope: header ce_policyrev does not read"),
    ],
)
def test_an_envelope_that_no_version_can_read_is_unreadable(record_headers: Headers, reason: str) -> None:
    assert read(record_headers, body()) == Unreadable(reason)


@pytest.mark.parametrize("type_", ["timer.started.v2", "timer.merged.v1", "owner.moved_on.v12", "deadline.missed.v1"])
def test_an_unknown_type_of_a_known_shape_is_newer(type_: str) -> None:
    assert read(headers(ce_type=type_), b"whatever it is") == Newer(type_)


def test_a_body_whose_only_fault_is_a_field_too_many_is_newer() -> None:
    assert read(headers(), body(mood="good")) == Newer("timer.started.v1")
    assert read(headers(), body(actor={"client": "desk", "role": "machine", "device": "watch"})) == Newer(
        "timer.started.v1"
    )


def test_a_body_whose_only_fault_is_an_unknown_word_is_newer() -> None:
    """A later release may know more roles. A dead letter would lose an acknowledged press."""
    assert read(headers(), body(actor={"client": "desk", "role": "kiosk"})) == Newer("timer.started.v1")
    assert read(headers(), body(actor={"client": "desk", "role": "kiosk"}, mood="good")) == Newer("timer.started.v1")


def test_an_unknown_field_or_word_does_not_excuse_another_fault() -> None:
    assert read(headers(), body(mood="good", owner="")) == Unreadable("body: string_too_short at owner")
    strange = body(actor={"client": "desk", "role": "kiosk"}, owner="")
    assert read(headers(), strange) == Unreadable("body: string_too_short at owner")


def test_a_deadline_without_an_expiry_is_unreadable() -> None:
    """A broker clock that jumps ahead must not stop timers at limits that are not due until tomorrow."""
    deadline = json.dumps(json.loads(body()) | {"owner": "dana"}).encode()
    said = headers(ce_type="deadline.reached.v1", ce_subject=None, ce_expirytime=None)
    assert read(said, deadline) == Unreadable("envelope: header ce_expirytime is missing")
    assert isinstance(read(headers(ce_type="deadline.reached.v1"), deadline), Press)


def test_a_reason_quotes_nothing_of_the_record() -> None:
    canary = "canary-7f3a"
    for changed in ({"owner": [canary]}, {canary: 1, "owner": ""}, {"asked_at": canary}, {"dialect": {canary: 1}}):
        found = read(headers(ce_correlationid=canary), body(**changed))
        assert isinstance(found, Unreadable)
        assert canary not in found.reason


@pytest.mark.parametrize(
    "odd",
    [("x-null", None), ("x-bytes", b"\xff\xfe"), ("traceparent", b"\xff"), ("x-large", b"x" * 1024 * 1024), ("", b"")],
    ids=["null", "no text", "no text in a known one", "1 MB", "no name"],
)
def test_an_odd_header_loses_no_press(odd: tuple[str, bytes | None]) -> None:
    found = read([*headers(), odd], body())
    assert isinstance(found, Press)
    assert found.event == STARTED
    assert found.envelope.event_id == ENVELOPE.event_id


def test_a_reply_partition_of_5000_digits_loses_no_press() -> None:
    in_three = {"reply_to": "timer.replies.payroll", "reply_partition": "9" * 5000, "request_id": "r-1"}
    for changed in ({"reply": "9" * 5000}, {"reply": "9" * 5000 + "/r-1"}, {"reply": None} | in_three):
        assert isinstance(read(headers(**changed), body()), Press)


@pytest.mark.parametrize("type_", ["owner.texts_erased.v1", "deadline.reached.v1"])
def test_an_owner_event_needs_no_timer(type_: str) -> None:
    event = next(event for event in EVERY if event.type == type_)
    assert isinstance(read(headers(ce_type=type_, ce_subject=None), write_body(event)), Press)


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.type)
def test_a_press_alone_is_about_the_timer_that_a_header_names(event: AnyEvent) -> None:
    """A fact with a timer would be packed like a press, and an erasure is looked for among what is not packed."""
    found = read(headers(ce_type=event.type), write_body(event))
    assert isinstance(found, Press)
    assert found.envelope.subject == (ENVELOPE.subject if event.type.startswith("timer.") else None)


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.type)
def test_an_owner_in_the_place_of_a_timer_is_unreadable_on_every_event(event: AnyEvent) -> None:
    """CloudEvents would allow it, and other teams write facts: the contract says what becomes of one."""
    found = read(headers(ce_type=event.type, ce_subject="dana"), write_body(event))
    assert found == Unreadable("envelope: header ce_subject does not read")
