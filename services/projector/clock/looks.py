"""Looks: after a new policy, a tick for every owner with a running timer, because deadlines may have come nearer.

    first     as soon as this process has read the policy: a deadline may now be seconds away
    second    35 s later, once more. Presses that an API sent before it had read the policy, and that were on their way
              for up to 30 s, were judged by the old one, and may have written the old deadline again
    mark      after the second, in Postgres. A projector that starts and finds the mark behind sends both looks too, so
              a policy that came while no projector ran needs no code of its own

A crash at any point leaves a mark that is behind, so all of it is done again, by whichever projector is next. That
costs ticks, and changes nothing: a look is a tick.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from services.projector.clock.tick import tick_for
from services.projector.ports import Clock, Deadlines, RunningOwner, Ticks
from shared.events.policies.book import NO_REVISION, PolicyBook
from shared.process.backoff import Setbacks

_ROUND_SECONDS: Final = 1.0
_RETRY_AFTER_SECONDS: Final = 5.0
_SETTLED_AFTER_SECONDS: Final = 35.0
_PASSING_SECONDS: Final = 60.0
# Ticks of one partition before a pause: a tenant may have a hundred thousand running timers.
PAGE: Final = 200
_BETWEEN_TWO_PAGES_SECONDS: Final = 0.3


class PolicyLooks:
    """Looks at all running owners of a tenant whose policy is new, on the partitions that `live` returns."""

    def __init__(
        self,
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
        # The revision up to which each partition was looked at for the first time.
        self._first: dict[int, int] = {}
        # The newest revision that was read here 35 s ago; and the next one, with the moment at which it was seen.
        self._settled = NO_REVISION
        self._settling: tuple[int, float] | None = None
        # One statement at a time: the fold needs the other connections.
        self._asking = asyncio.Lock()
        # What fails, by partition; None: for all of them.
        self._failing: dict[int | None, Setbacks] = {}

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            await self._clock.sleep(_RETRY_AFTER_SECONDS if self._failing else _ROUND_SECONDS)
            self._settle()
            live = self._live()
            self._first = {kpart: self._first[kpart] for kpart in live if kpart in self._first}
            self._failing = {kpart: failing for kpart, failing in self._failing.items() if kpart in {None, *live}}
            try:
                marks = await self._deadlines.looked(live) if live else {}
            except Exception as error:  # noqa: BLE001 - Postgres is away; retry
                self._failed(None, error)
                continue
            self._failing.pop(None, None)
            await asyncio.gather(*(self._look(kpart, mark) for kpart, mark in marks.items()))

    def _settle(self) -> None:
        now = self._clock.monotonic()
        if self._settling is not None and now - self._settling[1] >= _SETTLED_AFTER_SECONDS:
            self._settled, self._settling = self._settling[0], None
        if self._settling is None and self._book.position > self._settled:
            self._settling = (self._book.position, now)

    async def _look(self, kpart: int, mark: int) -> None:
        try:
            await self._look_twice(kpart, mark)
        except Exception as error:  # noqa: BLE001 - Kafka or Postgres is away; begun again in the next round
            self._failed(kpart, error)
        else:
            self._failing.pop(kpart, None)

    async def _look_twice(self, kpart: int, mark: int) -> None:
        position, settled = self._book.position, self._settled
        # At most the position of our own book, even where the mark is higher: until this process reads a later policy,
        # it judges presses without that policy.
        first = self._first.setdefault(kpart, min(mark, position))
        if first < position:
            await self._tick_running(kpart, self._book.changed_within(first, position))
            self._first[kpart] = position
        if mark < settled:
            await self._tick_running(kpart, self._book.changed_within(mark, settled))
            async with self._asking:
                await self._deadlines.save_looked(kpart, settled)

    async def _tick_running(self, kpart: int, tenants: Sequence[str]) -> None:
        """Send a tick to every owner of these tenants with a running timer. Returns after all are acked."""
        after: RunningOwner | None = None
        while tenants:
            async with self._asking:
                owners = await self._deadlines.running(kpart, tenants, after, PAGE)
            if owners:
                now, position = self._now(), self._book.position
                await self._ticks.send(kpart, [tick_for(one.tenant, one.owner, now, position) for one in owners])
            if len(owners) < PAGE:
                return
            after = owners[-1]
            await self._clock.sleep(_BETWEEN_TWO_PAGES_SECONDS)

    def _failed(self, kpart: int | None, error: Exception) -> None:
        if kpart not in self._failing:
            self._failing[kpart] = Setbacks("owners_not_looked_at", _PASSING_SECONDS, self._clock.monotonic)
        self._failing[kpart].failed(error, partition=kpart)
