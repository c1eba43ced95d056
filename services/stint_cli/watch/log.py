"""The log as an operator's command reads it: offsets, and single records. No group, no commit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from services.stint_cli.brokers import end_reader, kafka_answers, start
from services.stint_cli.trouble import Trouble
from shared.kafka.clients import (
    ConsumerRecord,
    KafkaAddress,
    TopicPartition,
    lone_consumer,
    partitions_of,
)

_WITHIN_SECONDS: Final = 15.0
_POLL_MS: Final = 50


@dataclass(frozen=True, slots=True)
class Held:
    """The offsets that a partition holds: from `begin`, up to and without `end`."""

    begin: int
    end: int


class LogReader:
    """One consumer, open during a command."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address
        self._consumer = lone_consumer(address, fetch_max_wait_ms=20)

    async def __aenter__(self) -> Self:
        try:
            await start(self._consumer, self._address)
        except Trouble:
            await end_reader(self._consumer)
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        await end_reader(self._consumer)

    async def require(self, topic: str, kpart: int) -> None:
        """Raise Trouble when there is no such partition. Kafka's client would wait for it, and then name no reason."""
        there = await partitions_of(self._consumer, topic)
        if not there:
            raise Trouble(f"there is no {topic}: run `stint topics`.")
        if kpart not in there:
            raise Trouble(f"{topic} has no partition {kpart}: its last one is {there[-1]}.")

    async def held(self, topic: str, kparts: Iterable[int]) -> dict[int, Held]:
        """Return what each of these partitions holds."""
        asked = [TopicPartition(topic, kpart) for kpart in kparts]
        async with kafka_answers(_WITHIN_SECONDS):
            begin, end = await self._consumer.beginning_offsets(asked), await self._consumer.end_offsets(asked)
        return {tp.partition: Held(begin[tp], end[tp]) for tp in asked}

    async def since(self, topic: str, kpart: int, moment: datetime) -> int | None:
        """Return the first offset whose record the brokers took at a moment or later; None: there is no such record."""
        tp = TopicPartition(topic, kpart)
        async with kafka_answers(_WITHIN_SECONDS):
            found = (await self._consumer.offsets_for_times({tp: int(moment.timestamp() * 1000)}))[tp]
        return None if found is None else found.offset

    async def first_from(self, topic: str, kpart: int, offset: int) -> ConsumerRecord | None:
        """Return the first record at or after an offset; None: the partition holds none there."""
        records = await self.read(topic, kpart, offset, 1)
        return records[0] if records else None

    async def read(self, topic: str, kpart: int, offset: int, most: int) -> Sequence[ConsumerRecord]:
        """Return up to `most` records from an offset on; empty only when the partition holds none there."""
        tp = TopicPartition(topic, kpart)
        held = (await self.held(topic, [kpart]))[kpart]
        self._consumer.assign([tp])
        self._consumer.seek(tp, max(offset, held.begin))
        async with kafka_answers(_WITHIN_SECONDS):
            # Up to the end, not up to a record: the last offsets may be control records, which no reader is given.
            while await self._consumer.position(tp) < held.end:
                if records := await self._consumer.getmany(tp, timeout_ms=_POLL_MS, max_records=most):
                    return list(records[tp])
        return []
