"""Sent: which ticks were sent, and when each is sent again.

A tick may be lost, may expire on its way, or may reach the log before its deadline because clocks differ. Then the row
stays where it was, and the tick is sent again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from services.projector.ports import DueOwner

# The first repeat comes soon, because clocks differ by parts of a second. Later ones must not flood a log whose fold is
# behind, or fails on this owner.
_PAUSES_SECONDS: Final = (1.0, 4.0, 16.0, 60.0)
# Beyond this all are forgotten. Some ticks are then sent too early, and each is a void record.
_REMEMBERED_MAX: Final = 100_000


@dataclass(slots=True)
class _Repeat:
    """How often a tick was sent, and when it is sent again."""

    times: int
    at: float


class SentTicks:
    """Remembers ticks for as long as their rows stand still."""

    def __init__(self) -> None:
        self._repeats: dict[DueOwner, _Repeat] = {}
        self._forget_at = 0.0

    def __len__(self) -> int:
        return len(self._repeats)

    def to_send(self, rows: Iterable[DueOwner], now: float) -> list[DueOwner]:
        """Return the rows for which a tick is to be sent now, and remember it as sent. `now` is monotonic."""
        return [row for row in rows if self._is_time(row, now)]

    def not_sent(self, rows: Iterable[DueOwner], now: float) -> None:
        """Begin anew with rows whose ticks did not reach the log: they are sent again after the first pause."""
        self._repeats |= {row: _Repeat(0, now + _PAUSES_SECONDS[0]) for row in rows}

    def forget(self, now: float) -> None:
        """Forget ticks whose rows were not read for a while: the rows have moved."""
        if now < self._forget_at:
            return
        longest = _PAUSES_SECONDS[-1]
        self._forget_at = now + longest
        gone = [row for row, repeat in self._repeats.items() if now - repeat.at > longest]
        for row in gone:
            del self._repeats[row]
        if len(self._repeats) > _REMEMBERED_MAX:
            self._repeats.clear()

    def _is_time(self, row: DueOwner, now: float) -> bool:
        repeat = self._repeats.setdefault(row, _Repeat(0, now))
        if now < repeat.at:
            return False
        repeat.at = now + _PAUSES_SECONDS[min(repeat.times, len(_PAUSES_SECONDS) - 1)]
        repeat.times += 1
        return True
