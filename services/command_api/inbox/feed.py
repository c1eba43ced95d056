"""The feed of commands: FastStream's broker reads `timer.commands.v1`, and we commit what is settled.

    read a round ---> settle all of it ---> commit the end of each of its partitions ---> read the next

A crash anywhere before the commit means that the round is read again, by the API that has the partition then. A command
that is read twice is the same press (`shared/events/idempotency.py`).
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from faststream.kafka import KafkaBroker

from services.command_api.desk.intake.ports import CommandRecord
from services.command_api.inbox.rounds import Take, settle
from shared.events.topics import COMMANDS
from shared.kafka.clients import (
    LOG_APPEND_TIME,
    AIOKafkaConsumer,
    ConsumerRecord,
    KafkaAddress,
    KafkaError,
    TopicPartition,
    log_time_of,
)
from shared.kafka.feed import WHOLE_RECORDS, WITHIN_SECONDS, feed_broker, read_for_ever
from shared.process.backoff import Setbacks

_LOOK_EVERY_SECONDS: Final = 10.0
# An empty poll takes this long, and then sleeps as long again.
_POLL_MS: Final = 50
# The topic keeps a command for seven days, so one that is read again is no older.
_KEPT: Final = timedelta(days=8)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


class CommandsFeed:
    """Reads commands until the process ends, and replaces a consumer that died or stalls."""

    def __init__(
        self, address: KafkaAddress, group_id: str, *, session_timeout_ms: int, at_once: int, take: Take
    ) -> None:
        self._address = address
        self._group_id = group_id
        self._session_timeout_ms = session_timeout_ms
        self._at_once = at_once
        self._take = take
        self._settling = False
        self._failed = False
        self._uncommitted = Setbacks("commands_not_committed")
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Read, for ever."""
        await read_for_ever(self._broker, self._watch, "commands_feed_lost")

    def _broker(self) -> KafkaBroker:
        broker = feed_broker(self._address)
        subscriber = broker.subscriber(
            COMMANDS,
            group_id=self._group_id,
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=max(self._session_timeout_ms // 5, 100),
            batch=True,
            batch_timeout_ms=_POLL_MS,
            max_records=self._at_once,
            # Open transactions are read too: one that never ends would hold up everybody's commands (ADR 14).
            isolation_level="read_uncommitted",
            **WHOLE_RECORDS,
        )
        self._failed = False

        async def take_round(records: Sequence[ConsumerRecord]) -> None:
            await self._take_round(subscriber.consumer, records)

        subscriber(take_round)
        return broker

    async def _take_round(self, consumer: AIOKafkaConsumer, records: Sequence[ConsumerRecord]) -> None:
        if self._failed:
            return  # the next consumer reads this again
        self._settling = True
        try:
            now = datetime.now(UTC)
            await settle([_command(record, now) for record in records], self._take)
            await self._commit(consumer, {r.partition: r.offset + 1 for r in records})
        except Exception:  # noqa: BLE001 - FastStream would go on with the next round, whose commit would skip this one
            self._failed = True
            self._log.exception("commands_round_failed")
        finally:
            self._settling = False

    async def _commit(self, consumer: AIOKafkaConsumer, ends: dict[int, int]) -> None:
        """Commit. What is not committed is read again some day, and is then known: so a failure costs time alone."""
        mine = consumer.assignment()
        offsets = {tp: ends[tp.partition] for tp in mine if tp.partition in ends}
        try:
            if offsets:
                async with asyncio.timeout(WITHIN_SECONDS):
                    await consumer.commit(offsets)
        except (KafkaError, OSError) as error:
            self._uncommitted.failed(error)
        else:
            self._uncommitted.recovered()

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Never return. Raises when a round failed, or when nothing is read from one look to the next."""
        ended_before: dict[TopicPartition, int] = {}
        was_at: dict[TopicPartition, int] = {}
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            if self._failed:
                raise RuntimeError("a round failed: reading it again")
            if self._settling:
                ended_before = {}  # its commands wait for parts that are away, and a new consumer would not help
                continue
            mine = consumer.assignment()
            async with asyncio.timeout(WITHIN_SECONDS):
                ends = await consumer.end_offsets(mine)
                passed = {tp: await consumer.position(tp) for tp in mine}
            for tp in ended_before.keys() & ends.keys():
                # One that moves may take many looks to reach an end.
                if passed[tp] == was_at.get(tp) and passed[tp] < ended_before[tp] and not self._settling:
                    raise ConnectionError(f"partition {tp.partition} stalled at {passed[tp]}")
            ended_before, was_at = ends, passed


def _command(record: ConsumerRecord, now: datetime) -> CommandRecord:
    written_at = log_time_of(record)
    if record.timestamp_type != LOG_APPEND_TIME:
        # A topic that another made: the time is any number of a producer, and backdated starts are judged by it.
        written_at = min(max(written_at, now - _KEPT), now + _CLOCKS_DIFFER)
    return CommandRecord(record.partition, record.offset, record.key, record.value, record.headers, written_at)
