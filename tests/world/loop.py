"""Virtual time: an event loop whose clock jumps to the next timer. No selector, no socket, no thread, no waiting."""

import asyncio
from asyncio import base_events
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class DeadlockError(Exception):
    """All tasks wait, and no timer is left to wake one."""


class _Jumps:
    """In the place of a selector: it waits for no I/O, and lets the time pass at once."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Let `timeout` seconds pass at once."""
        if timeout is None:
            raise DeadlockError
        self._loop.now += max(timeout, 0.0)
        return []


class VirtualLoop(base_events.BaseEventLoop):
    """asyncio's own loop, over a clock that jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._clock_resolution = 1e-6
        self._selector = _Jumps(self)

    def time(self) -> float:
        """Return seconds since the world began."""
        return self.now

    def _process_events(self, event_list: list[Any]) -> None:
        """Do nothing: there are no events of I/O."""

    def _write_to_self(self) -> None:
        """Do nothing: there is no other thread that could call."""


def run(main: Coroutine[Any, Any, _T], loop: VirtualLoop) -> _T:
    """Run `main` to its end, then cancel the tasks that it leaves behind."""
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
