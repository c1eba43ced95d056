"""One long-running program: started in a session of its own, kept in a pid file, ended by pid and start time.

The program's output goes to a log file, and a line in that log says when the program is ready.
"""

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.local.identity import Identity
from deploy.local.interrupts import held_back
from deploy.local.settings import HOST
from deploy.local.trouble import Trouble

PAUSE_SECONDS = 0.02  # between two reads of a log or a pid
LOG_BYTES_MAX = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """A program to start, and the signal that ends it."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    user: int | None = None  # run as this uid and gid; None: as ourselves
    end_signal: signal.Signals = signal.SIGTERM
    folder: Path | None = None
    # Ready when its log says so, or when GET /readyz on this port answers 200.
    ready_line: str | None = None
    ready_port: int | None = None


class Process:
    """A `Program` that was started here, and may be started, stopped and killed again."""

    def __init__(self, program: Program, run: Path, logs: Path) -> None:
        self.program = program
        self.name = program.name
        self.log = logs / f"{program.name}.log"
        self._pid_file = run / f"{program.name}.pid"
        self._child: subprocess.Popen[bytes] | None = None
        self._identity: Identity | None = None
        self._log_from = 0

    @property
    def pid(self) -> int | None:
        """The pid while it runs."""
        return self._identity.pid if self._identity and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether the process runs. Reaps a process that has just ended."""
        if self._child is not None:
            return self._child.poll() is None
        return False

    @property
    def exit_status(self) -> int | None:
        """The exit status, or minus the signal that ended it; None while it runs."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        """Start it and return at once; `await_ready` waits."""
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with _open_log(self.log) as log, held_back():
            self._log_from = log.tell()
            self._child = subprocess.Popen(
                list(self.program.argv),
                env=dict(self.program.environ),
                cwd=self.program.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C at the terminal reaches us alone, and we end things in order.
                start_new_session=True,
                user=self.program.user,
                group=self.program.user,
                extra_groups=None if self.program.user is None else [],
            )
            self._identity = Identity.of(self._child.pid)
            if self._identity:
                self._identity.write(self._pid_file)

    def await_ready(self, timeout_seconds: float) -> None:
        """Wait until the program is ready; raise `Trouble` with the log's last line when it ends or takes longer."""
        until = time.monotonic() + timeout_seconds
        while not self.ready:
            if not self.alive:
                raise Trouble(self.failure())
            if time.monotonic() > until:
                raise Trouble(f"{self.name} is not ready after {timeout_seconds:.0f} s: see {self.log}.")
            time.sleep(PAUSE_SECONDS)

    @property
    def ready(self) -> bool:
        """Whether the program has reported that it is ready, since its last start."""
        if self.program.ready_port is not None:
            return _answers_ready(self.program.ready_port)
        return self.program.ready_line is None or self.program.ready_line.encode() in self._logged()

    def _logged(self) -> bytes:
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return log.read()

    def failure(self) -> str:
        """Return one line about its end: the status, the last line of its log, and where the log is."""
        return f"{self.name} {self.ending()}{self.last_line()} - its log: {self.log}."

    def ending(self) -> str:
        """Return how it ended, as the rest of a sentence that its name begins."""
        status = self.exit_status
        if status is not None and status < 0:
            return f"ended with signal {-status} ({_signal_name(-status)})"
        return f"ended with status {status}"

    def last_line(self) -> str:
        """Return ": " and the last line that it logged; nothing when it logged none or a signal ended it."""
        if (self.exit_status or 0) < 0:
            return ""  # a signal comes from outside: the last log line is not the reason
        lines = self._logged().decode(errors="replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last[:300]}" if last else ""

    def stop(self, timeout_seconds: float = 20.0) -> None:
        """Ask the program to end, wait, and end it with -9 after the timeout. An ended program is fine."""
        if self._identity:
            end(self._identity, self.program.end_signal, timeout_seconds, self._child)
        self._forget()

    def kill(self) -> None:
        """End it with -9, as a crash would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._forget()

    def _forget(self) -> None:
        if self._identity and Identity.read(self._pid_file) == self._identity:
            self._pid_file.unlink(missing_ok=True)


def end(
    process: Identity, end_signal: int, timeout_seconds: float, child: subprocess.Popen[bytes] | None = None
) -> None:
    """Signal a process to end and wait; after `timeout_seconds`, use -9. `child` is its handle when we started it."""
    process.signal(end_signal)
    until = time.monotonic() + timeout_seconds
    while process.alive and (child is None or child.poll() is None):
        if time.monotonic() > until:
            process.signal(signal.SIGKILL)
        time.sleep(PAUSE_SECONDS)
    if child is not None:
        child.wait()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # a real-time signal has no name


def _answers_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=1.0)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (http.client.HTTPException, OSError):
        return False
    finally:
        connection.close()


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    log = path.open("ab")
    log.seek(0, os.SEEK_END)
    return log
