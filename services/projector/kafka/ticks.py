"""`timer.events.v1`, as the clock writes to it: ticks of one partition, sent together and acked by all replicas."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from services.projector.domain.entry import moment_of
from services.projector.ports import Tick, TickExpiredError
from shared.events.topics import EVENTS
from shared.kafka.clients import LOG_APPEND_TIME
from shared.kafka.kept_producer import KeptProducer
from shared.process.logs import loggable

# Well below the 30 s after which a tick expires.
_ACK_WITHIN_SECONDS: Final = 10.0


class KafkaTicks:
    """Sends ticks on a producer of their own, so that they never wait behind outcomes, nor outcomes behind them."""

    def __init__(self, producer: KeptProducer) -> None:
        self._kept = producer

    async def send(self, kpart: int, ticks: Sequence[Tick]) -> None:
        """Append to a partition, and wait for the acks. Raises TickExpiredError, or trouble: the fate is unknown."""
        async with asyncio.timeout(_ACK_WITHIN_SECONDS):
            producer = await self._kept.get()
        try:
            async with asyncio.timeout(_ACK_WITHIN_SECONDS):
                acks = [ack async for ack in _acks(producer, kpart, ticks)]
        except Exception as error:
            # The fate is unknown, so what follows needs a producer with a sequence of its own.
            self._kept.broken(producer, loggable(error))
            raise
        expires_at = min(tick.expires_at for tick in ticks)
        if any(ack.timestamp_type != LOG_APPEND_TIME or moment_of(ack.timestamp) > expires_at for ack in acks):
            raise TickExpiredError("acked late, or without the broker's time")


async def _acks(producer: Any, kpart: int, ticks: Sequence[Tick]) -> AsyncIterator[Any]:  # noqa: ANN401 - aiokafka ships no types
    rest = list(ticks)
    while rest:
        batch, taken = _fill(producer.create_batch(), rest)
        yield await (await producer.send_batch(batch, EVENTS, partition=kpart))
        rest = rest[taken:]


def _fill(batch: Any, ticks: Sequence[Tick]) -> tuple[Any, int]:  # noqa: ANN401 - aiokafka ships no types
    for taken, tick in enumerate(ticks):
        if batch.append(timestamp=None, key=tick.key, value=tick.value, headers=list(tick.headers)) is None:
            return batch, taken
    return batch, len(ticks)
