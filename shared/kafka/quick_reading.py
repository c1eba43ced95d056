"""Reading with a request and its answer: for loops that want what comes next, when they have room for it.

aiokafka's fetcher (0.14.0) serves many callers: a task asks, another waits for the answer, a third is woken to take the
records. It asks again as soon as records are taken. So what a loop takes has waited while the loop was busy with what
came before, although all that came meanwhile would have been there for the asking. Here the loop itself asks, and
nothing is asked while it is busy.
Records are aiokafka's own, as its code in C decodes them; its consumer would copy each into one of Python.
With care: an upgrade of aiokafka. Compare `Fetcher._proc_fetch_request`, `PartitionRecords` and `getmany` with what
they were.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import structlog
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from shared.kafka.lenient_records import LenientRecords
from shared.process.logs import loggable
from shared.process.turns import others_first

# Of one answer, beyond its first batch: some 1,500 packed presses.
MAX_FETCH_BYTES: Final = 256 * 1024
# Of one poll. More would hold a fold for longer than a session likes, and Postgres gains little by it.
MAX_RECORDS: Final = 400
MAX_RECORDS_BYTES: Final = 1024 * 1024

# Partition, the offset that was asked for, the broker's code, and the bytes of the log.
_Part = tuple[int, int, int, bytes]

_AFTER_AN_ERROR_SECONDS: Final = 0.05
_LOGGED_EVERY_SECONDS: Final = 5.0
# Of the broker's codes, those that another request will not cure. aiokafka asks again after each other one, too.
_LASTING: Final = (OffsetOutOfRangeError, TopicAuthorizationFailedError)

_log = structlog.get_logger()


class _PassingError(KafkaError):  # type: ignore[misc] # aiokafka ships no types
    """The broker's answer for a partition was an error that passes by itself, such as that another one leads it now."""

    retriable = True


async def fetch(consumer: Any, place: TopicPartition, offset: int, wait_ms: int) -> tuple[list[Any], int]:  # noqa: ANN401
    """Return records of a partition from an offset on, and the offset after them; none when `wait_ms` is over.

    The consumer is started, and has been asked for offsets of the partition. If it reads too, our request waits behind
    its own. No records either while the broker is away or the partition moves: a caller that needs to know asks for the
    end of the partition.
    Raises KafkaError where a retry will not help, as OffsetOutOfRangeError and TopicAuthorizationFailedError.
    """
    client: Any = consumer._client  # noqa: SLF001 - this room knows the insides of aiokafka
    leader = client.cluster.leader_for_partition(place)
    if leader is None or leader == -1:
        await _after_an_error(client)
        return [], offset
    try:
        for _, _, code, held in await _answer(client, leader, place.topic, {place.partition: offset}, wait_ms):
            return _records(place, offset, code, held)
    except KafkaError as trouble:
        if not trouble.retriable:
            raise
        await _after_an_error(client)
    return [], offset


class _Allowance:
    """What one poll may still return."""

    def __init__(self) -> None:
        self._records = MAX_RECORDS
        self._bytes = MAX_RECORDS_BYTES

    @property
    def used_up(self) -> bool:
        """Whether the rest is for the next poll."""
        return self._records <= 0 or self._bytes <= 0

    def fill(self, records: Iterable[Any]) -> Iterator[Any]:
        """Yield records until there are no more, or it is used up."""
        for record in records:
            self._records -= 1
            self._bytes -= len(record.value or b"")
            yield record
            if self.used_up:
                return


class _Unread:
    """An answer for one partition, read record by record. `next_offset`: behind the last record that was read.

    Raises CorruptRecordException at a batch that is not what was written.
    """

    def __init__(self, place: TopicPartition, batches: LenientRecords, offset: int) -> None:
        self.next_offset = offset
        self._place = place
        self._batches = batches
        self._records = self._read()

    def __iter__(self) -> Iterator[Any]:
        return self._records

    def _read(self) -> Iterator[Any]:
        while (batch := self._batches.next_batch()) is not None:
            if not batch.validate_crc():
                place = f"{self._place.partition}:{self.next_offset}"
                raise CorruptRecordException(f"the batch at {place} is not what was written")
            if not batch.is_control_batch:
                for record in batch:
                    if record.offset >= self.next_offset:
                        self.next_offset = record.offset + 1
                        yield record
            # Compaction may have removed a batch's last records: its own word says where the next batch begins.
            self.next_offset = batch.next_offset


