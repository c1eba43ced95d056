"""Dead letters: events that no release can read, which Postgres lists and the log has, and commands of their topic."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from services.stint_cli.store import query
from services.stint_cli.terminal.command import moment
from services.stint_cli.trouble import Trouble
from services.stint_cli.watch.diagnosis import Diagnosis
from services.stint_cli.watch.log import LogReader
from shared.events.topics import COMMANDS, DEAD, EVENTS
from shared.kafka.clients import ConsumerRecord

_AT_ONCE: Final = 500
# They are kept, so older ones are no news.
_NEW_FOR: Final = timedelta(days=1)
# The header in which a command that could not be read says why.
_REASON: Final = "dead_reason"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that could not be read: on which topic, where, since when, and why."""

    topic: str
    kpart: int
    offset: int
    log_time: datetime
    reason: str

    @property
    def as_json(self) -> dict[str, Any]:
        """The record as JSON, without its bytes."""
        return {
            "topic": self.topic,
            "at": f"{self.kpart}:{self.offset}",
            "log_time": moment(self.log_time),
            "reason": self.reason,
        }


async def list_events(conn: asyncpg.Connection, most: int) -> list[DeadLetter]:
    """Return the newest events that could not be read, the newest first."""
    rows = await conn.fetch(query("list_dead_letters"), most)
    return [DeadLetter(EVENTS, *row) for row in rows]


async def list_commands(log: LogReader, most: int) -> list[DeadLetter]:
    """Return the newest commands that could not be read and are still there, the newest first."""
    await log.require(DEAD, 0)
    held = (await log.held(DEAD, [0]))[0]
    found: list[DeadLetter] = []
    stop = held.end
    while stop > held.begin and len(found) < most:
        # A part of the log may hold fewer records than offsets, so the next one is further back.
        start = max(held.begin, stop - min(_AT_ONCE, most - len(found)))
        found += reversed(await _commands_between(log, start, stop))
        stop = start
    return found


async def _commands_between(log: LogReader, start: int, stop: int) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    offset = start
    while offset < stop and (records := await log.read(DEAD, 0, offset, stop - offset)):
        found += [_command(record) for record in records if record.offset < stop]
        offset = records[-1].offset + 1
    return found


async def of_the_dead_letters(conn: asyncpg.Connection, log: LogReader) -> Diagnosis:
    """Return how many records could not be read, and what to do about those of the last day."""
    since = datetime.now(UTC) - _NEW_FOR
    row = await conn.fetchrow(query("count_dead_letters"), since)
    first_new = await log.since(DEAD, 0, since)
    held = (await log.held(DEAD, [0]))[0]
    events, new = (0, 0) if row is None else (row["count"], row["new"])
    commands, new_commands = held.end - held.begin, 0 if first_new is None else held.end - first_new
    found = (
        f"{events} events ({new} of the last day) and {commands} commands ({new_commands} of the last day) "
        "could not be read"
    )
    advice = []
    if new:
        advice.append(
            f"Another program writes to {EVENTS}: find it with `stint dead-letters list`, and remove its right."
        )
    if new_commands:
        advice.append(f"Tell those who write to {COMMANDS} why they were not read: `stint dead-letters list` says it.")
    more = {"events": events, "new": new, "commands": commands, "new_commands": new_commands}
    return Diagnosis("dead letters", found, " ".join(advice) or None, more)


def _command(record: ConsumerRecord) -> DeadLetter:
    reasons = [value for name, value in record.headers if name == _REASON and value is not None]
    # A dead letter that was sent once more has the reason of before as well.
    reason = reasons[-1].decode(errors="replace") if reasons else "unknown"
    return DeadLetter(DEAD, record.partition, record.offset, _time_of(record), reason)


async def bytes_of(log: LogReader, topic: str, kpart: int, offset: int) -> dict[str, Any]:
    """Return a record with its bytes. Raise Trouble when the log has none there."""
    await log.require(topic, kpart)
    record = await log.first_from(topic, kpart, offset)
    if record is None or record.offset != offset:
        hint = f" A place on {DEAD} needs --command." if topic == EVENTS else ""
        raise Trouble(f"{topic} has no record at {kpart}:{offset}: look at `stint dead-letters list`.{hint}")
    headers: Sequence[tuple[str, bytes | None]] = record.headers
    return {
        "topic": topic,
        "at": f"{kpart}:{offset}",
        "log_time": moment(_time_of(record)),
        "key": _bytes(record.key),
        "headers": [{"name": name, "value": _bytes(value)} for name, value in headers],
        "value": _bytes(record.value),
    }


def _bytes(raw: bytes | None) -> dict[str, str] | None:
    """Return bytes so that none is lost, and as text where they are text."""
    if raw is None:
        return None
    data = {"base64": base64.b64encode(raw).decode()}
    try:
        return data | {"text": raw.decode()}
    except UnicodeDecodeError:
        return data


def _time_of(record: ConsumerRecord) -> datetime:
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)
