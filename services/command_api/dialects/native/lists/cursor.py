"""Cursors: where a list goes on, as its callers carry it. It names the last row, and the filters or the timer.

A row's key never changes and rows are never withdrawn, so a list that goes on after a key has no gap and no double. A
cursor is no secret and needs no signature: it only says where to begin, in a tenant that the token names.
"""

import base64
import hashlib
import json
import re
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Final

from services.command_api.desk.questions import TimerFilter, TimerKey, ViolationFilter, ViolationKey
from services.command_api.dialects.malformed import Malformed
from shared.events.base import in_utc
from shared.events.durations import UNIX_EPOCH, microseconds
from shared.events.rules import Rule

# The filters, the beginning in microseconds, the timer, and the rule of a finding. A timer's id is a bigint.
_CURSOR: Final = re.compile(rb"([0-9a-f]{16}) (-?[0-9]{1,18}) ([0-9]{1,19}) (\w{1,32})", re.ASCII)
# The timer, and the offset of the last press.
_PRESS_CURSOR: Final = re.compile(rb"press ([0-9]{1,19}) ([0-9]{1,18})", re.ASCII)
_ID_END: Final = 1 << 63
_LENGTH_MAX: Final = 128
# Stands in the place of a rule, in a cursor of the list of timers.
_TIMER: Final = "timer"
_NOT_GIVEN: Final = "cursor is none that this call gave: begin again without one."


def write_cursor(asked: ViolationFilter, last: ViolationKey) -> str:
    """Return the cursor of a page of findings that ended with `last`."""
    return _written(_digest(asked.owner, asked.rule, asked.since, asked.until), last.from_at, last.timer_id, last.rule)


def read_cursor(text: str, asked: ViolationFilter) -> ViolationKey | Malformed:
    """Return where a list of findings with these filters goes on."""
    place = _read(text, _digest(asked.owner, asked.rule, asked.since, asked.until))
    return place if isinstance(place, Malformed) else ViolationKey(*place)


def write_timer_cursor(asked: TimerFilter, last: TimerKey) -> str:
    """Return the cursor of a page of timers that ended with `last`."""
    return _written(_digest(*astuple(asked)), last.started_at, last.timer_id, _TIMER)


def read_timer_cursor(text: str, asked: TimerFilter) -> TimerKey | Malformed:
    """Return where a list of timers with these filters goes on."""
    place = _read(text, _digest(*astuple(asked)))
    return place if isinstance(place, Malformed) else TimerKey(*place[:2])


def write_press_cursor(timer_id: int, last_offset: int) -> str:
    """Return the cursor of a page of a timer's history that ended with the press at `last_offset`."""
    return _encoded(f"press {timer_id} {last_offset}")


def read_press_cursor(text: str, timer_id: int) -> int | Malformed:
    """Return behind which offset the history of this timer goes on."""
    match = _PRESS_CURSOR.fullmatch(_decoded(text))
    return int(match[2]) if match is not None and int(match[1]) == timer_id else _wrong(_NOT_GIVEN)


def _written(digest: str, at: datetime, timer_id: int, word: str) -> str:
    return _encoded(f"{digest} {microseconds(UNIX_EPOCH, at)} {timer_id} {word}")


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(text: str, digest: str) -> tuple[datetime, int, str] | Malformed:
    match = _CURSOR.fullmatch(_decoded(text))
    if match is None or int(match[3]) >= _ID_END:
        return _wrong(_NOT_GIVEN)
    if match[1].decode() != digest:
        return _wrong("cursor was given with other filters: repeat those of its page, or begin again without one.")
    try:
        at = in_utc(UNIX_EPOCH + timedelta(microseconds=int(match[2])))
    except (OverflowError, ValueError):
        return _wrong(_NOT_GIVEN)
    return at, int(match[3]), match[4].decode()


def _decoded(text: str) -> bytes:
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True) if len(text) <= _LENGTH_MAX else b""
    except ValueError:
        return b""


def _digest(*filters: str | datetime | None) -> str:
    values = [each.isoformat() if isinstance(each, datetime) else each for each in filters]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def _wrong(sentence: str) -> Malformed:
    return Malformed(Rule.VALUE_INVALID, "cursor", sentence)
