"""Ctrl-C and SIGTERM: the first ends the run in order, and further ones are ignored meanwhile."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(Exception):  # noqa: N818 - the end was asked for; nothing went wrong
    """A signal asked for the end of the run."""


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Raise `Ended` inside at the first signal. Later signals are ignored, while processes are ended in order."""

    def end(_number: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Ended

    before = {each: signal.signal(each, end) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore signals inside, because processes are being ended in order already."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold signals back inside: a process that has no pid file yet would not be found and ended."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals arrive in the main thread alone
        return
    received: list[int] = []
    before = {each: signal.signal(each, lambda number, _: received.append(number)) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if received:
            signal.raise_signal(received[0])
