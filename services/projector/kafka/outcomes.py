"""`timer.outcomes.v1`: the judged stream, read when a partition is taken up, and appended to after each commit."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from services.projector.kafka.reader import PartitionReader
from services.projector.ports import ClockOffError, Span, ToPublish
from shared.events.topics import OUTCOMES
from shared.kafka.clients import InvalidTimestampError, KafkaAddress
from shared.kafka.kept_producer import KeptProducer
from shared.process.logs import loggable

_READ_AT_ONCE: Final = 1_000
# Rows of one piece that add to the same total are added up before they go to Postgres, so a large piece is less work
# for Postgres. So many records, with their outcomes, take some 35 MB for a moment.
_PIECE: Final = 10_000
# Memory is bounded, and an outcome may be a hundred times as large as most.
_PIECE_BYTES: Final = 16 * 1024 * 1024
_FETCHED_BYTES: Final = 4 * 1024 * 1024
# A producer without an ack for this long is dropped. What it holds may still be written, as a repeat.
_ACK_WITHIN_SECONDS: Final = 30.0


# A broker takes records of the past, and not those of over an hour ahead.
_CLOCK_OFF: Final = (
    "Kafka refuses the time on our records (INVALID_TIMESTAMP): the clock of this projector's machine is over an hour "
    "ahead of the broker's, or the broker's clock is behind. Correct the clock that is wrong (NTP)."
)


class KafkaJudgedStream:
    """The judged stream, read."""

    def __init__(self, address: KafkaAddress, **options: Any) -> None:  # noqa: ANN401 - aiokafka's own
        self._reader = PartitionReader(address, OUTCOMES, **options)

    async def stop(self) -> None:
        """Close the reader."""
        await self._reader.stop()

    async def span(self, kpart: int) -> Span:
        """Return which offsets the partition holds now."""
        return await self._reader.span(kpart)

    async def read(self, kpart: int, start: int, end: int) -> Sequence[tuple[int, bytes | None]]:
        """Return some of the records in [start, end), in order with their offsets; empty only when there is none."""
        records = await self._reader.read(kpart, start, _READ_AT_ONCE)
        return [(record.offset, record.value) for record in records if record.offset < end]


class KafkaStreamInPieces(KafkaJudgedStream):
    """The judged stream in large pieces, for a reader that reads all of a partition."""

    def __init__(self, address: KafkaAddress) -> None:
        super().__init__(address, max_partition_fetch_bytes=_FETCHED_BYTES)

    async def read(self, kpart: int, start: int, end: int) -> Sequence[tuple[int, bytes | None]]:
        """Return some of the records in [start, end), in order with their offsets; empty only when there is none."""
        records = await self._reader.read_on(kpart, start, end, _PIECE, _PIECE_BYTES)
        return [(record.offset, record.value) for record in records if record.offset < end]


class KafkaOutcomeLog(KafkaJudgedStream):
    """The judged stream. One batch in flight per partition, so that no outcome overtakes an unacked one."""

    def __init__(self, address: KafkaAddress, producer: KeptProducer) -> None:
        super().__init__(address)
        # `app` opens and closes it.
        self._kept = producer

    async def publish(self, kpart: int, outcomes: Sequence[ToPublish]) -> int:
        """Append in this order, wait for the ack of all, and return the offset after the last.

        Raises ClockOffError when the broker does not take the time of this machine, and whatever Kafka raises.
        """
        producer = await self._kept.get()
        rest = list(outcomes)
        next_offset = 0
        try:
            async with asyncio.timeout(_ACK_WITHIN_SECONDS):
                while rest:
                    batch, taken = _fill(producer.create_batch(), rest)
                    acked = await producer.send_batch(batch, OUTCOMES, partition=kpart)
                    next_offset = _offset_in(await acked) + taken
                    rest = rest[taken:]
        except InvalidTimestampError as error:
            self._kept.broken(producer, _CLOCK_OFF)
            raise ClockOffError(_CLOCK_OFF) from error
        except Exception as error:
            # The fate is unknown, so the retry needs a producer with a sequence of its own.
            self._kept.broken(producer, loggable(error))
            raise
        return next_offset


def _offset_in(ack: Any) -> int:  # noqa: ANN401 - aiokafka ships no types
    offset: int = ack.offset
    if offset < 0:
        raise RuntimeError("acked as a repeat, of which the broker no longer knows the offset")
    return offset


def _fill(batch: Any, outcomes: Sequence[ToPublish]) -> tuple[Any, int]:  # noqa: ANN401 - aiokafka ships no types
    for taken, outcome in enumerate(outcomes):
        if batch.append(timestamp=None, key=outcome.key, value=outcome.body) is None:
            if taken == 0:
                raise RuntimeError(f"the outcome of record {outcome.source_offset} is too large for a batch")
            return batch, taken
    return batch, len(outcomes)
