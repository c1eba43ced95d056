"""The identity of a process: its pid and the moment of its start. A pid alone is reused, the two together are not."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")
STATE, STARTED = 0, 19  # fields of /proc/PID/stat, counted after the name


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, for as long as the machine is up."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Return the process that has `pid` now; None when there is none, or only a zombie."""
        started = _started_linux(pid) if PROC.is_dir() else _started_elsewhere(pid)
        return None if started is None else cls(pid, started)

    @classmethod
    def mine(cls) -> Self:
        """Return this process."""
        me = cls.of(os.getpid())
        if me is None:
            raise RuntimeError("this process has no entry in the process table")
        return me

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return what `write` wrote; None when the file is missing or not whole."""
        try:
            pid, _, started = path.read_text().strip().partition(" ")
        except FileNotFoundError:
            return None
        return cls(int(pid), started) if pid.isdigit() and started else None

    def write(self, path: Path) -> None:
        """Write one line that `read` understands. Whole or not at all."""
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(f"{self.pid} {self.started}\n")
        fresh.replace(path)

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Identity.of(self.pid) == self

    def signal(self, number: int) -> None:
        """Send a signal to this process, never to another that has its pid by now. An ended process is fine."""
        if self.alive:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def _started_linux(pid: int) -> str | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text()
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in parentheses and may hold anything, parentheses and spaces too.
    fields = stat.rpartition(")")[2].split()
    return None if fields[STATE] in "ZX" else f"{boot}:{fields[STARTED]}"


def _started_elsewhere(pid: int) -> str | None:
    # No /proc (macOS): `ps` knows, to the second.
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607 - wherever this system keeps its ps
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    return None if not shown or shown[0].startswith("Z") else "-".join(shown[1:])
