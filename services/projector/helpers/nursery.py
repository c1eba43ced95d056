"""The nursery: a process that makes helpers by fork, and does nothing else.

A helper that was started as a program would import for most of a second. The nursery is a fork of its owner, made when
the owner has imported what helpers run, and has no loop, no thread and no connection yet. So what it forks begins at
once, and shares nothing that two processes must not share. It waits on a socket that its owner alone has, and ends with
its owner, however that ends.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Final, NoReturn, Self

import structlog

from shared.process.logs import told

# What a helper does, on a socket that its owner has the other end of.
Work = Callable[[socket.socket], object]

_PLEASE: Final = b"."
# A fork takes milliseconds.
_WITHIN_SECONDS: Final = 10.0


class Nursery:
    """Makes helpers that do `work`. Make it before the first loop, thread and connection; it ends with `close`."""

    def __init__(self, work: Work) -> None:
        ours, theirs = socket.socketpair()
        # What is not written yet would be written twice.
        sys.stdout.flush()
        # A look for cycles writes into all that it looks at, and both processes would have copies of their own.
        gc.freeze()
        try:
            self.pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if self.pid == 0:
            ours.close()
            _end_after(lambda: _serve(theirs, work))
        theirs.close()
        ours.settimeout(0)
        self._line = ours

    async def helper(self) -> tuple[int, asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a new helper: its process number, what it says, and where it hears. Raises OSError without one."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._line, [_PLEASE], [theirs.fileno()])
            except BaseException:
                ours.close()
                raise
        says, hears = await asyncio.open_unix_connection(sock=ours)
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                number = await says.readline()
        except BaseException:
            hears.close()
            raise
        if not number:
            hears.close()
            raise ConnectionResetError("the nursery could not fork, or has ended")
        return int(number), says, hears

    def close(self) -> None:
        """End the nursery. The helpers that it made go on."""
        self._line.close()
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def __enter__(self) -> Self:
        """Give the nursery."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()


def nursery_for(processes: int, work: Work) -> AbstractContextManager[Nursery | None]:
    """Give a nursery, to be entered; none when no helpers are wanted, or none can be made: nothing rests on them."""
    try:
        return Nursery(work) if processes else nullcontext()
    except OSError as error:
        structlog.get_logger().warning("helper_not_started", error=told(error))
        return nullcontext()


def _serve(line: socket.socket, work: Work) -> None:
    # A signal from the terminal is for the owner, and so are its input and its output.
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    signal.signal(signal.SIGCHLD, _forget_those_that_ended)
    while True:
        asked, ends, _, _ = socket.recv_fds(line, len(_PLEASE), 1)
        if not asked:
            return  # the owner has ended
        [end] = ends
        try:
            pid = os.fork()
        except OSError:  # no memory, or no more processes: the owner sees that its socket is closed, and asks again
            os.close(end)
            continue
        if pid == 0:
            line.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _end_after(lambda: _help(socket.socket(fileno=end), work))  # noqa: B023 - called at once
        os.close(end)


def _help(owner: socket.socket, work: Work) -> None:
    owner.sendall(b"%d\n" % os.getpid())
    work(owner)


def _forget_those_that_ended(*_: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _end_after(work: Callable[[], object]) -> NoReturn:
    """Work, and end this process without what its parent would do at its own end."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - the stack below is the parent's, and nothing may come to it
        traceback.print_exc()
    finally:
        os._exit(status)