class QuickReader:
    """Reads partitions of one topic from positions of ours, for a member of a group that holds them paused.

    One request is under way to each broker. What an answer has more than a poll may return is for the next polls; until
    then it stays packed, and nothing is asked. When a partition is held or sought, what was asked of it before is
    dropped.
    """

    def __init__(self, consumer: Any, topic: str, wait_ms: int) -> None:  # noqa: ANN401 - aiokafka ships no types
        self._consumer = consumer
        self._client: Any = consumer._client  # noqa: SLF001 - this room knows the insides of aiokafka
        self._topic = topic
        self._wait_ms = wait_ms
        # By partition. Those that have waited longest are asked for first, because an answer is not endless.
        self._next: dict[int, int] = {}
        self._asked: dict[int, asyncio.Task[list[_Part]]] = {}
        # By partition: an answer that is read from its position on.
        self._open: dict[int, _Unread] = {}
        # Partitions that are not asked for before a time, because the last answer was an error that passes by itself.
        self._rests_until: dict[int, float] = {}
        # Errors that do not, with where they were met. The next poll tells those that came beside records of others.
        self._troubles: list[tuple[int, int, KafkaError]] = []
        self._reads = asyncio.Event()
        self._look_at = 0.0
        self._log_at = 0.0

    def read_from(self, partition: int, offset: int) -> None:
        """Read a partition from this offset on."""
        self._next[partition] = offset
        self._open.pop(partition, None)
        self._rests_until.pop(partition, None)
        self._reads.set()

    def hold(self, partition: int) -> None:
        """Read no further in a partition."""
        self._next.pop(partition, None)
        self._open.pop(partition, None)

    def hold_all(self) -> None:
        """Read nothing until `read_from`."""
        self._next.clear()
        self._open.clear()

    def end(self) -> None:
        """Wait for no answer any more."""
        self.hold_all()
        for asked in self._asked.values():
            asked.cancel()
        self._asked.clear()

    async def poll(self, within_seconds: float) -> dict[int, list[Any]]:
        """Return what has come, within bounds; after `within_seconds`, nothing. Raises KafkaError that does not pass.

        OffsetOutOfRangeError holds the positions that the log does not hold, by place, as aiokafka's own does.
        """
        self._consumer._coordinator.check_errors()  # noqa: SLF001 - as `getmany` does
        self._raise_met()
        # A member that does not poll leaves its group. An error within would count as a poll without an end.
        with self._consumer._subscription.fetch_context():  # noqa: SLF001 - as above
            if not self._open:
                self._ask()
            if self._open:
                await asyncio.sleep(0)  # a backlog must not keep the process from all else
            elif self._asked:
                await asyncio.wait(self._asked.values(), timeout=within_seconds, return_when=asyncio.FIRST_COMPLETED)
            else:
                await self._rest(within_seconds)
        answered = [leader for leader, asked in self._asked.items() if asked.done()]
        for leader in answered:
            for part in self._asked.pop(leader).result():
                self._take(*part)
        return self._read()

    def _ask(self) -> None:
        by_leader: dict[int, dict[int, int]] = {}
        now = asyncio.get_running_loop().time()
        self._rests_until = {partition: until for partition, until in self._rests_until.items() if until > now}
        for partition, offset in self._next.items():
            if partition in self._rests_until:
                continue
            leader = self._client.cluster.leader_for_partition(TopicPartition(self._topic, partition))
            if leader is None or leader == -1:
                self._look_for_leaders()
            elif leader not in self._asked:
                by_leader.setdefault(leader, {})[partition] = offset
        for leader, offsets in by_leader.items():
            asking = _answer(self._client, leader, self._topic, offsets, self._wait_ms)
            self._asked[leader] = asyncio.ensure_future(asking)

    def _look_for_leaders(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._look_at:
            self._look_at = now + _AFTER_AN_ERROR_SECONDS
            self._client.force_metadata_update()

    async def _rest(self, within_seconds: float) -> None:
        if self._next:  # no partition has a leader, or all rest
            await asyncio.sleep(_AFTER_AN_ERROR_SECONDS)
            return
        self._reads.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await self._reads.wait()

    def _take(self, partition: int, offset: int, code: int, held: bytes) -> None:
        if self._next.get(partition) != offset or not (code or held):
            return  # held or sought meanwhile, or nothing has come
        try:
            self._open[partition] = _opened(TopicPartition(self._topic, partition), offset, code, held)
        except KafkaError as trouble:
            self._met(partition, offset, trouble)

    def _read(self) -> dict[int, list[Any]]:
        read: dict[int, list[Any]] = {}
        left = _Allowance()
        for partition, records in list(self._open.items()):
            offset, found = records.next_offset, list[Any]()
            try:
                for record in left.fill(records):
                    found.append(record)
            except KafkaError as trouble:
                del self._open[partition]
                if not found:
                    self._met(partition, offset, trouble)
                    continue
                # The next answer begins with what is wrong.
            if records.next_offset != offset:
                del self._next[partition]
                self._next[partition] = records.next_offset
            if found:
                read[partition] = found
            if left.used_up:
                break
            self._open.pop(partition, None)
        if not read:
            self._raise_met()
        return read

    def _met(self, partition: int, offset: int, trouble: KafkaError) -> None:
        """Look for the leader at once, whatever else was in the answer, or remember what `_raise_met` raises."""
        if not trouble.retriable:
            self._troubles.append((partition, offset, trouble))
            return
        now = asyncio.get_running_loop().time()
        self._rests_until[partition] = now + _AFTER_AN_ERROR_SECONDS
        self._look_for_leaders()
        if now >= self._log_at:
            self._log_at = now + _LOGGED_EVERY_SECONDS
            _log.warning("fetch_refused", topic=self._topic, partition=partition, error=loggable(trouble))

    def _raise_met(self) -> None:
        """Raise what was met, unless its partition was held or sought since."""
        met, self._troubles = self._troubles, []
        troubles = [trouble for partition, offset, trouble in met if self._next.get(partition) == offset]
        lost = [trouble.args[0] for trouble in troubles if isinstance(trouble, OffsetOutOfRangeError)]
        if lost:
            raise OffsetOutOfRangeError({place: offset for each in lost for place, offset in each.items()})
        for trouble in troubles:
            raise trouble


async def _answer(client: Any, leader: int, topic: str, offsets: Mapping[int, int], wait_ms: int) -> list[_Part]:  # noqa: ANN401
    await others_first()  # what came of the records before
    wanted = [(partition, offset, MAX_FETCH_BYTES) for partition, offset in offsets.items()]
    try:
        response = await client.send(
            leader, FetchRequest(wait_ms, 1, MAX_FETCH_BYTES, READ_UNCOMMITTED, [(topic, wanted)])
        )
    except KafkaError:
        await _after_an_error(client)
        return []
    return [
        (partition, offsets[partition], code, held)
        for _, partitions in response.topics
        for partition, code, _, *_, held in partitions
    ]


async def _after_an_error(client: Any) -> None:  # noqa: ANN401
    # The broker is away, or a partition moves. The next request goes to where it is by then.
    client.force_metadata_update()
    await asyncio.sleep(_AFTER_AN_ERROR_SECONDS)


def _records(place: TopicPartition, offset: int, code: int, held: bytes) -> tuple[list[Any], int]:
    records = _opened(place, offset, code, held)
    return list(records), records.next_offset


def _opened(place: TopicPartition, offset: int, code: int, held: bytes) -> _Unread:
    if code:
        error = for_code(code)
        raise error({place: offset}) if error in _LASTING else _PassingError(error.__name__)
    batches = LenientRecords(held)
    if not batches.has_next() and batches.size_in_bytes() > 0:
        raise RecordTooLargeError(f"the record at {place.partition}:{offset} is larger than {MAX_FETCH_BYTES} bytes")
    return _Unread(place, batches, offset)
