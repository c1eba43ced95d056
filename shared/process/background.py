"""Background: the tasks of a process that run for ever. One that ends met a bug, and only a new process helps."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import structlog

from shared.process.ending import ended_within


class Background:
    """Runs tasks until `end`. When one ends before, it is logged, and the process ends itself as on SIGTERM."""

    def __init__(self) -> None:
        self.failed = False
        self._ending = False
        self._tasks: list[asyncio.Task[None]] = []
        self._log = structlog.get_logger()

    def begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the others."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def alive(self) -> bool:
        """Return whether every task runs. A probe asks, because the process may take long to end itself."""
        return not any(task.done() for task in self._tasks)

    async def end(self, within_seconds: float) -> None:
        """Cancel all tasks and wait for them, at most `within_seconds`."""
        self._ending = True
        for task in self._tasks:
            task.cancel()
        await ended_within(within_seconds, asyncio.wait(self._tasks), "background")

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._ending:
            return
        error = None if task.cancelled() else task.exception()
        self._log.error("background_ended", task=task.get_name(), exc_info=error)
        self.failed = True
        signal.raise_signal(signal.SIGTERM)
