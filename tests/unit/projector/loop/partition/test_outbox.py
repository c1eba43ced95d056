"""Outcomes on their way to the judged stream, and verdicts on their way to their waiters."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from unittest.mock import AsyncMock

import pytest

from services.projector.loop.partition import outbox as outbox_module
from services.projector.loop.partition.outbox import Outbox, send_replies
from services.projector.loop.partition.recover import LogWentBackError
from services.projector.ports import ToPublish
from shared.events.envelope import ReplyAddress
from tests.support.fakes.in_hand import GAP, OutcomesInHand, RepliesInHand, turns


def outcomes(*offsets: int) -> list[ToPublish]:
    return [ToPublish(offset, b"acme/dana", b"%d" % offset) for offset in offsets]


class SlowStream(OutcomesInHand):
    """A stream that acks when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.acks = asyncio.Semaphore(0)
        self.asked: list[list[int]] = []

    async def publish(self, kpart: int, outcomes: Sequence[ToPublish]) -> int:
        self.asked.append([outcome.source_offset for outcome in outcomes])
        await self.acks.acquire()
        return await super().publish(kpart, outcomes)


@asynccontextmanager
async def publishing(outbox: Outbox) -> AsyncIterator[None]:
    """Let an outbox publish until the end of the block, and raise any error that ended it earlier."""
    running = asyncio.ensure_future(outbox.run())
    await turns()
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_nothing_overtakes_what_is_not_acked() -> None:
    stream = SlowStream()
    stream.streams[3] = [GAP] * 4
    outbox = Outbox(3, stream, published=7, outcomes_next=4)
    async with publishing(outbox):
        outbox.add(outcomes(7, 9))
        await turns()
        outbox.add(outcomes(12))
        await turns()
        assert (stream.asked, outbox.backlog) == ([[7, 9]], 3)
        assert (outbox.published, outbox.outcomes_next) == (7, 4)
        stream.acks.release()
        await turns()
        assert (stream.asked, outbox.backlog) == ([[7, 9], [12]], 1)
        assert (outbox.published, outbox.outcomes_next) == (10, 6)
        stream.acks.release()
        await turns()
        assert (outbox.published, outbox.outcomes_next, outbox.backlog) == (13, 7, 0)


async def test_at_most_five_hundred_go_at_once() -> None:
    stream = SlowStream()
    outbox = Outbox(3, stream, published=0, outcomes_next=0)
    outbox.add(outcomes(*range(1_201)))
    for _ in range(3):
        stream.acks.release()
    async with publishing(outbox):
        await turns()
    assert [len(asked) for asked in stream.asked] == [500, 500, 201]
    assert [offset for asked in stream.asked for offset in asked] == list(range(1_201))


async def test_outcomes_of_an_unknown_publish_stay_in_the_outbox() -> None:
    stream = OutcomesInHand(broken=ConnectionError("no ack"))
    outbox = Outbox(3, stream, published=0, outcomes_next=0)
    outbox.add(outcomes(0, 1))
    with pytest.raises(ConnectionError):
        await outbox.run()
    assert (outbox.published, outbox.backlog) == (0, 2)


async def test_a_stream_made_anew_under_a_quiet_partition_is_noticed_by_its_first_ack() -> None:
    """Its projector went on, and a database that was filled from that stream later lacked all that was before."""
    stream = OutcomesInHand()
    outbox = Outbox(3, stream, published=7, outcomes_next=4)
    outbox.add(outcomes(7, 9))
    with pytest.raises(LogWentBackError, match="2 outcomes behind offset 4 of the judged stream ended at 2"):
        async with asyncio.timeout(1):
            await outbox.run()
    assert (outbox.published, outbox.outcomes_next, outbox.backlog) == (7, 4, 2)


@pytest.mark.parametrize(("length", "is_believed"), [(3, False), (4, True), (9, True)])
async def test_an_ack_may_lie_further_on_than_is_known_and_not_before(length: int, *, is_believed: bool) -> None:
    """Repeats of unknown fate, and the ends of foreign transactions, take the stream further on."""
    stream = OutcomesInHand()
    stream.streams[3] = [GAP] * length
    outbox = Outbox(3, stream, published=7, outcomes_next=4)
    outbox.add(outcomes(7, 9))
    running = asyncio.ensure_future(outbox.run())
    await turns()
    running.cancel()
    [end] = await asyncio.gather(running, return_exceptions=True)
    assert isinstance(end, LogWentBackError) is not is_believed
    assert outbox.published == (10 if is_believed else 7)


def replies(*answers: tuple[ReplyAddress | None, bytes]) -> list[tuple[str, int, list[tuple[str, bytes]]]]:
    sent = RepliesInHand()
    send_replies(sent, answers)
    return sent.sent


def to(partition: int, request_id: str) -> ReplyAddress:
    return ReplyAddress("timer.replies.v1", partition, request_id)


def test_one_record_goes_to_each_process_with_all_that_its_waiters_hear() -> None:
    assert replies((to(3, "a"), b"1"), (None, b"2"), (to(4, "b"), b"3"), (to(3, "c"), b"4"), (to(3, "a"), b"5")) == [
        ("timer.replies.v1", 3, [("a", b"1"), ("c", b"4"), ("a", b"5")]),
        ("timer.replies.v1", 4, [("b", b"3")]),
    ]


def test_no_reply_is_sent_without_a_waiter() -> None:
    assert replies() == replies((None, b"1")) == []


def test_replies_too_large_for_one_record_go_in_several_in_order() -> None:
    large = b"x" * 100_000
    sent = replies(*[(to(3, str(n)), large) for n in range(5)])
    assert [[request_id for request_id, _ in answers] for _, _, answers in sent] == [["0", "1"], ["2", "3"], ["4"]]


def test_a_record_of_replies_fills_a_quarter_of_the_brokers_limit() -> None:
    sent = replies((to(3, "a"), b"x" * (256 * 1024 - 1)), (to(3, "b"), b"x"), (to(3, "c"), b"x"))
    assert [[request_id for request_id, _ in answers] for _, _, answers in sent] == [["a", "b"], ["c"]]


def test_an_answer_over_the_limit_goes_alone() -> None:
    sent = replies((to(3, "a"), b"1"), (to(3, "b"), b"x" * 300_000), (to(3, "c"), b"2"))
    assert [[request_id for request_id, _ in answers] for _, _, answers in sent] == [["a"], ["b"], ["c"]]


async def _published_beside_a_reply() -> list[str]:
    """Commit what has a reply, which a producer writes two turns later. Return what went out, in order."""
    went: list[str] = []

    class Heard(OutcomesInHand):
        async def publish(self, kpart: int, outcomes: Sequence[ToPublish]) -> int:
            went.append("outcome")
            return await super().publish(kpart, outcomes)

    loop, outbox = asyncio.get_running_loop(), Outbox(3, Heard(), published=7, outcomes_next=0)
    async with publishing(outbox):
        loop.call_soon(loop.call_soon, went.append, "reply")
        outbox.add(outcomes(7))
        await turns()
    return went


async def test_an_outcome_is_published_after_the_reply_of_its_commit_has_gone_out() -> None:
    assert await _published_beside_a_reply() == ["reply", "outcome"]


async def test_an_outbox_that_goes_on_at_once_is_before_the_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(outbox_module, "others_first", AsyncMock())
    assert await _published_beside_a_reply() == ["outcome", "reply"]
