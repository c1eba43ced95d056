"""The kept producer: one at a time, and one that was given up is gone."""

import asyncio
from typing import Any

import pytest

from shared.kafka import kept_producer
from shared.kafka.clients import AIOKafkaProducer, TopicPartition
from shared.kafka.kept_producer import KeptProducer
from tests.support.fakes.in_hand import turns

TOPIC = "outcomes"
BREAKS = 20


class Unheard(AIOKafkaProducer):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka's own producer with a batch that no broker ever acks: its `stop` waits for it as it always does."""

    def __init__(self) -> None:
        super().__init__(bootstrap_servers="127.0.0.1:9")
        self.acked: asyncio.Future[Any] | None = None

    @property
    def alive(self) -> bool:
        return not self._sender.sender_task.done()

    async def start(self) -> None:
        self._sender._sender_task = asyncio.create_task(self._send_again_for_ever())
        batch = self.create_batch()
        batch.append(timestamp=None, key=None, value=b"pending")
        self.acked = await self._message_accumulator.add_batch(batch, TopicPartition(TOPIC, 0), 10)

    async def partitions_for(self, topic: str) -> set[int]:
        assert topic == TOPIC
        return {0}

    async def _send_again_for_ever(self) -> None:
        while True:  # noqa: ASYNC110 - it waits for nothing
            await asyncio.sleep(0.01)


async def test_a_producer_that_was_given_up_is_ended_however_long_its_own_stop_would_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each one left alive would send what it holds again, for as long as replicas are too few, and then land it."""
    monkeypatch.setattr(kept_producer, "STOP_WITHIN_SECONDS", 0.01)
    monkeypatch.setattr(kept_producer, "RETRY_AFTER_SECONDS", 0.0)
    before = asyncio.all_tasks()
    made: list[Unheard] = []

    def make() -> Unheard:
        made.append(Unheard())
        return made[-1]

    kept = KeptProducer(make, [TOPIC])
    keeping = asyncio.create_task(kept.run())
    for _ in range(BREAKS):
        kept.broken(await kept.get(), "no ack")
    await kept.get()
    await asyncio.wait(kept._endings)
    assert len(made) == BREAKS + 1
    assert [producer.alive for producer in made] == [False] * BREAKS + [True]

    keeping.cancel()
    await kept.close()
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before
    # Whoever waits for an ack hears that none will come.
    assert all(producer.acked is not None and producer.acked.exception() is not None for producer in made)


async def test_a_producer_that_broke_as_the_process_ended_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keeping is cancelled before it hears of it, and `close` finds no producer in use."""
    monkeypatch.setattr(kept_producer, "STOP_WITHIN_SECONDS", 0.01)
    kept = KeptProducer(Unheard, [TOPIC])
    keeping = asyncio.create_task(kept.run())
    producer = await kept.get()
    kept.broken(producer, "no ack")
    keeping.cancel()
    await asyncio.wait({keeping})
    await kept.close()
    assert isinstance(producer, Unheard)
    assert producer.acked is not None
    assert (producer.alive, producer.acked.exception() is None) == (False, False)


class Halting:
    """Stands in for a producer whose every step takes some turns of the loop."""

    def __init__(self, *, starts: bool = True) -> None:
        self.started = self.ended = False
        self._starts = starts
        self._sender = self.client = self._message_accumulator = self

    async def start(self) -> None:
        await turns(3)
        if not self._starts:
            raise ConnectionError("away")
        self.started = True
        await turns(3)

    async def partitions_for(self, _: str) -> set[int]:
        await turns(3)
        return {0}

    async def stop(self) -> None:
        await turns(3)
        self.ended = True


@pytest.mark.parametrize("breaks_at", [None, 12, 15, 20])
@pytest.mark.parametrize("starts", [True, False])
async def test_each_producer_is_ended_at_whatever_step_the_keeping_is_cancelled(
    monkeypatch: pytest.MonkeyPatch, breaks_at: int | None, *, starts: bool
) -> None:
    monkeypatch.setattr(kept_producer, "RETRY_AFTER_SECONDS", 0.0)
    cut, together = set[bool](), set[int]()
    for cancelled_at in range(60):
        made: list[Any] = []

        def make(made: list[Any] = made) -> Any:  # noqa: ANN401 - a producer
            made.append(Halting(starts=starts))
            return made[-1]

        kept = KeptProducer(make, [TOPIC])
        keeping = asyncio.create_task(kept.run())
        for turn in range(cancelled_at):
            if turn == breaks_at and kept.current is not None:
                kept.broken(kept.current, "no ack")
            await asyncio.sleep(0)
        together.add(len([one for one in made if one.started and not one.ended]))
        keeping.cancel()
        await asyncio.wait({keeping})
        await kept.close()
        assert (cancelled_at, [one.ended for one in made]) == (cancelled_at, [True] * len(made))
        cut.add(bool(made and made[-1].started))
    assert cut == ({True, False} if starts else {False})
    assert max(together) <= 2  # one that is given up may flush beside the next one, and no third
