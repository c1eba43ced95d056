"""A sick disk: what processes write through to it is slow, or fails, while strace holds them.

strace is the machine's own, or fetched once from Debian. It needs a kernel that lets one process trace another.
"""

import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from deploy.local.process import Process
from deploy.local.settings import Settings
from tests.support.stack.debian import program_in
from tests.support.stack.stacks import CONTAINERS

NEEDS_STRACE: Final = [
    pytest.mark.fault,
    pytest.mark.skipif(CONTAINERS, reason="the processes are in containers"),
]

# The two calls that return when the disk has what was written.
_CALLS: Final = "fsync,fdatasync"
_WITHIN_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.02


def fails_with(errno: str) -> str:
    """Word a disk on which each call fails, as strace wants it."""
    return f"error={errno}"


def takes(seconds: float) -> str:
    """Word a disk on which each call takes so much longer."""
    return f"delay_exit={round(seconds * 1_000_000)}"


class SickDisk:
    """The disk. It counts the calls that met it."""

    def __init__(self, told: Path) -> None:
        self._told = told

    @property
    def calls(self) -> int:
        """The calls that have been slow, or have failed, so far."""
        told = self._told.read_text(errors="replace")
        return told.count("(DELAYED)") + told.count("(INJECTED)")


class Strace:
    """strace, with which a disk is made sick. `folder` takes what it tells."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder

    @contextmanager
    def sick(self, pids: Sequence[int], how: str, files: Sequence[Path] = ()) -> Iterator[SickDisk]:
        """Let processes, and those that they start, have a sick disk: for all that they write, or for `files` alone."""
        told, said = self._folder / "told", self._folder / "said"
        told.write_bytes(b"")
        words = ["-f", "-o", str(told), "-e", f"trace={_CALLS}", "-e", f"inject={_CALLS}:{how}"]
        words += [word for file in files for word in ("-P", str(file.resolve()))]
        words += [word for pid in pids for word in ("-p", str(pid))]
        with said.open("wb") as output:
            tracer = subprocess.Popen([self._program, *words], stdin=subprocess.DEVNULL, stderr=output)
        try:
            _await_attached(tracer, said, pids)
            yield SickDisk(told)
        finally:
            # It lets go of them in order, and a call that it holds returns.
            tracer.terminate()
            tracer.wait()


def _await_attached(tracer: subprocess.Popen[bytes], said: Path, pids: Sequence[int]) -> None:
    until = time.monotonic() + _WITHIN_SECONDS
    while True:
        words = said.read_text(errors="replace")
        attached = {int(pid) for pid in re.findall(r"strace: Process (\d+) attached", words)}
        # A session may end meanwhile.
        if attached and all(pid in attached or not Path(f"/proc/{pid}").exists() for pid in pids):
            return
        if not attached and tracer.poll() is not None:
            raise PermissionError(words)
        assert time.monotonic() < until, words
        time.sleep(_PAUSE_SECONDS)


def strace_in(folder: Path) -> Strace:
    """Return strace, seen at work. Skips the test, with the reason, where there is none, or where it may not trace."""
    try:
        program = program_in(Settings.from_environment().cache, "usr/bin/strace", "strace")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            strace = Strace(program, folder)
            with strace.sick([other.pid], takes(0)):
                return strace
        except PermissionError as error:
            pytest.skip(f"strace cannot trace another process here: {error}")
        finally:
            other.kill()


def children_of(process: Process | None) -> list[int]:
    """Return the processes that a process has started, and that have not ended."""
    pid = pid_of(process)
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pid_of(process: Process | None) -> int:
    """Return the pid of a process that runs."""
    assert process is not None
    assert process.pid is not None
    return process.pid
