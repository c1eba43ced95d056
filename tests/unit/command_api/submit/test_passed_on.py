"""A press that is judged for another service, or passed on to be answered by the projector."""

import asyncio

import pytest

from services.command_api.desk.commands import Asked, Decided, NotRecorded, Position, StartTimer, StillWaiting
from services.command_api.submit.sender import Acked, Unacked
from shared.events.envelope import ReplyAddress, decode_headers
from shared.events.idempotency import keyed_event_id
from tests.unit.command_api.submit.wired import ACK, CALLER, NOW_MS, SLOT, START, Wired, request_of


async def test_a_press_is_passed_on_with_the_address_of_who_waits_and_never_expires() -> None:
    it = Wired()
    asked = Asked(START, CALLER, "kafka", "order-17")
    address = ReplyAddress("timer.replies.payroll", 3, "order-17")
    passed_on = asyncio.create_task(it.presses.pass_on(asked, address))
    record = await it.nth(1)
    envelope = decode_headers(record.headers)
    assert (envelope.reply, envelope.expires_at) == (address, None)
    assert envelope.event_id == keyed_event_id("acme", "desk", "owner", "dana", "order-17")
    record.on_fate(ACK)
    assert await passed_on == Position(SLOT % 12, 5)


async def test_a_press_that_is_passed_on_draws_an_id_of_its_own() -> None:
    """The first id may be another timer's, and nobody heard of it."""
    it = Wired()
    asked = Asked(StartTimer("dana", comment="first"), CALLER, "kafka", "order-17")
    judging = asyncio.create_task(it.presses.judged(asked))
    (await it.nth(1)).on_fate(Acked(3, None))
    first = await it.nth(2)
    first.on_fate(ACK)
    it.overdue()
    assert isinstance(await judging, StillWaiting)
    passed_on = asyncio.create_task(it.presses.pass_on(asked, None))
    text = await it.nth(3)
    text.on_fate(Acked(4, None))
    second = await it.nth(4)
    second.on_fate(ACK)
    assert isinstance(await passed_on, Position)
    assert (first.headers["ce_id"], first.value) == (second.headers["ce_id"], second.value)
    assert text.key == second.key != first.key


@pytest.mark.parametrize(
    ("fate", "why"),
    [
        (Unacked("fate_unknown"), "fate_unknown"),
        (Acked(offset=-1, log_time_ms=NOW_MS), "fate_unknown"),
        (Acked(offset=5, log_time_ms=None), "fate_unknown"),
    ],
)
async def test_a_press_whose_fate_is_unknown_was_not_passed_on(fate: Acked | Unacked, why: str) -> None:
    it = Wired()
    passed_on = asyncio.create_task(it.presses.pass_on(Asked(START, CALLER, "kafka", "k"), None))
    (await it.nth(1)).on_fate(fate)
    assert await passed_on == NotRecorded(why)


async def test_a_judged_press_has_its_outcome_as_it_was_told() -> None:
    it = Wired()
    judging = asyncio.create_task(it.presses.judged(Asked(START, CALLER, "kafka", "k")))
    told = it.reply(await it.nth(1), verdict="refused", rule="R08")
    assert await judging == Decided(SLOT % 12, told)


async def test_a_press_that_is_passed_on_is_told_with_its_whole_outcome() -> None:
    it = Wired()
    asked = Asked(START, CALLER, "kafka", "k-1", 2.0)
    judged = asyncio.create_task(it.presses.judged(asked))
    record = await it.nth(1)
    assert it.waiters.need_whole(request_of(record))
    told = it.reply(record)
    assert await judged == Decided(SLOT % 12, told)
