"""Replies: verdicts on their way back to the requests that wait for them.

A process owns one random partition of the replies' topic, without a group, and is positioned at its end before the
process is ready. One loop reads, one validation decodes a record, and one future wakes one request: there is no task
and no timer for each request. Of an outcome only the members that an answer needs are read (`BriefOutcome`), unless the
request passes the whole outcome on.

A reply is accepted when request id and event id are those of a press that waits. Request ids are in the headers of
every event. A command on Kafka whose `reply_to` names this topic is buried (`dialects/kafka/reading`).
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import structlog

from services.command_api.submit.sender import Acked, Unacked
from shared.events.brief import BriefOutcome, read_brief_replies
from shared.events.outcome import NewerOutcomeError, Outcome, UnreadableOutcomeError, read_replies
from shared.events.rules import Rule
from shared.events.topics import REPLIES, REPLY_PARTITIONS
from shared.kafka.clients import AIOKafkaConsumer, ConsumerRecord, TopicPartition, end_consumer
from shared.kafka.quick_reading import fetch
from shared.process.backoff import Setbacks
from shared.process.ending import ended_within

# How long a fetch waits when there is no reply. When one arrives, the fetch is answered at once.
FETCH_WAIT_MS: Final = 500
LOOK_EVERY_SECONDS: Final = 5.0
WITHIN_SECONDS: Final = 15.0
RETRY_AFTER_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Overdue:
    """The log has the press, and no verdict came in time."""

    acked: Acked


Fate = BriefOutcome | Outcome | Unacked | Overdue


class Waiter:
    """One request that waits. Its future is resolved once, by the first of these.

        SENT ---- acked in time ---> ACKED ---- deadline --------> Overdue
         |  |                          |
         |  +-------- reply -----------+-------------------------> the outcome
         |
         +------- not sent, of unknown fate, acked too late -----> Unacked

    The deadline alone never ends SENT, because the caller must learn whether the press is recorded. The sender reports
    a fate by its own deadline; if the waiter's deadline is past by then, an ack gives Overdue at once.
    """

    __slots__ = ("_acked", "_deadline", "_expires_ms", "_overdue", "event_id", "fate", "request_id", "whole")

    def __init__(
        self,
        request_id: str,
        event_id: UUID,
        fate: "asyncio.Future[Fate]",
        deadline: float,
        expires_ms: int,
        *,
        whole: bool,
    ) -> None:
        self.request_id = request_id
        self.event_id = event_id
        self.fate = fate
        self.whole = whole
        self._deadline = deadline
        self._expires_ms = expires_ms
        self._acked: Acked | None = None
        self._overdue = False

    def on_fate(self, fate: Acked | Unacked) -> None:
        """Take the fate of the send. The reply may have come first."""
        if isinstance(fate, Unacked):
            self.resolve(fate)
        elif fate.log_time_ms is None or fate.offset < 0:
            self.resolve(Unacked("fate_unknown"))
        elif fate.log_time_ms > self._expires_ms:
            self.resolve(Unacked("expired"))  # the fold will judge it void
        else:
            self._acked = fate
            if self._overdue:
                self.resolve(Overdue(fate))

    def sweep(self, now: float) -> None:
        """After the deadline, stop waiting for the verdict; without an ack, wait on for the fate of the send."""
        if now >= self._deadline:
            self._overdue = True
            if self._acked is not None:
                self.resolve(Overdue(self._acked))

    def resolve(self, fate: Fate) -> None:
        """Wake the request, unless it was woken before."""
        if not self.fate.done():
            self.fate.set_result(fate)


class Waiters:
    """All requests of this process that wait, by request id."""

    def __init__(self, waiters_max: int) -> None:
        # Another process may have had this partition before, and replies to its presses may still arrive.
        self._prefix = uuid4().hex[:12]
        self._waiters_max = waiters_max
        self._count = 0
        self._waiting: dict[str, Waiter] = {}
        self._loop = asyncio.get_running_loop()
        self._log = structlog.get_logger()

    def __len__(self) -> int:
        return len(self._waiting)

    def open(self, event_id: UUID, until: float, expires_at: datetime, *, whole: bool = False) -> Waiter | None:
        """Register a waiter until `until` (loop time), before its press is sent; None: too many wait already.

        `whole`: the request needs all of its outcome.
        """
        if len(self._waiting) >= self._waiters_max:
            return None
        self._count += 1
        request_id = f"{self._prefix}-{self._count}"
        expires_ms = int(expires_at.timestamp() * 1000)
        waiter = Waiter(request_id, event_id, self._loop.create_future(), until, expires_ms, whole=whole)
        self._waiting[request_id] = waiter
        return waiter

    def close(self, waiter: Waiter) -> None:
        """Forget a waiter, resolved or not."""
        self._waiting.pop(waiter.request_id, None)

    def need_whole(self, request_id: str) -> bool:
        """Return whether a request waits that needs all of its outcome."""
        waiter = self._waiting.get(request_id)
        return waiter is not None and waiter.whole

    def answer(self, request_id: str, outcome: BriefOutcome | Outcome) -> None:
        """Take one reply."""
        waiter = self._waiting.get(request_id)
        if waiter is not None and waiter.event_id != outcome.event_id:
            self._log.error("reply_mismatched", event_id=str(waiter.event_id), told_of=str(outcome.event_id))
        elif waiter is not None and not waiter.fate.done():
            waiter.resolve(outcome)
        elif outcome.verdict == "void" and outcome.rule == Rule.ID_TAKEN and request_id.startswith(self._prefix):
            # The press is not kept and its request has ended. A caller without a key was told the id of another timer.
            self._log.error("id_taken_unheard", event_id=str(outcome.event_id), subject=str(outcome.subject))

    def sweep(self, now: float) -> None:
        """Look at all deadlines."""
        for waiter in list(self._waiting.values()):
            waiter.sweep(now)


class ReplyReader:
    """Reads this process's partition of the replies, and replaces a consumer that died or stalls."""

    def __init__(self, make: Callable[[], AIOKafkaConsumer], waiters: Waiters) -> None:
        self.partition = secrets.randbelow(REPLY_PARTITIONS)
        self.positioned = False
        self._tp = TopicPartition(REPLIES, self.partition)
        self._make = make
        self._waiters = waiters
        self._next_offset: int | None = None
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Read, for ever."""
        setbacks = Setbacks("replies_consumer_lost")
        while True:
            consumer = self._make()
            try:
                async with asyncio.timeout(WITHIN_SECONDS):
                    await consumer.start()
                    await self._position(consumer)
                self.positioned = True
                setbacks.recovered()
                self._log.info("replies_positioned", partition=self.partition, next_offset=self._next_offset)
                await self._read(consumer)
            except Exception as error:  # noqa: BLE001 - the next consumer may work
                setbacks.failed(error, partition=self.partition)
            finally:
                self.positioned = False
                await ended_within(WITHIN_SECONDS, end_consumer(consumer), "replies_consumer")
            await asyncio.sleep(RETRY_AFTER_SECONDS)

    async def _position(self, consumer: AIOKafkaConsumer) -> None:
        begins, ends = await consumer.beginning_offsets([self._tp]), await consumer.end_offsets([self._tp])
        # The first consumer begins at the end. A replacement goes on where the one before was, so no reply is missed.
        known = self._next_offset is not None and begins[self._tp] <= self._next_offset <= ends[self._tp]
        if not known:
            self._next_offset = ends[self._tp]

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        loop = asyncio.get_running_loop()
        look_at, ended_before, was_at = loop.time() + LOOK_EVERY_SECONDS, 0, self._next_offset
        while True:
            records, next_offset = await fetch(consumer, self._tp, self._next_offset or 0, FETCH_WAIT_MS)
            for record in records:
                self._take(record)
            self._next_offset = next_offset
            if loop.time() >= look_at:
                # Consumers get stuck without an error. Replace one that has read nothing of what was there at the last
                # look. One that moves may take many looks to reach an end.
                if self._next_offset == was_at and next_offset < ended_before:
                    raise ConnectionError(f"stalled at {self._next_offset}, behind {ended_before}")
                async with asyncio.timeout(WITHIN_SECONDS):
                    ended_before = (await consumer.end_offsets([self._tp]))[self._tp]
                look_at, was_at = loop.time() + LOOK_EVERY_SECONDS, self._next_offset

    def _take(self, record: ConsumerRecord) -> None:
        self._next_offset = record.offset + 1
        value = record.value or b""
        try:
            replies = read_brief_replies(value)
            need_whole = any(self._waiters.need_whole(reply.request_id) for reply in replies)
            whole = read_replies(value) if need_whole else ()
        except (NewerOutcomeError, UnreadableOutcomeError) as error:
            kinds = str(error) or "newer"
            self._log.error("reply_unreadable", partition=self.partition, offset=record.offset, kinds=kinds)
            return
        for reply in whole or replies:
            self._waiters.answer(reply.request_id, reply.outcome)
