"""Ids and slots: a timer's id says where its owner lives, without a lookup.

    short = ms since 2020-01-01 (41 bits) | slot (12) | random (10)     18-19 digits, the key in Postgres
    long  = 0xC (4 bits) | short (63) | check (61)                      always 39 digits, < 2^128

`check` is the first 61 bits of SHA-256 of `short` as 8 big-endian bytes. Fields run from the top bit down.
Never: change a layout. Ids are on the log, in other people's databases and in their bookmarks.
"""

import hashlib
import re
import secrets
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from .durations import UNIX_EPOCH

SLOTS: Final = 4096
ID_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)

_SLOT_BITS: Final = 12
_RANDOM_BITS: Final = 10
_MS_BITS: Final = 41
_SHORT_BITS: Final = _MS_BITS + _SLOT_BITS + _RANDOM_BITS
_CHECK_BITS: Final = 61
_MARK: Final = 0xC
SHORT_DIGITS_MAX: Final = 19
_LONG_DIGITS: Final = 39
_DECIMAL: Final = re.compile(r"[0-9]{1,39}", re.ASCII)
_MS: Final = timedelta(milliseconds=1)
# The most ids that a process draws for one millisecond, in all slots. Then it borrows the next millisecond.
_IDS_PER_MS: Final = 1 << _RANDOM_BITS


def slot_of(tenant: str, owner: str) -> int:
    """Return the slot, 0..4095, where all data of `owner` lives."""
    # A tenant's name has no "/", so two pairs never give the same text.
    return zlib.crc32(f"{tenant}/{owner}".encode()) % SLOTS


def slot_of_timer(short: int) -> int:
    """Return the slot that a short timer id carries."""
    return (short >> _RANDOM_BITS) & (SLOTS - 1)


def partition_of(slot: int, partitions: int) -> int:
    """Return the partition of a slot in a deployment of `partitions` partitions (fixed for its life)."""
    return slot % partitions


def make_short(at_ms: int, slot: int, random: int) -> int:
    """Put a short id together. `at_ms` counts from `ID_EPOCH`. Raises ValueError for a field out of its range."""
    if not (0 <= at_ms < 1 << _MS_BITS and 0 <= slot < SLOTS and 0 <= random < 1 << _RANDOM_BITS):
        msg = f"no such id: at_ms={at_ms} slot={slot} random={random}"
        raise ValueError(msg)
    return (at_ms << (_SLOT_BITS + _RANDOM_BITS)) | (slot << _RANDOM_BITS) | random


def first_id_after(moment: datetime) -> int:
    """Return a bound: timers that were drawn up to `moment` have lower short ids, later ones have not."""
    at_ms = (moment - ID_EPOCH) // _MS + 1
    return make_short(min(max(at_ms, 0), (1 << _MS_BITS) - 1), 0, 0)


def _check(short: int) -> int:
    digest = hashlib.sha256(short.to_bytes(8, "big")).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _CHECK_BITS)


def to_long(short: int) -> str:
    """Return the long spelling, always 39 digits."""
    return str((_MARK << (_SHORT_BITS + _CHECK_BITS)) | (short << _CHECK_BITS) | _check(short))


def parse_timer_id(text: str) -> int | None:
    """Return the short id that `text` spells, short (up to 19 digits) or long (39), or None when it spells none.

    A mistyped long id is None. A mistyped short id is another timer's, or no timer's, and only the log knows which.
    """
    if not _DECIMAL.fullmatch(text):
        return None
    number = int(text)
    if len(text) <= SHORT_DIGITS_MAX:
        return number if number < 1 << _SHORT_BITS else None
    if len(text) != _LONG_DIGITS or number >> (_SHORT_BITS + _CHECK_BITS) != _MARK:
        return None
    short = (number >> _CHECK_BITS) & ((1 << _SHORT_BITS) - 1)
    return short if number & ((1 << _CHECK_BITS) - 1) == _check(short) else None


class TimerIds:
    """Draws short ids for new timers. One process, one of these: it never draws the same id twice."""

    def __init__(self, now: Callable[[], datetime], random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._now = now
        self._random_bits = random_bits
        self._last_ms = -1
        self._drawn: set[int] = set()

    def draw(self, slot: int) -> int:
        """Return an id that this process has not drawn before, in `slot`."""
        # The clock of ids never goes back, even when the machine's does. Otherwise an id could be drawn twice.
        at_ms = max((self._now() - ID_EPOCH) // _MS, self._last_ms)
        if at_ms == self._last_ms and len(self._drawn) >= _IDS_PER_MS:
            at_ms += 1  # bounds what is remembered while the machine's clock catches up after a step back
        if at_ms > self._last_ms:
            self._drawn.clear()
        for _ in range(1 << (_RANDOM_BITS + 1)):
            short = make_short(at_ms, slot, self._random_bits(_RANDOM_BITS))
            if short not in self._drawn:
                break
        else:  # a thousand in one millisecond and one slot: borrow the next millisecond
            at_ms += 1
            self._drawn.clear()
            short = make_short(at_ms, slot, self._random_bits(_RANDOM_BITS))
        self._last_ms = at_ms
        self._drawn.add(short)
        return short


def fresh_event_id(now: datetime) -> UUID:
    """Return a version 7 UUID (RFC 9562, section 5.7) for a press without an Idempotency-Key."""
    ms = (now - UNIX_EPOCH) // _MS
    chance = secrets.randbits(12 + 62)  # one system call for both parts
    return UUID(int=(ms << 80) | (0x7 << 76) | (chance >> 62 << 64) | (0b10 << 62) | chance & ((1 << 62) - 1))
