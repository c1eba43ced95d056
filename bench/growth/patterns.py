"""Patterns: the records of one real cycle, and copies of them for other timers, owners, days and offsets.

Only texts are exchanged, so that the copies have whatever format the product writes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.stint_cli.setup.demo import TENANT
from shared.events.ids import ID_EPOCH, make_short, slot_of, to_long

# Each has ten timers, on the ten days before the pattern's.
TIMERS_OF_AN_OWNER: Final = 10
_OFFSET: Final = re.compile(rb'"source_offset":\d+')
_LOG_TIME: Final = re.compile(rb'"log_time":"[^"]*"')

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Copied:
    """A timer that is filled in. The same number and moment give the same timer in each deployment."""

    number: int
    began: datetime

    @property
    def owner(self) -> str:
        """Its owner."""
        return f"filled-{self.number // TIMERS_OF_AN_OWNER}"

    @property
    def slot(self) -> int:
        """Its owner's slot."""
        return slot_of(TENANT, self.owner)

    @property
    def short(self) -> int:
        """Its short id. One timer a millisecond, so that no two have one id."""
        return make_short((self.began - ID_EPOCH) // timedelta(milliseconds=1) + self.number, self.slot, 0)

    @property
    def timer_id(self) -> str:
        """Its id as callers know it."""
        return to_long(self.short)

    def event_id(self, nth: int) -> UUID:
        """Return the id of its first or second press."""
        return UUID(int=(0xBE << 120) | (self.number << 8) | nth)


@dataclass(frozen=True, slots=True)
class Press:
    """The two records of one press: its event, and its outcome."""

    event_id: str
    key: bytes
    headers: Headers
    event: bytes
    outcome_key: bytes
    outcome: bytes


@dataclass(frozen=True, slots=True)
class Pattern:
    """A start and a stop of one timer, and the texts that differ from timer to timer."""

    owner: str
    short: int
    day: date
    presses: Sequence[Press]

    def changes(self, timer: Copied, nth: int) -> Mapping[bytes, bytes]:
        """Return which texts of a press are exchanged for which."""
        day = self.day - timedelta(days=1 + timer.number % TIMERS_OF_AN_OWNER)
        changes = {
            self.owner: timer.owner,
            str(self.short): str(timer.short),
            self.day.isoformat(): day.isoformat(),
            self.presses[nth].event_id: str(timer.event_id(nth)),
        }
        return {old.encode(): new.encode() for old, new in changes.items()}


def changed(text: bytes, changes: Mapping[bytes, bytes]) -> bytes:
    """Return a text with its parts exchanged."""
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def placed(outcome: bytes, offset: int, log_time_ms: int) -> bytes:
    """Return an outcome that says where its event is on the log, and when the broker wrote it there."""
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=log_time_ms)
    log_time = at.replace(tzinfo=None).isoformat(timespec="microseconds").encode()
    outcome, offsets = _OFFSET.subn(b'"source_offset":%d' % offset, outcome)
    outcome, times = _LOG_TIME.subn(b'"log_time":"%bZ"' % log_time, outcome)
    if (offsets, times) != (1, 1):
        raise ValueError("the outcome does not say its offset and log time once each")
    return outcome
