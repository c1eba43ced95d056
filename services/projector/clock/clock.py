"""The clock's rounds: several times a second, a tick for each owner for whom something is due on our LIVE partitions.

    1. Read what is due, a page of each partition. A crash leaves all rows as they were.
    2. Send a tick for each owner who got none lately. A crash leaves rows with a tick on the log, or without one.
    3. The fold commits the tick, and the row moves with it. Until then the tick is sent again, after a pause.

The fold waits for nothing here. Kafka or Postgres that are away delay ticks, and nothing else.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from services.projector.clock.looks import PolicyLooks
from services.projector.clock.sent import SentTicks
from services.projector.clock.tick import tick_for
from services.projector.ports import Clock, Deadlines, DueOwner, TickExpiredError, Ticks
from shared.events.policies.book import PolicyBook
from shared.process.backoff import Backoff
from shared.process.logs import loggable

_ROUND_SECONDS: Final = 0.3
# Rows of each partition in each round. The fold takes many times as many, so presses do not wait behind ticks.
PAGE: Final = 200
# Deadlines are in microseconds, log times in whole milliseconds, and clocks differ a little.
_MARGIN: Final = timedelta(milliseconds=50)
_LATE_AFTER: Final = timedelta(seconds=30)
# A projector that has just taken a partition up finds what fell due while there was none.
_CATCH_UP_SECONDS: Final = 30.0
_ALARM_EVERY_SECONDS: Final = 60.0
_RETRY_SECONDS_MAX: Final = 2.0


class DeadlineClock:
    """Sends ticks for the partitions that `live` returns. `now` is the machine's clock, in UTC."""

    def __init__(
        self,
        *,
        deadlines: Deadlines,
        ticks: Ticks,
        book: PolicyBook,
        live: Callable[[], Sequence[int]],
        clock: Clock,
        now: Callable[[], datetime],
    ) -> None:
        self._deadlines = deadlines
        self._ticks = ticks
        self._book = book
        self._live = live
        self._clock = clock
        self._now = now
        self._looks = PolicyLooks(deadlines, ticks, book, live, clock, now)
        self._sent = SentTicks()
        # Since when each LIVE partition is watched, and the row after which its next page begins.
        self._since: dict[int, float] = {}
        self._after: dict[int, DueOwner] = {}
        # When the oldest row of each partition fell due, as its first page was read last.
        self._oldest: dict[int, datetime] = {}
        # When the first of the reads began that have failed since the last success; None: the last read succeeded.
        self._unread_since: datetime | None = None
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._failing: set[int] = set()
        self._alarm_at = 0.0
        self._log = structlog.get_logger()

    @property
    def oldest_due_at(self) -> datetime | None:
        """When the oldest deadline fell due that was not folded at the last read; None: there is none.

        While nothing can be read, one may have fallen due just after the last read.
        """
        unread_since = [] if self._unread_since is None else [self._unread_since]
        return min([*self._oldest.values(), *unread_since], default=None)

    async def run(self) -> None:
        """Watch deadlines and policies, for ever. An error of either ends both, and is raised."""
        both = [
            asyncio.create_task(self._watch(), name="clock of deadlines"),
            asyncio.create_task(self._looks.run(), name="clock of policies"),
        ]
        try:
            await asyncio.gather(*both)
        finally:
            for task in (*both, *self._sending.values()):
                task.cancel()

    async def _watch(self) -> None:
        backoff = Backoff(_ROUND_SECONDS, _RETRY_SECONDS_MAX)
        wait_seconds = _ROUND_SECONDS
        while True:
            await self._clock.sleep(wait_seconds)
            self._begin_round()
            # A partition whose ticks are on their way is left out, so that a slow one holds up no other.
            asked = {kpart: self._after.get(kpart) for kpart in self._since if kpart not in self._sending}
            asked_at = self._now()
            try:
                found = await self._deadlines.due(asked, asked_at - _MARGIN, PAGE) if asked else {}
            except Exception as error:  # noqa: BLE001 - Postgres is away; retry
                if not backoff.failures:
                    self._log.warning("deadlines_not_read", error=loggable(error))
                self._note_failure(error, asked_at)
                wait_seconds = backoff.next()
                continue
            backoff.reset()
            wait_seconds = _ROUND_SECONDS
            self._unread_since = None
            self._note_oldest(asked, found)
            self._alarm_if_late(asked, found)
            for kpart in asked:
                self._take_page(kpart, found.get(kpart, ()))

    def _begin_round(self) -> None:
        now = self._clock.monotonic()
        live = self._live()
        self._since = {kpart: self._since.get(kpart, now) for kpart in live}
        self._after = {kpart: row for kpart, row in self._after.items() if kpart in self._since}
        self._oldest = {kpart: due_at for kpart, due_at in self._oldest.items() if kpart in self._since}
        self._sent.forget(now)

    def _take_page(self, kpart: int, rows: Sequence[DueOwner]) -> None:
        # A full page is followed by the next one, and the last page by the first. So rows whose ticks are on their way
        # never delay the rows behind them.
        if len(rows) == PAGE:
            self._after[kpart] = rows[-1]
        else:
            self._after.pop(kpart, None)
        owners = self._sent.to_send(rows, self._clock.monotonic())
        if owners:
            task = asyncio.create_task(self._send(kpart, owners), name="clock, sending")
            self._sending[kpart] = task
            task.add_done_callback(lambda _: self._sending.pop(kpart, None))

    async def _send(self, kpart: int, owners: Sequence[DueOwner]) -> None:
        now = self._now()
        try:
            await self._ticks.send(kpart, [tick_for(row.tenant, row.owner, now, self._book.position) for row in owners])
        except Exception as error:  # noqa: BLE001 - Kafka is away; what is still due is sent again
            if kpart not in self._failing:
                self._log.warning("ticks_not_sent", partition=kpart, ticks=len(owners), error=loggable(error))
            self._failing.add(kpart)
            # An expired tick is on the log for ever, so the pauses between such ticks go on growing.
            if not isinstance(error, TickExpiredError):
                self._sent.not_sent(owners, self._clock.monotonic())
        else:
            self._failing.discard(kpart)

    def _note_oldest(self, asked: Mapping[int, DueOwner | None], found: Mapping[int, Sequence[DueOwner]]) -> None:
        for kpart in (kpart for kpart, after in asked.items() if after is None):
            if rows := found.get(kpart):
                self._oldest[kpart] = rows[0].due_at
            else:
                self._oldest.pop(kpart, None)

    def _note_failure(self, error: Exception, asked_at: datetime) -> None:
        """Raise an alarm, once a minute, when nothing could be read for over 30 s: what fell due meanwhile is late."""
        now = self._clock.monotonic()
        if self._unread_since is None:
            # Not when the read failed: it may have waited for seconds, and what fell due meanwhile was not read.
            self._unread_since = asked_at
        unread = self._now() - self._unread_since
        if unread > _LATE_AFTER and now >= self._alarm_at:
            self._alarm_at = now + _ALARM_EVERY_SECONDS
            self._log.error("deadlines_late", unread_seconds=round(unread.total_seconds()), error=loggable(error))

    def _alarm_if_late(self, asked: Mapping[int, DueOwner | None], found: Mapping[int, Sequence[DueOwner]]) -> None:
        """Raise an alarm about the oldest deadline, once a minute, when it is over 30 s late."""
        now = self._clock.monotonic()
        oldest = min(
            (
                rows[0]
                for kpart, rows in found.items()
                if asked[kpart] is None and now - self._since[kpart] >= _CATCH_UP_SECONDS
            ),
            default=None,
        )
        late = timedelta(0) if oldest is None else self._now() - oldest.due_at
        if oldest is not None and late > _LATE_AFTER and now >= self._alarm_at:
            self._alarm_at = now + _ALARM_EVERY_SECONDS
            self._log.error("deadlines_late", partition=oldest.kpart, late_seconds=round(late.total_seconds()))
