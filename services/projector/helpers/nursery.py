"""The nursery: a process that makes helpers by fork, and does nothing else.

A helper that was started as a program would import for most of a second. The nursery is a fork of its owner. The owner
makes it after it has imported what helpers run, and before it has a loop, a thread or a connection. So a helper begins
at once, and shares nothing that two processes must not share. The nursery waits on a socket that only its owner has,
and ends with its owner, however the owner ends.
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

from shared.process.logs import loggable

# What a helper does, on a socket that its owner has the other end of.
Work = Callable[[socket.socket], object]

_REQUEST: Final = b"."
# A fork takes milliseconds.
_WITHIN_SECONDS: Final = 10.0


class Nursery:
    """Makes helpers that do `work`. Make it before the first loop, thread and connection; it ends with `close`."""

    def __init__(self, work: Work) -> None:
        ours, theirs = socket.socketpair()
        # Text that is still in the buffer would be written by both processes.
        sys.stdout.flush()
        # Collecting cycles writes into each object, and then the two processes no longer share its page.
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
        """Return a new helper: its process number, its answers and its requests. Raises OSError when there is none."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._line, [_REQUEST], [theirs.fileno()])
            except BaseException:
                ours.close()
                raise
        answers, requests = await asyncio.open_unix_connection(sock=ours)
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                number = await answers.readline()
        except BaseException:
            requests.close()
            raise
        if not number:
            requests.close()
            raise ConnectionResetError("the nursery could not fork, or has ended")
        return int(number), answers, requests

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
    """Return a nursery, to be entered; None inside when no helpers are wanted, or none can be made."""
    try:
        return Nursery(work) if processes else nullcontext()
    except OSError as error:
        structlog.get_logger().warning("helper_not_started", error=loggable(error))
        return nullcontext()


def _serve(line: socket.socket, work: Work) -> None:
    # A signal from the terminal is for the owner, and so are its input and its output.
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    signal.signal(signal.SIGCHLD, _forget_those_that_ended)
    while True:
        request, ends, _, _ = socket.recv_fds(line, len(_REQUEST), 1)
        if not request:
            return  # the owner has ended
        [end] = ends
        try:
            pid = os.fork()
        except OSError:  # no memory, or no more processes: the owner sees that its socket is closed
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
    """Work, and end this process without the steps that its parent takes at its own end."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - the stack below is the parent's: no error may reach it
        traceback.print_exc()
    finally:
        os._exit(status)
