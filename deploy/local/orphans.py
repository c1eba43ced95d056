"""Server processes that outlived their postmaster: found by the folder they work in, and ended.

A postmaster that is killed with -9 leaves its backends. An idle one notices at once and ends, a busy one only after its
statement. Until the last one is gone, Postgres refuses to start on that folder ("pre-existing shared memory block is
still in use"). No pid file names the backends, but each works in the data folder.
"""

import signal
import subprocess
import time
from pathlib import Path

from deploy.local.identity import PROC, Identity

NOTICE_WITHIN_SECONDS = 1.0
GONE_WITHIN_SECONDS = 10.0
PAUSE_SECONDS = 0.02


def working_in(folder: Path, program: str = "postgres") -> list[Identity]:
    """Return the processes that run `program` and work in `folder`. None are found where there is no /proc (macOS)."""
    if not PROC.is_dir() or not folder.exists():
        return []
    pids = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and _is(entry, folder, program))
    processes = [Identity.of(pid) for pid in pids]
    return [process for process in processes if process is not None]


def serves(pid: int, folder: Path) -> bool:
    """Return whether the process `pid` is a Postgres of `folder`. Without /proc: whether it is one at all."""
    if PROC.is_dir():
        return pid in {process.pid for process in working_in(folder)}
    # Any Postgres counts then: a second one on the same folder would ruin the data.
    shown = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)],  # noqa: S607 - wherever this system keeps its ps
        capture_output=True,
        text=True,
        check=False,
    )
    return "postgres" in shown.stdout


def end_orphans(processes: list[Identity]) -> int:
    """Give processes a moment to notice that their postmaster is gone, end the others with -9, and return their number.

    The caller must find them before anything new can start in their folder. No data is lost: the next start recovers.
    """
    left = _after(NOTICE_WITHIN_SECONDS, processes)
    for process in left:
        process.signal(signal.SIGKILL)
    _after(GONE_WITHIN_SECONDS, left)
    return len(left)


def _after(seconds: float, processes: list[Identity]) -> list[Identity]:
    """Wait until all have ended, at most `seconds`, and return those that still live."""
    until = time.monotonic() + seconds
    alive = _alive(processes)
    while alive and time.monotonic() < until:
        time.sleep(PAUSE_SECONDS)
        alive = _alive(alive)
    return alive


def _alive(processes: list[Identity]) -> list[Identity]:
    return [process for process in processes if process.alive]


def _is(entry: Path, folder: Path, program: str) -> bool:
    try:
        # A person's shell may work in that folder too, so the program has to match as well.
        return (entry / "cwd").samefile(folder) and (entry / "exe").readlink().name == program
    except OSError:  # it has just ended, or belongs to another user
        return False
