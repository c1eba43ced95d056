"""The helpers of one process: started when a partition is far behind, ended when none is.

    wanted -> waits for a place -> given to a helper -> done, or given up
                                       |
                                       +-- no longer wanted: the helper drops it

One helper takes two partitions. Read from the store how far each of them came, whatever happened to its helper.
"""

import asyncio
import itertools
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from services.projector.helpers.helper import PARTITIONS_AT_ONCE
from services.projector.helpers.nursery import Nursery
from services.projector.ports import Skipped
from shared.process.logs import loggable

_END_WITHIN_SECONDS: Final = 6.0
# A piece is committed within a second or two. A helper without an answer for a minute hangs: its owner goes on alone.
_SILENT_SECONDS: Final = 60.0

_log = structlog.get_logger()

# Called after each commit, with the offset from which the judged stream is read on.
Reached = Callable[[int], None]


@dataclass(slots=True)
class _Share:
    reached: Reached
    skipped: Skipped
    done: asyncio.Future[None]
    # Whether its helper has answered since the last check.
    answered: bool = False


@dataclass(slots=True)
class _Process:
    pid: int
    answers: asyncio.StreamReader
    requests: asyncio.StreamWriter
    work: dict[int, _Share] = field(default_factory=dict)

    def request(self, **line: int) -> None:
        # When the helper has died, its answers end, and `_listen` notices.
        self.requests.write(json.dumps(line).encode() + b"\n")

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def take_answer(self, line: bytes) -> None:
        answer = json.loads(line)
        if (work := self.work.get(answer["work"])) is None:
            return  # it was dropped
        work.answered = True
        match answer:
            case {"outcomes_next": int(outcomes_next)}:
                work.reached(outcomes_next)
            case {"skipped": [int(offset), str(reason)]}:
                work.skipped(offset, reason)
            case {"failed": _}:
                del self.work[answer["work"]]
                if not work.done.done():
                    work.done.set_result(None)
            case _:
                pass


def _ignore(_: int) -> None:
    pass


class HelperProcesses:
    """At most `processes` helpers, from a nursery; none without one."""

    def __init__(self, nursery: Nursery | None, processes: int) -> None:
        self._nursery = nursery
        self._processes = processes
        self._places = asyncio.Semaphore(processes * PARTITIONS_AT_ONCE)
        self._waiting = 0
        self._numbers = itertools.count()
        self._helpers: list[_Process] = []
        self._starting = asyncio.Lock()
        self._listening: set[asyncio.Task[None]] = set()

    async def catch_up(self, kpart: int, skipped: Skipped, reached: Reached = _ignore) -> None:
        """Bring a partition nearer to the end of its judged stream. See `ports.Helpers`."""
        if self._nursery is None or not self._processes:
            return
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            await self._hand_over(await self._helper_with_a_place(self._nursery), kpart, skipped, reached)
        except OSError as error:  # no memory, or no more processes
            _log.warning("helper_not_started", error=loggable(error))
        finally:
            self._places.release()

    async def _hand_over(self, helper: _Process, kpart: int, skipped: Skipped, reached: Reached) -> None:
        share = _Share(reached, skipped, asyncio.get_running_loop().create_future())
        helper.work[number := next(self._numbers)] = share
        helper.request(work=number, fill=kpart)
        try:
            await self._await_end(helper, share)
        finally:
            if helper.work.pop(number, None) is not None:
                helper.request(drop=number)
            if not self._waiting and not helper.work:
                self._dismiss(helper)

    async def _await_end(self, helper: _Process, share: _Share) -> None:
        while not share.done.done():
            share.answered = False
            await asyncio.wait([share.done], timeout=_SILENT_SECONDS)
            if not share.done.done() and not share.answered:
                _log.warning("helper_silent", pid=helper.pid)
                helper.kill()
                return

    async def stop(self) -> None:
        """End all helpers. What they have not committed is not done."""
        for helper in list(self._helpers):
            self._dismiss(helper)
        if self._listening:
            await asyncio.wait(self._listening, timeout=_END_WITHIN_SECONDS)

    async def _helper_with_a_place(self, nursery: Nursery) -> _Process:
        async with self._starting:
            # Take the helper with the least work. Start one only when each has work, so two partitions use two cores.
            idlest = min(self._helpers, key=lambda helper: len(helper.work), default=None)
            if idlest is not None and (not idlest.work or len(self._helpers) >= self._processes):
                return idlest
            helper = _Process(*await nursery.helper())
            self._helpers.append(helper)
            listening = asyncio.create_task(self._listen(helper), name=f"helper {helper.pid}")
            self._listening.add(listening)
            listening.add_done_callback(self._listening.discard)
            _log.info("helper_started", pid=helper.pid)
            return helper

    async def _listen(self, helper: _Process) -> None:
        try:
            # Its answers end with the process.
            while line := await helper.answers.readline():
                helper.take_answer(line)
        except ConnectionError:
            pass
        finally:
            self._forget(helper)
            helper.requests.close()
            _log.info("helper_ended", pid=helper.pid)

    def _dismiss(self, helper: _Process) -> None:
        self._forget(helper)
        if not helper.requests.is_closing():
            helper.requests.write_eof()

    def _forget(self, helper: _Process) -> None:
        with suppress(ValueError):
            self._helpers.remove(helper)
        for work in helper.work.values():
            if not work.done.done():
                work.done.set_result(None)
        helper.work.clear()
