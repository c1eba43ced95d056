"""Tombstones on `timer.texts.v1`: a record without a value, under a timer's id. Kafka then forgets that timer's texts.

A tombstone that is written twice does no harm.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from shared.events.topics import TEXTS
from shared.kafka.kept_producer import KeptProducer
from shared.process.logs import loggable

# A producer without an ack for this long is dropped. What it holds may still be written, which does no harm.
_ACK_WITHIN_SECONDS: Final = 30.0


class KafkaTombstones:
    """`eraser.TombstoneLog`, over a producer of its own, so that its failures delay no outcome."""

    def __init__(self, producer: KeptProducer) -> None:
        self._kept = producer

    async def partitions(self) -> int:
        """Return how many partitions the topic has."""
        await self._kept.get()
        return self._kept.partitions[TEXTS]

    async def erase(self, timers: Sequence[tuple[int, int]]) -> None:
        """Write a tombstone for each timer, and return after the acks."""
        producer = await self._kept.get()
        try:
            async with asyncio.timeout(_ACK_WITHIN_SECONDS):
                acks = [
                    await producer.send(TEXTS, key=str(timer_id).encode(), partition=partition)
                    for partition, timer_id in timers
                ]
                await asyncio.gather(*acks)
        except Exception as error:
            # Of unknown fate, so the retry needs a producer with a sequence of its own.
            self._kept.broken(producer, loggable(error))
            raise
