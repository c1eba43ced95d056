"""Facts: ids, digests and events of what is stated about an owner."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.command_api.desk.commands import (
    Asked,
    AskedTime,
    Caller,
    Command,
    EraseTexts,
    FactCommand,
    RecordAttendance,
    SetEstimate,
    SetLeave,
    SetProfile,
    StartTimer,
)
from services.command_api.submit.press import OutgoingPress, digest, press_of
from shared.events import codec
from shared.events.envelope import ReplyAddress
from shared.events.idempotency import digest_of
from shared.events.ids import slot_of
from shared.events.models import (
    Actor,
    OwnerAttendanceRecorded,
    OwnerEstimateSet,
    OwnerFact,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
    OwnerTextsErased,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADMIN = Caller("acme", "office", "admin")
ON = date(2026, 4, 2)
IN = AskedTime(datetime(2026, 4, 2, 6, tzinfo=UTC), "2026-04-02T09:00:00+03:00")
OUT = AskedTime(datetime(2026, 4, 2, 14, tzinfo=UTC), "2026-04-02T17:00:00+03:00")
PROFILE = SetProfile("dana", zone="Europe/Berlin", active=False)
WINDOW = RecordAttendance("dana", ON, IN, OUT)
SAID = {"tenant": "acme", "actor": Actor(client="office", role="admin"), "dialect": "native", "owner": "dana"}


def made(command: Command, key: str | None = "k1", caller: Caller = ADMIN) -> OutgoingPress:
    return press_of(Asked(command, caller, "native", key), now=NOW, expires_after=timedelta(seconds=30))


@pytest.mark.parametrize(
    ("command", "event", "said"),
    [
        (PROFILE, OwnerProfileSet, {"zone": "Europe/Berlin", "active": False}),
        (SetProfile("dana"), OwnerProfileSet, {}),
        (SetLeave("dana", ON, granted=True), OwnerLeaveGranted, {"on": ON}),
        (SetLeave("dana", ON, granted=False), OwnerLeaveRevoked, {"on": ON}),
        (
            WINDOW,
            OwnerAttendanceRecorded,
            {"on": ON, "checked_in_at": IN.instant, "checked_out_at": OUT.instant},
        ),
        (RecordAttendance("dana", ON, IN), OwnerAttendanceRecorded, {"on": ON, "checked_in_at": IN.instant}),
        (SetEstimate("dana", "J-1", 7200), OwnerEstimateSet, {"job_id": "J-1", "seconds": 7200}),
        (EraseTexts("dana"), OwnerTextsErased, {}),
    ],
)
def test_a_statement_is_written_as_its_event_and_reads_back(
    command: FactCommand, event: type[OwnerFact], said: dict[str, object]
) -> None:
    press = made(command)
    assert press.event == event.model_validate(SAID | said | {"digest": digest(command)})
    assert (press.slot, press.timer_id, press.text, press.draws_an_id) == (slot_of("acme", "dana"), None, None, False)
    read = codec.read(press.headers(None, 3, ReplyAddress("timer.replies.v1", 5, "r-1")), press.body())
    assert isinstance(read, codec.Press)
    assert (read.event, read.envelope.subject) == (press.event, None)
    assert read.envelope.expires_at == NOW + timedelta(seconds=30)


def test_a_fact_lies_under_its_tenant_and_owner() -> None:
    assert made(PROFILE).key(None) == b"acme/dana"
    assert made(StartTimer("dana")).key(7) == b"7"


def test_the_keys_of_facts_belong_to_tenant_client_and_owner() -> None:
    # Written out, because another release must find the same event under the same key.
    assert made(PROFILE).event_id == UUID("4a6c69e2-7b0b-5a65-9e71-3cabc2012a61")
    # A start for the same owner under the same key is the same target: R24 tells the two apart.
    assert made(PROFILE).event_id == made(EraseTexts("dana")).event_id == made(StartTimer("dana")).event_id
    others = [
        made(dataclasses.replace(PROFILE, owner="noa")),
        made(PROFILE, "k2"),
        made(PROFILE, caller=Caller("acme", "other", "admin")),
        made(PROFILE, caller=Caller("acme2", "office", "admin")),
        made(PROFILE, None),
    ]
    assert made(PROFILE).event_id not in {other.event_id for other in others}


def test_the_digest_covers_what_was_stated() -> None:
    assert digest(PROFILE) == digest_of("profile", "dana", {"zone": "Europe/Berlin", "active": False})
    assert digest(SetLeave("dana", ON, granted=False)) == digest_of(
        "leave", "dana", {"on": "2026-04-02", "granted": False}
    )
    window = {"on": "2026-04-02", "checked_in_at": IN.spelt, "checked_out_at": OUT.spelt}
    assert digest(WINDOW) == digest_of("attendance", "dana", window)
    assert digest(SetEstimate("dana", "J-1", 0)) == digest_of("estimate", "dana", {"job_id": "J-1", "seconds": "0"})
    assert digest(EraseTexts("dana")) == digest_of("erase_texts", "dana", {})


def test_a_day_that_we_found_is_no_part_of_the_digest() -> None:
    """The owner's zone changed between the request and its retry: the retry is the same request."""
    found = dataclasses.replace(WINDOW, on_given=False)
    assert digest(found) == digest(dataclasses.replace(found, on=date(2026, 4, 3)))
    assert digest(found) != digest(WINDOW)


def test_no_two_statements_have_one_digest() -> None:
    statements: list[FactCommand] = [
        SetProfile("dana"),
        SetProfile("dana", timers_disabled=True),
        SetProfile("dana", timers_disabled=False),
        SetLeave("dana", ON, granted=True),
        SetLeave("dana", ON, granted=False),
        WINDOW,
        dataclasses.replace(WINDOW, checked_out=None),
        SetEstimate("dana", "J-1", 1),
        SetEstimate("dana", "J-2", 1),
        SetEstimate("dana", "J-1", 2),
        EraseTexts("dana"),
    ]
    assert len({digest(statement) for statement in statements}) == len(statements)
