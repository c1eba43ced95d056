"""Threshold: how often one caller may call one URI of dialect B (R19), counted in Postgres for all API processes.

While the count of one caller runs, further requests of that caller wait, and the next count is for all of them. So a
caller that floods us holds one connection, and each of its requests is counted.

With Postgres away or slow, requests go on uncounted, because a press that is lost costs more than a press too many.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import structlog

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import OverThreshold
from services.command_api.store.database import Database, query
from shared.process.logs import loggable

_COUNT_REQUESTS: Final = query("count_requests")

# After a count that failed or was slow, requests of this time go on without one, instead of each waiting in vain.
UNCOUNTED_SECONDS: Final = 1.0
# Requests that went on uncounted are logged together.
LOG_EVERY_SECONDS: Final = 10.0
# So many lines in a row, without one request between them that was counted in time, are an alarm.
LINES_BEFORE_AN_ALARM: Final = 6


class CallerOnUri(NamedTuple):
    """What is counted together. `client` is the token's subject."""

    tenant: str
    client: str
    uri: str


class Counted(NamedTuple):
    """How many of the requests that were counted may go on. The others are locked out for `locked_seconds`."""

    went_on: int
    locked_seconds: int


Count = Callable[[CallerOnUri, int], Awaitable[Counted]]


def counted_in(database: Database, *, per_minute: int, lock_seconds: int) -> Count | None:
    """Return the count of all processes on one database; None: there is no threshold."""

    async def count(key: CallerOnUri, asked: int) -> Counted:
        (row,) = await database.rows(_COUNT_REQUESTS, *key, asked, per_minute, lock_seconds)
        return Counted(row["went_on"], row["locked_seconds"])

    return count if per_minute else None


class SharedThreshold:
    """`desk.Threshold`, over a count that all processes share. `count` None: every request goes on."""

    def __init__(self, count: Count | None, *, within_seconds: float) -> None:
        self._count = count
        self._within_seconds = within_seconds
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[CallerOnUri, list[asyncio.Future[OverThreshold | None]]] = {}
        self._counting: dict[CallerOnUri, asyncio.Task[None]] = {}
        self._uncounted_until = 0.0
        self._uncounted = 0
        self._why = ""
        self._log_at = 0.0
        # Lines in a row; a request that is counted in time ends the row.
        self._lines = 0
        self._log = structlog.get_logger()

    async def over(self, caller: Caller, uri: str) -> OverThreshold | None:
        """Count one request; None: it may go on. Never raises, and takes `within_seconds` at most."""
        if self._count is None:
            return None
        if self._loop.time() < self._uncounted_until:
            self._uncounted += 1
            return None
        key = CallerOnUri(caller.tenant, caller.client, uri)
        answer: asyncio.Future[OverThreshold | None] = self._loop.create_future()
        self._waiting.setdefault(key, []).append(answer)
        if key not in self._counting:
            self._counting[key] = asyncio.create_task(self._count_while_any_waits(self._count, key))
        await asyncio.wait([answer], timeout=self._within_seconds)
        if answer.done():
            return answer.result()
        answer.cancel()
        self._go_on_uncounted(f"no answer within {self._within_seconds:g} s")
        self._uncounted += 1
        return None

    def sweep(self, now: float) -> None:
        """Log the requests that went on uncounted, as one line."""
        if self._uncounted and now >= self._log_at:
            if self._lines >= LINES_BEFORE_AN_ALARM:
                self._log.error("requests_uncounted", requests=self._uncounted, why=self._why)
            else:
                self._log.warning("requests_uncounted", requests=self._uncounted, why=self._why)
            self._lines += 1
            self._uncounted = 0
            self._log_at = now + LOG_EVERY_SECONDS

    async def _count_while_any_waits(self, count: Count, key: CallerOnUri) -> None:
        try:
            while waiting := [answer for answer in self._waiting.pop(key, ()) if not answer.done()]:
                await self._share(waiting, count(key, len(waiting)))
        finally:
            # No await since the last look, so no request came in between.
            del self._counting[key]

    async def _share(self, waiting: "list[asyncio.Future[OverThreshold | None]]", counting: Awaitable[Counted]) -> None:
        try:
            counted = await counting
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the count, presses go on
            self._go_on_uncounted(loggable(error))
            self._uncounted += sum(not answer.done() for answer in waiting)
            counted = Counted(len(waiting), 0)
        else:
            if not all(answer.done() for answer in waiting):
                self._lines = 0
        over = OverThreshold(max(1, counted.locked_seconds))
        for place, answer in enumerate(waiting):
            if not answer.done():
                answer.set_result(None if place < counted.went_on else over)

    def _go_on_uncounted(self, why: str) -> None:
        self._why = why
        self._uncounted_until = self._loop.time() + UNCOUNTED_SECONDS
