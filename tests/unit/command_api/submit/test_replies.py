"""Waiters: one future, woken once: by the reply, by a failure to send or by the deadline."""

import asyncio
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
import structlog

from services.command_api.desk.commands import answer_of
from services.command_api.submit.replies import Overdue, ReplyReader, Waiter, Waiters
from services.command_api.submit.sender import Acked, Unacked
from shared.events.brief import BriefOutcome
from shared.events.outcome import Outcome, join_replies, write_outcome
from tests.support.story.outcomes import EVENT_ID, NOW, outcome

EXPIRES_AT = datetime(2026, 3, 1, 12, 0, 30, 500_000, tzinfo=UTC)
EXPIRES_MS = int(EXPIRES_AT.timestamp() * 1000)
IN_TIME = Acked(offset=7, log_time_ms=EXPIRES_MS)


def opened(waiters: Waiters, seconds: float = 2.0, event_id: UUID = EVENT_ID, *, whole: bool = False) -> Waiter:
    waiter = waiters.open(event_id, asyncio.get_running_loop().time() + seconds, EXPIRES_AT, whole=whole)
    assert waiter is not None
    return waiter


def heard(told: Outcome) -> BriefOutcome:
    return BriefOutcome(**{field.name: getattr(told, field.name) for field in fields(BriefOutcome)})


def later(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_the_reply_may_arrive_before_the_ack() -> None:
    waiters = Waiters(10)
    waiter = opened(waiters)
    waiters.answer(waiter.request_id, outcome())
    waiter.on_fate(Unacked("fate_unknown"))
    assert await waiter.fate == outcome()


async def test_an_ack_alone_answers_nothing_and_the_deadline_then_says_overdue() -> None:
    waiters = Waiters(10)
    waiter = opened(waiters)
    waiter.on_fate(IN_TIME)
    waiters.sweep(later(1.9))
    assert not waiter.fate.done()
    waiters.sweep(later(2.1))
    assert await waiter.fate == Overdue(IN_TIME)


async def test_a_deadline_without_ack_waits_for_the_senders_fate() -> None:
    waiters = Waiters(10)
    waiter = opened(waiters)
    waiters.sweep(later(2.1))
    assert not waiter.fate.done()
    waiter.on_fate(IN_TIME)
    assert await waiter.fate == Overdue(IN_TIME)


async def test_an_ack_without_broker_time_or_offset_has_unknown_fate() -> None:
    waiters = Waiters(10)
    for acked in (Acked(7, None), Acked(-1, EXPIRES_MS)):
        waiter = opened(waiters)
        waiter.on_fate(acked)
        assert await waiter.fate == Unacked("fate_unknown")


async def test_an_ack_counts_up_to_the_millisecond_of_the_expiry() -> None:
    waiters = Waiters(10)
    late = opened(waiters)
    late.on_fate(Acked(7, EXPIRES_MS + 1))
    assert await late.fate == Unacked("expired")
    just = opened(waiters)
    just.on_fate(IN_TIME)
    assert not just.fate.done()


async def test_two_requests_under_one_key_wait_apart() -> None:
    waiters = Waiters(10)
    first, second = opened(waiters), opened(waiters)
    assert first.request_id != second.request_id
    waiters.answer(second.request_id, outcome())
    assert second.fate.done()
    assert not first.fate.done()


async def test_a_reply_about_another_press_is_dropped() -> None:
    """A request id is in the headers of its event, so any reader of the log can see it and name it."""
    waiters = Waiters(10)
    waiter = opened(waiters)
    with structlog.testing.capture_logs() as logs:
        waiters.answer(waiter.request_id, outcome(event_id=UUID(int=9)))
        waiters.answer(waiter.request_id, outcome(event_id=None))
    assert not waiter.fate.done()
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("reply_mismatched", "error")] * 2
    waiters.answer(waiter.request_id, outcome())
    assert await waiter.fate == outcome()


async def test_a_waiter_beyond_the_bound_is_refused_until_one_leaves() -> None:
    waiters = Waiters(1)
    waiter = opened(waiters)
    assert waiters.open(EVENT_ID, later(2), EXPIRES_AT) is None
    waiters.close(waiter)
    opened(waiters)


