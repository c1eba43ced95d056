"""Virtual time: an event loop whose clock jumps to the next timer. No selector, no socket, no thread, no waiting."""

import asyncio
from asyncio import base_events
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class DeadlockError(Exception):
    """Everything waits, and no timer will ever wake anything."""


class _Jumps:
    """Stands where a selector would: instead of waiting for I/O, it lets the time pass."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Let `timeout` seconds pass at once."""
        if timeout is None:
            raise DeadlockError
        self._loop.now += max(timeout, 0.0)
        return []


class VirtualLoop(base_events.BaseEventLoop):
    """asyncio as it is, over a clock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._clock_resolution = 1e-6
        self._selector = _Jumps(self)

    def time(self) -> float:
        """Return seconds since the world began."""
        return self.now

    def _process_events(self, event_list: list[Any]) -> None:
        """Do nothing: there are none."""

    def _write_to_self(self) -> None:
        """Do nothing: nobody calls from another thread."""


def run(main: Coroutine[Any, Any, _T], loop: VirtualLoop) -> _T:
    """Run to its end, and end whatever it leaves behind."""
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
