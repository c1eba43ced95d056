"""Outcomes: the same bytes in a row, on the topic and in a reply, and they read back the same."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from shared.events.models import ToldActor
from shared.events.outcome import (
    Change,
    Closed,
    DayPart,
    Finding,
    NewerOutcomeError,
    Opened,
    Outcome,
    State,
    TimerAfter,
    Was,
    join_replies,
    read_outcome,
    read_replies,
    write_outcome,
)
from shared.events.value import replace
from tests.support.story.presses import EVENT_ID, NOON, SHORT

HOUR_US = 3_600_000_000
AFTER = TimerAfter(
    id=SHORT,
    owner='da"na \u2028',
    account_id=None,
    job_id="j",
    project_id=None,
    billable=True,
    work_date=date(2026, 3, 1),
    state=State.STOPPED,
    started_at=NOON - timedelta(hours=1),
    stopped_at=NOON,
    total_us=HOUR_US,
    last_at=NOON,
    flags=("R13",),
)
STOPPED = Outcome(
    source_offset=7,
    event_id=EVENT_ID,
    event_type="timer.stopped.v1",
    subject=SHORT,
    tenant="acme",
    owner='da"na \u2028',
    actor=ToldActor(client="desk", role="machine"),
    dialect="native",
    digest="0" * 64,
    recorded_at=NOON,
    log_time=NOON,
    asked_at=None,
    at=NOON,
    policy_rev=3,
    policy_revision=1,
    verdict="accepted",
    flags=("R13", "late"),
    findings=(Finding(timer_id=SHORT, rule="R13", from_=NOON, to=NOON, amount_us=1),),
    timer=AFTER,
    changed=(
        Change(
            timer=SHORT,
            by="press",
            after=AFTER,
            opened=Opened(seq=1, start=NOON, zone="UTC"),
            closed=Closed(
                seq=0,
                start=NOON - timedelta(hours=1),
                end=NOON,
                zone="Asia/Jerusalem",
                days=(DayPart(on=date(2026, 3, 1), us=HOUR_US),),
                was=Was(end=NOON + timedelta(hours=1), days=(DayPart(on=date(2026, 3, 1), us=2 * HOUR_US),)),
            ),
        ),
    ),
    due=NOON,
)
UNREADABLE = Outcome(
    source_offset=8,
    event_id=None,
    event_type=None,
    subject=None,
    tenant=None,
    owner=None,
    actor=None,
    dialect=None,
    digest=None,
    recorded_at=None,
    log_time=NOON,
    asked_at=None,
    at=None,
    policy_rev=-1,
    policy_revision=None,
    verdict="unreadable",
    reason="unknown_type",
)


@pytest.mark.parametrize("outcome", [STOPPED, UNREADABLE], ids=["full", "unreadable"])
def test_an_outcome_survives_the_journey(outcome: Outcome) -> None:
    body = write_outcome(outcome)
    assert read_outcome(body) == outcome
    assert write_outcome(read_outcome(body)) == body


def test_ids_travel_as_text_for_readers_that_lose_digits() -> None:
    said = json.loads(write_outcome(STOPPED))
    assert said["subject"] == said["timer"]["id"] == said["changed"][0]["timer"] == str(SHORT)
    assert said["findings"][0]["timer_id"] == str(SHORT)


def test_the_names_are_those_of_the_contract() -> None:
    said: dict[str, Any] = json.loads(write_outcome(STOPPED))
    assert list(said) == [
        "v",
        "source_offset",
        "event_id",
        "event_type",
        "subject",
        "tenant",
        "owner",
        "actor",
        "dialect",
        "digest",
        "recorded_at",
        "log_time",
        "asked_at",
        "at",
        "policy_rev",
        "policy_revision",
        "verdict",
        "rule",
        "reason",
        "flags",
        "findings",
        "timer",
        "changed",
        "fact",
        "due",
    ]
    assert set(said["findings"][0]) == {"timer_id", "rule", "from", "to", "amount_us", "refused"}
    timer = [
        *("id", "owner", "account_id", "job_id", "project_id", "billable", "work_date", "state"),
        *("started_at", "stopped_at", "total_us", "last_at", "flags"),
    ]
    assert list(said["timer"]) == list(said["changed"][0]["after"]) == timer
    assert list(said["changed"][0]) == ["timer", "by", "after", "opened", "closed"]
    assert list(said["changed"][0]["closed"]) == ["seq", "start", "end", "zone", "days", "was"]
    assert said["at"] == "2026-03-01T12:00:00Z"
    assert said["changed"][0]["closed"]["days"] == [{"on": "2026-03-01", "us": HOUR_US, "after_lock": False}]


def test_a_reference_and_a_reason_are_written_last_and_only_when_given() -> None:
    """Without them an outcome has the bytes of earlier releases, which are on the topic already."""
    (change,) = STOPPED.changed
    assert change.closed is not None
    marked = replace(AFTER, reference="crm/7")
    closed = replace(change.closed, reason="lunch")
    said = replace(STOPPED, timer=marked, changed=(replace(change, after=marked, closed=closed),))
    without, body = write_outcome(STOPPED), write_outcome(said)
    assert body.count(b',"reference":"crm/7"}') == 2
    assert body.count(b',"reason":"lunch"}') == 1
    assert body.replace(b',"reference":"crm/7"', b"").replace(b',"reason":"lunch"', b"") == without
    assert read_outcome(body) == said


def test_an_outcome_of_another_version_does_not_pass_for_one_of_ours() -> None:
    with pytest.raises(NewerOutcomeError):
        read_outcome(write_outcome(STOPPED).replace(b'"v":1', b'"v":2', 1))


def test_replies_carry_each_outcome_as_it_was_written() -> None:
    bodies = [("r-1", write_outcome(STOPPED)), ('r"2\n', write_outcome(UNREADABLE))]
    record = join_replies(bodies)
    assert all(body in record for _, body in bodies)
    assert [(reply.request_id, reply.outcome) for reply in read_replies(record)] == [
        ("r-1", STOPPED),
        ('r"2\n', UNREADABLE),
    ]


def test_no_replies_are_an_empty_list() -> None:
    assert read_replies(join_replies([])) == []
