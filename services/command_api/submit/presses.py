"""Presses: one press, from a command to an answer (docs/contract.md, section 4, has all answers).

1. Refuse what cannot be sent: the tenant has no policy, or the policies of the past are not read yet, or the broker was
   never reached. Nothing is recorded.
2. For a start, draw a timer id.
3. Send the text of a start, and wait for its ack. A crash leaves a text whose event id no timer has; it is never shown.
4. Open a waiter, then send the event: the reply may overtake the ack. A crash leaves a press that may be recorded; its
   caller gets no answer and retries, safely under a key.
5. Wait for the verdict. A crash leaves a press that is judged once; a retry under its key gets the first answer.
6. The id was taken (two processes drew it at once): the press is void, so go back to 2, with five draws at most.
7. No verdict before the deadline, but an ack: look the outcome up. While there is none, answer that the press is
   recorded.

A press that is recorded and not judged can be passed on: it is sent once more, under its key, with the address of the
service that waits. The fold knows the press by then, or judges it; either way the projector answers that service.

With care: this order. If the event came before its text, a crash between the two would keep the minutes and lose the
comment.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final, Protocol, assert_never

import structlog

from services.command_api.desk.commands import Answer, Asked, Decided, NotRecorded, Position, StillWaiting, answer_of
from services.command_api.desk.desk import Policies, Reads
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.submit.lookup import look, repeated
from services.command_api.submit.press import OutgoingPress, press_of
from services.command_api.submit.replies import Fate, Overdue, Waiters
from services.command_api.submit.sender import Acked, Sender, Unacked, send_and_wait
from shared.events.brief import BriefOutcome
from shared.events.envelope import ReplyAddress, encode_headers
from shared.events.ids import TimerIds, partition_of
from shared.events.outcome import Outcome
from shared.events.rules import Rule
from shared.events.topics import EVENTS, REPLIES, TEXTS
from shared.process.clock import Now

# Two processes may draw one id for one millisecond and one slot. That is rare once, and five times in a row never.
DRAWS_MAX: Final = 5

AnyOutcome = BriefOutcome | Outcome


class PoliciesRead(Policies, Protocol):
    """The rules in force, and how far they are read: a press names that position, and is judged by nothing older."""

    @property
    def position(self) -> int:
        """Return the offset up to which the policies are read."""


class Presses:
    """`desk.Submitter` and `intake.Recorder`, over the log and the replies."""

    def __init__(
        self,
        *,
        sender: Sender,
        waiters: Waiters,
        reply_partition: int,
        policies: PoliciesRead,
        reads: Reads,
        now: Now,
        expiry_seconds: float,
    ) -> None:
        self._sender = sender
        self._waiters = waiters
        self._reply_partition = reply_partition
        self._policies = policies
        self._reads = reads
        self._now = now
        self._expires_after = timedelta(seconds=expiry_seconds)
        self._ids = TimerIds(now)
        self._loop = asyncio.get_running_loop()
        self._log = structlog.get_logger()

    async def submit(self, asked: Asked) -> Answer:
        """Record one press and return what became of it within `asked.wait_seconds`."""
        result = await self._recorded(asked, whole=False)
        return answer_of(result.partition, result.outcome) if isinstance(result, Decided) else result

    async def first_answer(self, asked: Asked) -> Answer | None:
        """Return what became of the same press under its key, None when that is not written down. Records nothing."""
        partitions = self._partitions_for(asked)
        if isinstance(partitions, NotRecorded):
            return partitions
        press = press_of(asked, now=self._now(), expires_after=self._expires_after)
        partition = partition_of(press.slot, partitions)
        try:
            outcome = await repeated(self._reads, press, partition)
        except ReadsAwayError:
            return NotRecorded("reads_away")
        return None if outcome is None else answer_of(partition, outcome)

    async def judged(self, asked: Asked) -> Decided[Outcome] | StillWaiting | NotRecorded:
        """Do the same, and return the outcome as it was written down."""
        result = await self._recorded(asked, whole=True)
        if not isinstance(result, Decided):
            return result
        if isinstance(result.outcome, BriefOutcome):
            raise AssertionError("a waiter that needs the whole outcome is woken by nothing less")  # noqa: TRY004
        return Decided(result.partition, result.outcome)

    async def _recorded(self, asked: Asked, *, whole: bool) -> Decided[AnyOutcome] | StillWaiting | NotRecorded:
        partitions = self._partitions_for(asked)
        if isinstance(partitions, NotRecorded):
            return partitions
        until = self._loop.time() + asked.wait_seconds
        press = press_of(asked, now=self._now(), expires_after=self._expires_after)
        return await self._draw_and_publish(press, partition_of(press.slot, partitions), until, whole=whole)

    async def pass_on(self, asked: Asked, reply: ReplyAddress | None) -> Position | NotRecorded:
        """Record a press whose verdict goes to `reply`. It never expires, because its caller waits without a limit."""
        partitions = self._partitions_for(asked)
        if isinstance(partitions, NotRecorded):
            return partitions
        press = press_of(asked, now=self._now(), expires_after=self._expires_after)
        partition = partition_of(press.slot, partitions)
        timer_id = self._ids.draw(press.slot) if press.draws_an_id else press.timer_id
        if (unwritten := await self._unwritten(press, partition, timer_id)) is not None:
            return NotRecorded(unwritten.why)
        envelope = replace(press.envelope(timer_id, self._policies.position, reply), expires_at=None)
        headers = encode_headers(envelope)
        match await send_and_wait(self._sender, EVENTS, partition, press.key(timer_id), press.body(), headers):
            case Acked(offset=offset, log_time_ms=log_time_ms):
                known = offset >= 0 and log_time_ms is not None
                return Position(partition, offset) if known else NotRecorded("fate_unknown")
            case Unacked(why=why):
                return NotRecorded(why)
            case fate:
                assert_never(fate)

    def _partitions_for(self, asked: Asked) -> int | NotRecorded:
        if self._policies.latest(asked.caller.tenant) is None:
            return NotRecorded("no_policy")
        partitions = self._sender.partitions.get(EVENTS)
        return NotRecorded("not_ready") if partitions is None else partitions

    async def _draw_and_publish(
        self, press: OutgoingPress, partition: int, until: float, *, whole: bool
    ) -> Decided[AnyOutcome] | StillWaiting | NotRecorded:
        for _ in range(DRAWS_MAX):
            timer_id = self._ids.draw(press.slot) if press.draws_an_id else press.timer_id
            if press.text is not None and (unwritten := await self._unwritten(press, partition, timer_id)) is not None:
                return NotRecorded(unwritten.why)
            fate = await self._publish(press, partition, timer_id, until, whole=whole)
            match fate:
                case Unacked(why=why):
                    return NotRecorded(why)
                case Overdue(acked=acked):
                    return await self._overdue(press, partition, timer_id, acked)
                case BriefOutcome() | Outcome() if fate.verdict != "void":
                    return Decided(partition, fate)
                case BriefOutcome() | Outcome() if fate.rule == Rule.ID_TAKEN:
                    continue  # no caller knows this id yet: send the same press with another
                case BriefOutcome() | Outcome():
                    return NotRecorded("expired")
                case _:
                    assert_never(fate)
        self._log.error("timer_ids_exhausted", event_id=str(press.event_id), draws=DRAWS_MAX)
        return NotRecorded("id_taken")

    async def _unwritten(self, press: OutgoingPress, partition: int, timer_id: int | None) -> Unacked | None:
        """Write the press's text, if it has one, and wait for its ack: a press is recorded only together with it."""
        if press.text is None:
            return None
        fate = await send_and_wait(self._sender, TEXTS, partition, press.key(timer_id), press.text, [])
        return fate if isinstance(fate, Unacked) else None

    async def _publish(
        self, press: OutgoingPress, partition: int, timer_id: int | None, until: float, *, whole: bool
    ) -> Fate:
        waiter = self._waiters.open(press.event_id, until, press.expires_at, whole=whole)
        if waiter is None:
            return Unacked("overloaded")
        try:
            reply = ReplyAddress(REPLIES, self._reply_partition, waiter.request_id)
            headers = press.headers(timer_id, self._policies.position, reply)
            self._sender.send(EVENTS, partition, press.key(timer_id), press.body(), headers, waiter.on_fate)
            return await waiter.fate
        finally:
            self._waiters.close(waiter)

    async def _overdue(
        self, press: OutgoingPress, partition: int, timer_id: int | None, acked: Acked
    ) -> Decided[AnyOutcome] | StillWaiting:
        outcome = await look(self._reads, press, partition, timer_id, self._policies.position, acked)
        if outcome is None:
            return StillWaiting(press.event_id, timer_id, Position(partition, acked.offset), press.event.digest)
        return Decided(partition, outcome)
