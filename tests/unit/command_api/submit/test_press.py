"""Press: ids, digests and bodies, which must be the same in every process for thirty days."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import hypothesis
import hypothesis.strategies as st
import pytest

from services.command_api.desk.commands import Asked, AskedTime, Caller, Command, PressTimer, StartTimer
from services.command_api.submit.press import OutgoingPress, digest, press_of
from shared.events import codec
from shared.events.envelope import ReplyAddress
from shared.events.idempotency import digest_of
from shared.events.ids import TimerIds, slot_of, slot_of_timer
from shared.events.models import Actor, TimerPaused, TimerStarted
from shared.events.texts import TIMER_TEXT, TimerText

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MACHINE = Caller("acme", "desk", "machine")
PERSON = Caller("acme", "person:dana", "person", "dana")
AT = AskedTime(datetime(2026, 3, 1, 11, tzinfo=UTC), "2026-03-01T13:00:00+02:00", zone_assumed=True)
START = StartTimer(owner="dana", account_id="7", comment="first", at=AT)


def made(command: Command, caller: Caller = MACHINE, key: str | None = "k1", **more: Any) -> OutgoingPress:  # noqa: ANN401
    asked = Asked(command, caller, more.get("dialect", "native"), key, traceparent=more.get("traceparent"))
    return press_of(asked, now=more.get("now", NOW), expires_after=timedelta(seconds=30))


def test_a_key_gives_one_event_id_at_any_time_in_any_dialect() -> None:
    first = made(START)
    again = made(dataclasses.replace(START, comment="other"), dialect="thebase", now=NOW + timedelta(days=3))
    # Written out, because another release must find the same event under the same key.
    assert first.event_id == again.event_id == UUID("17ca2b84-f544-5679-9fc3-a99d2fe384b5")


@pytest.mark.parametrize(
    ("command", "caller", "key"),
    [
        (dataclasses.replace(START, owner="dan"), MACHINE, "k1"),
        (START, MACHINE, "k2"),
        (START, Caller("acme", "other", "machine"), "k1"),
        (START, Caller("acme2", "desk", "machine"), "k1"),
        (START, PERSON, "k1"),
        (PressTimer("stop", 1 << 40), MACHINE, "k1"),
    ],
)
def test_another_target_key_client_or_tenant_gives_another(command: Command, caller: Caller, key: str) -> None:
    assert made(command, caller, key).event_id != made(START).event_id


def test_two_verbs_under_one_key_differ_in_their_digests_alone() -> None:
    pause, stop = made(PressTimer("pause", 5)), made(PressTimer("stop", 5))
    assert pause.event_id == stop.event_id
    assert pause.event.digest != stop.event.digest


def test_without_a_key_every_press_is_its_own() -> None:
    first, second = made(START, key=None), made(START, key=None)
    assert first.event_id != second.event_id
    assert first.event_id.version == second.event_id.version == 7


def test_the_digest_covers_the_request_under_our_names() -> None:
    given: dict[str, str | bool | None] = {
        "account_id": "7",
        "job_id": "j",
        "project_id": "p",
        "billable": False,
        "work_date": "2026-03-01",
        "at": "2026-03-01T13:00:00+02:00",
    }
    start = StartTimer("dana", "7", "j", "p", False, date(2026, 3, 1), "c", "w", AT)  # noqa: FBT003
    assert digest(start) == digest_of("start", "dana", given)
    assert digest(PressTimer("resume", 123, AT)) == digest_of("resume", "123", {"at": AT.spelt})
    assert digest(PressTimer("resume", 123)) == digest_of("resume", "123", {})


def test_a_reference_and_a_reason_count_in_the_digest_only_when_given() -> None:
    """A press without them has the digest that earlier releases gave it, so its retry is still a retry."""
    start = dataclasses.replace(START, reference="crm/7")
    assert digest(start) == digest_of("start", "dana", {"account_id": "7", "at": AT.spelt, "reference": "crm/7"})
    assert digest(dataclasses.replace(START, reference="")) == digest(START)
    assert digest(START) == digest_of("start", "dana", {"account_id": "7", "at": AT.spelt})
    assert digest(PressTimer("pause", 5, reason="lunch")) == digest_of("pause", "5", {"reason": "lunch"})
    assert digest(PressTimer("pause", 5)) == digest_of("pause", "5", {})


def test_the_digest_says_nothing_of_free_text() -> None:
    """The digest is in a public stream for ever, so an erased comment could be guessed from it."""
    bare = StartTimer("dana", job_id="j")
    assert digest(dataclasses.replace(bare, comment="therapy", work_item="room 7")) == digest(bare)


def test_empty_means_absent_but_an_absent_billable_is_no_value() -> None:
    """`billable: true` has another digest than no `billable`."""
    assert digest(StartTimer("dana", account_id="", comment="")) == digest(StartTimer("dana"))
    assert digest(StartTimer("dana", billable=True)) != digest(StartTimer("dana"))


def test_the_spelling_of_a_time_counts_in_the_digest() -> None:
    other = dataclasses.replace(AT, spelt="2026-03-01T11:00:00Z")
    assert digest(PressTimer("stop", 1, AT)) != digest(PressTimer("stop", 1, other))


def test_a_start_says_all_but_its_texts() -> None:
    start = dataclasses.replace(START, work_item="canary", billable=False, work_date=date(2026, 3, 1), job_id="")
    start = dataclasses.replace(start, reference="crm/7")
    event = made(start, PERSON, dialect="zoho").event
    assert event == TimerStarted(
        tenant="acme",
        actor=Actor(client="person:dana", person="dana", role="person"),
        dialect="zoho",
        digest=digest(start),
        asked_at=AT.instant,
        owner="dana",
        account_id="7",
        billable=False,
        work_date=date(2026, 3, 1),
        zone_assumed=True,
        reference="crm/7",
    )
    body = made(start, PERSON).body()
    assert b"first" not in body
    assert b"canary" not in body


def test_a_text_names_its_owner_and_start() -> None:
    """A press without words has no text."""
    press = made(START)
    assert press.text is not None
    assert TIMER_TEXT.validate_json(press.text) == TimerText(
        tenant="acme", owner="dana", event_id=press.event_id, comment="first"
    )
    assert made(StartTimer("dana", comment="", work_item="")).text is None
    assert made(PressTimer("stop", 1)).text is None


def test_a_start_and_its_later_presses_share_the_owners_slot() -> None:
    slot = slot_of("acme", "dana")
    timer_id = TimerIds(lambda: NOW).draw(slot)
    assert made(START).slot == made(PressTimer("stop", timer_id)).slot == slot == slot_of_timer(timer_id)


def test_a_retry_with_another_id_keeps_its_event_id() -> None:
    press = made(START)
    for drawn in (1, 2):  # a retry with another id is the same request
        headers = dict(press.headers(drawn, 3, ReplyAddress("timer.replies.v1", 5, f"r-{drawn}")))
        # Left out, it is the record's own id, which the caller knows: no byte of a press says it twice.
        assert headers["ce_id"] == str(press.event_id).encode()
        assert "ce_correlationid" not in headers


def test_an_ordinary_press_takes_half_a_kilobyte_of_the_log() -> None:
    """The log is kept for ever. A header or a field for every press is paid by all of them: is it told elsewhere?"""
    for command in (StartTimer("dana", account_id="A-1"), PressTimer("stop", 1 << 62)):
        press = made(command)
        headers = press.headers(1 << 62, 12, ReplyAddress("timer.replies.v1", 31, "0123456789ab-123456"))
        framed = sum(2 + len(name) + len(value) for name, value in headers)  # two lengths of a byte each
        assert len(press.key(1 << 62)) + len(press.body()) + framed <= 510


def test_a_written_press_reads_back_the_same() -> None:
    press = made(PressTimer("pause", 1 << 41, AT, "lunch"), traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    headers = press.headers(1 << 41, 3, ReplyAddress("timer.replies.v1", 5, "r-1"))
    read = codec.read(headers, press.body())
    assert isinstance(read, codec.Press)
    assert read.event == press.event
    assert isinstance(read.event, TimerPaused)
    assert read.event.reason == "lunch"
    assert read.envelope.event_id == press.event_id
    assert read.envelope.subject == 1 << 41
    assert read.envelope.recorded_at == NOW
    assert read.envelope.expires_at == NOW + timedelta(seconds=30)
    assert read.envelope.policy_rev == 3
    assert read.envelope.reply == ReplyAddress("timer.replies.v1", 5, "r-1")
    assert read.envelope.traceparent == press.traceparent


texts = st.none() | st.text(max_size=20)


@hypothesis.given(
    owner=st.text(min_size=1, max_size=128), key=st.text(min_size=1, max_size=40), comment=texts, item=texts
)
def test_a_retry_of_any_start_is_the_same_press(owner: str, key: str, comment: str | None, item: str | None) -> None:
    command = StartTimer(owner, comment=comment, work_item=item)
    first, again = made(command, key=key), made(command, key=key, now=NOW + timedelta(minutes=5))
    assert (first.event_id, first.event, first.slot, first.text) == (
        again.event_id,
        again.event,
        again.slot,
        again.text,
    )
