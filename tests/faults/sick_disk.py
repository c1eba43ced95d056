"""A sick disk: what processes write through to it is slow, or fails, while strace holds them.

strace is the machine's own, or fetched once from Debian. It needs a kernel that lets one process trace another.
"""

import asyncio
import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
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
_LETS_GO_WITHIN_SECONDS: Final = 20.0
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
        self._told = folder / "told"
        self._said = folder / "said"

    @asynccontextmanager
    async def sick(
        self, pids: Callable[[], Sequence[int]], how: str, files: Sequence[Path] = ()
    ) -> AsyncIterator[SickDisk]:
        """Let processes, and those that they start, have a sick disk: for all that they write, or for `files` alone.

        `pids` is asked again once all are held. One that began meanwhile would have a disk that is well.
        """
        tracer = await self._holding(pids, how, files)
        try:
            yield SickDisk(self._told)
        finally:
            await asyncio.to_thread(_let_go, tracer)

    async def _holding(
        self, pids: Callable[[], Sequence[int]], how: str, files: Sequence[Path]
    ) -> "subprocess.Popen[bytes]":
        until = time.monotonic() + _WITHIN_SECONDS
        while True:
            wanted = pids()
            tracer = self._started(wanted, how, files)
            try:
                while not self._has_attached(tracer, wanted, until):  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(_PAUSE_SECONDS)
                if not any(_is_at_large(pid, tracer) for pid in pids()):
                    return tracer
            except BaseException:
                await asyncio.to_thread(_let_go, tracer)
                raise
            await asyncio.to_thread(_let_go, tracer)

    def _started(self, pids: Sequence[int], how: str, files: Sequence[Path]) -> "subprocess.Popen[bytes]":
        self._told.write_bytes(b"")
        words = ["-f", "-o", str(self._told), "-e", f"trace={_CALLS}", "-e", f"inject={_CALLS}:{how}"]
        words += [word for file in files for word in ("-P", str(file.resolve()))]
        words += [word for pid in pids for word in ("-p", str(pid))]
        with self._said.open("wb") as output:
            return subprocess.Popen([self._program, *words], stdin=subprocess.DEVNULL, stderr=output)

    def _has_attached(self, tracer: "subprocess.Popen[bytes]", pids: Sequence[int], until: float) -> bool:
        words = self._said.read_text(errors="replace")
        attached = {int(pid) for pid in re.findall(r"strace: Process (\d+) attached", words)}
        if not attached and tracer.poll() is not None:
            raise PermissionError(words)
        assert time.monotonic() < until, words
        # A session may end meanwhile.
        return bool(attached) and all(pid in attached or not Path(f"/proc/{pid}").exists() for pid in pids)


def _is_at_large(pid: int, tracer: "subprocess.Popen[bytes]") -> bool:
    """Say whether a process lives, and the tracer does not hold it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return f"TracerPid:\t{tracer.pid}\n" not in status


def _let_go(tracer: "subprocess.Popen[bytes]") -> None:
    # It lets go of them in order, and a call that it holds returns.
    tracer.terminate()
    try:
        tracer.wait(_LETS_GO_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        # The kernel lets go of what a tracer held that is no more.
        tracer.kill()
        tracer.wait()


async def strace_in(folder: Path) -> Strace:
    """Return strace, seen at work. Skips the test, with the reason, where there is none, or where it may not trace."""
    try:
        program = program_in(Settings.from_environment().cache, "usr/bin/strace", "strace")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    other = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        strace = Strace(program, folder)
        async with strace.sick(lambda: [other.pid], takes(0)):
            return strace
    except PermissionError as error:
        pytest.skip(f"strace cannot trace another process here: {error}")
    finally:
        other.kill()
        await other.wait()


def children_of(process: Process | None) -> list[int]:
    """Return the processes that a process has started, and that have not ended."""
    pid = pid_of(process)
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pid_of(process: Process | None) -> int:
    """Return the pid of a process that runs."""
    assert process is not None
    assert process.pid is not None
    return process.pid