async def test_a_taken_id_without_a_waiter_is_an_alarm() -> None:
    """A plain reply that comes late is not."""
    waiters = Waiters(10)
    waiter = opened(waiters)
    waiters.close(waiter)
    with structlog.testing.capture_logs() as logs:
        waiters.answer(waiter.request_id, outcome())
        waiters.answer("another-process-1", outcome(verdict="void", rule="R21"))
        assert logs == []
        waiters.answer(waiter.request_id, outcome(verdict="void", rule="R21"))
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("id_taken_unheard", "error")]


class Record:
    def __init__(self, offset: int, value: bytes | None) -> None:
        self.offset, self.value = offset, value


def taken(waiters: Waiters, *values: bytes | None) -> list[Any]:
    reader = ReplyReader(lambda: None, waiters)
    with structlog.testing.capture_logs() as logs:
        for offset, value in enumerate(values):
            reader._take(Record(offset, value))
    return logs


async def test_one_record_answers_every_waiter_that_it_names() -> None:
    waiters = Waiters(10)
    first, second = opened(waiters), opened(waiters, event_id=UUID(int=9))
    other = outcome(event_id=UUID(int=9))
    body = join_replies(
        [(first.request_id, write_outcome(outcome())), ("nobody", b"null"), (second.request_id, write_outcome(other))]
    )
    assert taken(waiters, body) != []  # a body that is not a list of replies is logged
    body = join_replies([(first.request_id, write_outcome(outcome())), (second.request_id, write_outcome(other))])
    assert taken(waiters, body) == []
    assert (await first.fate, await second.fate) == (heard(outcome()), heard(other))


async def test_a_request_that_passes_its_outcome_on_is_given_all_of_it() -> None:
    """The answer to a command on Kafka is the outcome as it was written; an answer over HTTP needs a part of it."""
    waiters = Waiters(10)
    passing_on, answering = opened(waiters, whole=True), opened(waiters)
    body = join_replies([(waiter.request_id, write_outcome(outcome())) for waiter in (passing_on, answering)])
    assert taken(waiters, body) == []
    assert await passing_on.fate == outcome()
    assert answer_of(3, await answering.fate) == answer_of(3, outcome())  # type: ignore[arg-type]


async def test_of_an_outcome_that_is_unreadable_beyond_the_answer_the_answer_is_heard() -> None:
    waiters = Waiters(10)
    waiter = opened(waiters)
    record = join_replies([(waiter.request_id, write_outcome(outcome()).replace(b'"changed":[]', b'"changed":[7]'))])
    assert taken(waiters, record) == []
    assert await waiter.fate == heard(outcome())


async def test_a_malformed_reply_is_logged_without_its_text_and_passed() -> None:
    waiters = Waiters(10)
    waiter = opened(waiters)
    good = join_replies([(waiter.request_id, write_outcome(outcome()))])
    logs = taken(waiters, b"canary", None, b'[{"request_id":1}]', good)
    assert [entry["event"] for entry in logs] == ["reply_unreadable"] * 3
    assert "canary" not in str(logs)
    assert await waiter.fate == heard(outcome())


def test_the_example_is_of_its_time() -> None:
    assert outcome().event_id == EVENT_ID
    assert outcome().recorded_at == NOW


async def read_to(monkeypatch: pytest.MonkeyPatch, *offsets: int) -> None:
    """Read from a consumer whose partition ends at 1000, and which stands at the next offset after each fetch."""
    left = list(offsets)

    class Consumer:
        async def end_offsets(self, places: list[Any]) -> dict[Any, int]:
            return dict.fromkeys(places, 1000)

    async def fetch(*_: object) -> tuple[list[Any], int]:
        if not left:
            raise EOFError
        return [], left.pop(0)

    monkeypatch.setattr("services.command_api.submit.replies.LOOK_EVERY_SECONDS", 0)
    monkeypatch.setattr("services.command_api.submit.replies.fetch", fetch)
    reader = ReplyReader(lambda: cast("Any", None), Waiters(1))
    await reader._read(cast("Any", Consumer()))


async def test_a_consumer_that_moves_is_kept_and_one_that_stands_still_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many looks its way takes: while there is most to read, a new consumer would help least."""
    with pytest.raises(EOFError):
        await read_to(monkeypatch, *range(0, 900, 20))
    with pytest.raises(EOFError):
        await read_to(monkeypatch, *[1000] * 9)
    with pytest.raises(ConnectionError, match="stalled at 20, behind 1000"):
        await read_to(monkeypatch, 0, 20, 20, 40)
