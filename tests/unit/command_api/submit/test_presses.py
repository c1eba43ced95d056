"""Submit: the order of the steps, and the answer to each ending."""

from datetime import date, timedelta
from uuid import UUID

import structlog

from services.command_api.desk.commands import (
    Accepted,
    EraseTexts,
    Learned,
    NotRecorded,
    Position,
    PressTimer,
    SetLeave,
    StartTimer,
    StillWaiting,
    answer_of,
)
from services.command_api.submit.press import digest
from services.command_api.submit.presses import DRAWS_MAX
from services.command_api.submit.sender import Acked, Unacked
from shared.events.envelope import decode_headers
from shared.events.ids import TimerIds, slot_of_timer
from shared.events.outcome import Fact
from shared.events.topics import EVENTS, TEXTS
from tests.support.story.outcomes import outcome
from tests.unit.command_api.fakes import ticks
from tests.unit.command_api.submit.wired import ACK, NOW, NOW_MS, SLOT, START, Wired, request_of


async def test_a_press_goes_to_its_slots_partition_and_its_reply_answers() -> None:
    it = Wired()
    answer = it.submit()
    record = await it.nth(1)
    envelope = decode_headers(record.headers)
    assert (record.topic, record.partition) == (EVENTS, SLOT % 12)
    assert envelope.subject == int(record.key)
    assert slot_of_timer(int(record.key)) == SLOT
    assert envelope.policy_rev == 4
    assert envelope.expires_at == NOW + timedelta(seconds=30)
    assert envelope.reply is not None
    assert (envelope.reply.topic, envelope.reply.partition) == ("timer.replies.v1", 9)
    judged = it.reply(record)  # before the ack
    assert await answer == answer_of(SLOT % 12, judged)
    record.on_fate(ACK)


async def test_the_text_is_acked_before_the_event_is_sent() -> None:
    it = Wired()
    answer = it.submit(StartTimer("dana", comment="first"))
    text = await it.nth(1)
    assert (text.topic, text.partition, text.headers) == (TEXTS, SLOT % 12, {})
    text.on_fate(Acked(3, None))  # its topic keeps the producer's time and needs no other
    event = await it.nth(2)
    assert event.topic == EVENTS
    assert event.key == text.key
    judged = it.reply(event)
    assert await answer == answer_of(SLOT % 12, judged)


async def test_a_text_that_fails_means_that_nothing_was_recorded() -> None:
    it = Wired()
    answer = it.submit(StartTimer("dana", comment="first"))
    (await it.nth(1)).on_fate(Unacked("fate_unknown"))
    assert await answer == NotRecorded("fate_unknown")
    await it.nth(1)


async def test_a_press_of_a_timer_goes_where_the_id_says() -> None:
    it = Wired()
    timer_id = TimerIds(lambda: NOW).draw(77)
    answer = it.submit(PressTimer("stop", timer_id))
    record = await it.nth(1)
    assert (record.partition, int(record.key)) == (77 % 12, timer_id)
    judged = it.reply(record)
    assert await answer == answer_of(77 % 12, judged)


async def test_a_fact_goes_to_its_owners_partition_and_names_no_timer() -> None:
    it = Wired()
    answer = it.submit(SetLeave("dana", date(2026, 4, 2), granted=True), key="k")
    record = await it.nth(1)
    assert (record.topic, record.partition, record.key) == (EVENTS, SLOT % 12, b"acme/dana")
    assert "ce_subject" not in record.headers
    fact = Fact(kind="leave", about="2026-04-02", body={"granted": True})
    judged = outcome(event_id=record.headers["ce_id"], subject=None, timer=None, fact=fact)
    it.waiters.answer(request_of(record), judged)
    assert await answer == Learned("dana", fact, Position(SLOT % 12, 7))


async def test_a_fact_not_judged_in_time_is_recorded() -> None:
    it = Wired()
    answer = it.submit(EraseTexts("dana"), key="k")
    (await it.nth(1)).on_fate(ACK)
    it.overdue()
    heard = await answer
    assert isinstance(heard, StillWaiting)
    assert (heard.timer_id, heard.position) == (None, Position(SLOT % 12, 5))


async def test_a_tenant_without_policy_is_not_recorded_and_nothing_is_sent() -> None:
    it = Wired()
    assert await it.submit(tenant="other") == NotRecorded("no_policy")
    assert it.sender.sent == []


async def test_before_the_topic_is_known_nothing_is_sent() -> None:
    it = Wired()
    it.sender.partitions = {}
    assert await it.submit() == NotRecorded("not_ready")


async def test_too_many_waiters_are_told_at_once() -> None:
    it = Wired(waiters_max=1)
    first = it.submit()
    await it.nth(1)
    assert await it.submit() == NotRecorded("overloaded")
    it.reply(it.sender.sent[0])
    await first
    third = it.submit()
    it.reply(await it.nth(2))
    assert isinstance(await third, Accepted)


async def test_a_send_that_failed_is_told_with_its_reason() -> None:
    for why in ("fate_unknown", "not_sent", "overloaded"):
        it = Wired()
        answer = it.submit()
        (await it.nth(1)).on_fate(Unacked(why))
        assert await answer == NotRecorded(why)


async def test_a_press_acked_late_or_void_by_expiry_is_not_recorded() -> None:
    it = Wired()
    answer = it.submit()
    (await it.nth(1)).on_fate(Acked(5, NOW_MS + 30_001))
    assert await answer == NotRecorded("expired")
    answer = it.submit()
    it.reply(await it.nth(2), verdict="void", rule="R22")
    assert await answer == NotRecorded("expired")


async def test_a_taken_id_is_drawn_again_under_the_same_event() -> None:
    """Its text is sent again with it."""
    it = Wired()
    answer = it.submit(StartTimer("dana", comment="first"))
    (await it.nth(1)).on_fate(Acked(1, None))
    first = await it.nth(2)
    it.reply(first, verdict="void", rule="R21")
    text = await it.nth(3)
    assert text.topic == TEXTS
    text.on_fate(Acked(2, None))
    second = await it.nth(4)
    assert second.key == text.key != first.key
    assert second.headers["ce_id"] == first.headers["ce_id"]
    assert request_of(second) != request_of(first)
    judged = it.reply(second)
    assert await answer == answer_of(SLOT % 12, judged)


async def test_an_id_that_is_always_taken_is_an_alarm_and_an_end() -> None:
    it = Wired()
    with structlog.testing.capture_logs() as logs:
        answer = it.submit()
        for number in range(1, DRAWS_MAX + 1):
            it.reply(await it.nth(number), verdict="void", rule="R21")
        assert await answer == NotRecorded("id_taken")
    assert [entry["event"] for entry in logs] == ["timer_ids_exhausted"]


async def test_a_press_not_judged_in_time_says_where_to_look() -> None:
    it = Wired()
    answer = it.submit()
    record = await it.nth(1)
    record.on_fate(ACK)
    it.overdue()
    event_id = UUID(record.headers["ce_id"])
    assert await answer == StillWaiting(event_id, int(record.key), Position(SLOT % 12, 5), digest(START))
    assert it.reads.looked == [("acme", event_id, SLOT % 12)]


async def test_no_waiter_is_left_behind_an_answer() -> None:
    it = Wired()
    for told in (Unacked("not_sent"), Acked(5, NOW_MS + 40_000)):
        answer = it.submit()
        await ticks()
        it.sender.sent[-1].on_fate(told)
        await answer
    assert it.waiters._waiting == {}
