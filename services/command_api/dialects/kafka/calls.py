"""The whole way of one command.

1. Read it. What is no command is buried on `timer.dead.v1`, with its bytes and the reason.
2. Look its client up, and ask whether the reply address leads anywhere. A stranger's command is buried too.
3. Record the press, under `ce_id`, and wait for its verdict. A crash leaves a press that may be recorded, and an offset
   that is not committed: the command is read again, is the same press, and gets the first answer.
4. Judged: send the outcome to the service that waits. A crash before its ack leaves the same as 3; the service may get
   the same answer twice.
5. Recorded, and not judged in time, or its answer not taken in time: send the press once more with the service's own
   address, so that the projector answers it. A crash before the ack leaves the same as 3.

A part of ours that is away is waited for, with growing pauses, for as long as it takes: no command is ever skipped. An
address of a service is no part of ours: nothing waits for it.
"""

import asyncio
import time
from typing import Final, assert_never

import structlog

from services.command_api.desk.commands import Asked, Decided, NotRecorded, StartTimer, StillWaiting
from services.command_api.desk.intake.ports import CommandRecord, Intake
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.dialects.kafka.answers import dead_headers, without_bytes
from services.command_api.dialects.kafka.reading import CLIENT_UNKNOWN, Dead, read_command
from services.command_api.dialects.kafka.replying import Replying
from services.command_api.dialects.times import Opening
from shared.events.envelope import ReplyAddress
from shared.events.topics import DEAD
from shared.process.backoff import Backoff, Setbacks

# A tenant's first policy may come some milliseconds after its first command. After so many tries there is none.
TRIES_WITHOUT_POLICY: Final = 5

_DEAD_PARTITION: Final = 0
# A moment's trouble is no alarm: four tries take less than a second, unless each of them waits for its part.
_TRIES_IN_SILENCE: Final = 4
_SECONDS_IN_SILENCE: Final = 5.0
_MAY_PRESS: Final = frozenset({"machine", "admin"})


class _AwayError(Exception):
    """A press was not recorded, because a part is away. The message is the submitter's code."""


# What passes by itself: Kafka, Postgres, or the policies are away.
_AWAY: Final = (_AwayError, ConnectionError, ReadsAwayError)


class Commands:
    """Takes commands, one by one. Different commands may be taken at the same time."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._replying = Replying(intake.letters, intake.answer_within_seconds)
        self._setbacks = Setbacks("commands_waiting")
        self._log = structlog.get_logger()

    async def take(self, record: CommandRecord, *, patient: bool = True) -> bool:
        """Settle one command: on the log and answered, or buried. Return False when its verdict did not come in time.

        `patient` False: an earlier command of its key was not judged in time, so waiting for this one is in vain.
        """
        pauses, began = Backoff(), time.monotonic()
        while True:
            try:
                result = await self._take_once(record, patient=patient, tries=pauses.failures)
            except _AWAY as away:
                if pauses.failures >= _TRIES_IN_SILENCE or time.monotonic() - began >= _SECONDS_IN_SILENCE:
                    self._setbacks.failed(away, partition=record.partition, offset=record.offset)
                await asyncio.sleep(pauses.next())
            else:
                self._setbacks.recovered()
                return result

    async def _take_once(self, record: CommandRecord, *, patient: bool, tries: int) -> bool:
        try:
            wanted = await self._read(record, patient=patient)
            result = wanted if isinstance(wanted, Dead) else await self._press(*wanted, tries)
        except _AWAY:
            raise
        except Exception:  # noqa: BLE001 - a bug in one command must not stop the others
            self._log.exception("command_failed", partition=record.partition, offset=record.offset)
            result = Dead("internal", "Our own code failed on this command, and may have recorded it or not.")
        if isinstance(result, Dead):
            await self._bury(record, result)
            return True
        return result

    async def _read(self, record: CommandRecord, *, patient: bool) -> tuple[Asked, ReplyAddress | None] | Dead:
        parsed = read_command(record, Opening(lambda: record.written_at, self._intake.backdate_days_max))
        if isinstance(parsed, Dead):
            return parsed
        caller = await self._intake.clients.client(parsed.client)
        if caller is None:
            return CLIENT_UNKNOWN
        if caller.tenant != parsed.tenant:
            return Dead("other_tenant", "The client of ce_source belongs to another tenant than the body names.")
        if caller.role not in _MAY_PRESS:
            return Dead("role_may_not_press", "The client of ce_source may read, and may not press.")
        if parsed.reply is not None and not await self._intake.letters.leads_somewhere(
            parsed.reply.topic, parsed.reply.partition
        ):
            return Dead("reply_address", "reply_to or reply_partition does not exist, or we may not see it.")
        seconds = self._intake.answer_within_seconds if patient else 0.0
        return Asked(parsed.command, caller, "kafka", parsed.key, seconds, parsed.traceparent), parsed.reply

    async def _press(self, asked: Asked, reply: ReplyAddress | None, tries: int) -> bool | Dead:
        match await self._intake.recorder.judged(asked):
            case Decided(outcome=outcome):
                if reply is not None and not await self._replying.settled(reply, outcome):
                    await self._pass_on(asked, reply)
                return True
            case StillWaiting():
                # Without a reply address too: the start's id may turn out to be taken, and this one draws another.
                if reply is not None or isinstance(asked.command, StartTimer):
                    await self._pass_on(asked, reply)
                return False
            case NotRecorded(why="no_policy") if tries >= TRIES_WITHOUT_POLICY and self._intake.policies_read():
                return Dead("no_policy", "The tenant has no policy: its operators set the first one.")
            case NotRecorded(why=why):
                raise _AwayError(why)
            case what:
                assert_never(what)

    async def _pass_on(self, asked: Asked, reply: ReplyAddress | None) -> None:
        passed_on = await self._intake.recorder.pass_on(asked, reply)
        if isinstance(passed_on, NotRecorded):
            raise _AwayError(passed_on.why)

    async def _bury(self, record: CommandRecord, dead: Dead) -> None:
        self._intake.tally.buried[dead.reason] += 1
        self._log.warning("command_buried", reason=dead.reason, partition=record.partition, offset=record.offset)
        letters, headers = self._intake.letters, dead_headers(record, dead)
        if await letters.send(DEAD, _DEAD_PARTITION, record.value, record.key, headers):
            return
        # With our headers the record may be too large. Its value then stays where it was read, for seven days.
        if not await letters.send(DEAD, _DEAD_PARTITION, b"", None, dead_headers(without_bytes(record), dead)):
            raise ConnectionError(f"{DEAD} does not take dead letters")
