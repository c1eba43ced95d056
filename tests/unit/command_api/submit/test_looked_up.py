"""A press whose reply did not come: its verdict is looked up where outcomes are written down."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from structlog.testing import capture_logs

from services.command_api.desk.commands import (
    Accepted,
    Asked,
    Caller,
    NotRecorded,
    Position,
    Refused,
    StillWaiting,
    answer_of,
)
from services.command_api.desk.rows import OutcomeRow
from services.command_api.submit.press import digest
from shared.events.idempotency import keyed_event_id
from shared.events.outcome import Outcome, write_outcome
from shared.events.rules import Rule
from tests.support.story.outcomes import outcome
from tests.unit.command_api.submit.wired import ACK, CALLER, NOW, SLOT, START, Wired


def row_of(written: Outcome) -> OutcomeRow:
    assert written.event_id is not None
    body = write_outcome(written).decode()
    return OutcomeRow(SLOT % 12, 5, written.event_id, written.digest, written.log_time, body)


async def test_a_lookup_finds_the_verdict_of_a_lost_reply() -> None:
    it = Wired()
    answer = it.submit(key="k")
    record = await it.nth(1)
    written = outcome(event_id=record.headers["ce_id"], digest=digest(START))
    it.reads.row = row_of(written)
    record.on_fate(ACK)
    it.overdue()
    assert await answer == answer_of(SLOT % 12, written)


async def test_a_lookup_without_postgres_is_still_waiting() -> None:
    it = Wired()
    it.reads.away = True
    answer = it.submit()
    (await it.nth(1)).on_fate(ACK)
    it.overdue()
    assert isinstance(await answer, StillWaiting)


async def test_a_lookup_that_finds_another_digest_is_a_reused_key() -> None:
    it = Wired()
    answer = it.submit(key="k")
    record = await it.nth(1)
    it.reads.row = row_of(outcome(event_id=record.headers["ce_id"], digest="other"))
    record.on_fate(ACK)
    it.overdue()
    assert await answer == Refused(Rule.KEY_REUSED, Position(SLOT % 12, 5))


async def test_an_outcome_is_forgotten_exactly_thirty_days_before_our_ack() -> None:
    """A millisecond younger, it still answers."""
    for age, remembered in ((timedelta(days=30), False), (timedelta(days=30) - timedelta(milliseconds=1), True)):
        it = Wired()
        answer = it.submit(key="k")
        record = await it.nth(1)
        it.reads.row = row_of(outcome(event_id=record.headers["ce_id"], digest=digest(START), log_time=NOW - age))
        record.on_fate(ACK)
        it.overdue()
        assert isinstance(await answer, Accepted if remembered else StillWaiting)


@pytest.mark.parametrize(
    ("digest_told", "body", "unread", "alarms"),
    [
        pytest.param(digest(START), '{"v":2}', None, 1, id="of a newer projector"),
        pytest.param(None, '{"v":2}', None, 1, id="in which nothing was asked"),
        pytest.param(None, "", "newer", 0, id="packed by a newer projector, which the read has told"),
        pytest.param(None, "", "damaged", 0, id="damaged, which the read has told"),
    ],
)
async def test_an_outcome_whose_row_cannot_be_read_is_still_waiting(
    digest_told: str | None, body: str, unread: Literal["newer", "damaged"] | None, alarms: int
) -> None:
    """It is not an error of the caller, and no key is called reused because of it."""
    it = Wired()
    answer = it.submit(key="k")
    record = await it.nth(1)
    row = row_of(outcome(event_id=record.headers["ce_id"], digest=digest(START)))
    it.reads.row = replace(row, digest=digest_told, body=body, unread=unread)
    record.on_fate(ACK)
    with capture_logs() as logs:
        it.overdue()
        assert isinstance(await answer, StillWaiting)
    assert [log["event"] for log in logs] == ["outcome_unreadable"] * alarms


AGAIN = Asked(START, CALLER, "native", "k")
EVENT_ID = keyed_event_id("acme", "desk", "owner", "dana", "k")


async def test_the_first_answer_under_a_key_is_found_and_nothing_is_sent() -> None:
    it = Wired()
    written = outcome(event_id=EVENT_ID, digest=digest(START), log_time=NOW - timedelta(days=29))
    it.reads.row = row_of(written)
    assert await it.presses.first_answer(AGAIN) == answer_of(SLOT % 12, written)
    assert (it.reads.looked, it.sender.sent) == ([("acme", EVENT_ID, SLOT % 12)], [])


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(None, id="no outcome"),
        pytest.param(row_of(outcome(event_id=EVENT_ID, digest="other")), id="another request"),
        pytest.param(
            row_of(outcome(event_id=EVENT_ID, digest=digest(START), log_time=NOW - timedelta(days=30))), id="forgotten"
        ),
    ],
)
async def test_what_is_no_first_answer_is_none(row: OutcomeRow | None) -> None:
    it = Wired()
    it.reads.row = row
    assert await it.presses.first_answer(AGAIN) is None


@pytest.mark.parametrize("unread", ["newer", "damaged"])
async def test_a_first_answer_that_cannot_be_read_may_be_asked_again(unread: Literal["newer", "damaged"]) -> None:
    """A refusal would be final, and the first press counts."""
    it = Wired()
    it.reads.row = replace(row_of(outcome(event_id=EVENT_ID)), digest=None, body="", unread=unread)
    assert await it.presses.first_answer(AGAIN) == NotRecorded("reads_away")


async def test_a_first_answer_that_cannot_be_looked_up_may_be_asked_again() -> None:
    it = Wired()
    it.reads.away = True
    assert await it.presses.first_answer(AGAIN) == NotRecorded("reads_away")
    assert await it.presses.first_answer(replace(AGAIN, caller=Caller("none", "desk", "machine"))) == NotRecorded(
        "no_policy"
    )
