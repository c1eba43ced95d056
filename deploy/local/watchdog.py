"""A small process that ends the stack when the supervisor ended without doing so: kill -9, a closed lid.

The watchdog reads from a pipe into which nothing is written. The kernel closes the pipe when the supervisor ends.
"""

import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from deploy.local import leftovers
from deploy.local.settings import ROOT, Settings


class Watchdog:
    """The watchdog's process, started and ended by the supervisor."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process that watches this one."""
        self._settings.logs.mkdir(parents=True, exist_ok=True)
        with (self._settings.logs / "watchdog.log").open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "deploy.local.watchdog", str(self._settings.home)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End the watchdog, after the stack has ended. A watchdog that was not started is fine."""
        if self._child is not None:
            self._child.kill()
            if self._child.stdin:
                self._child.stdin.close()
            self._child.wait()
            self._child = None


def watch(pipe: IO[bytes], settings: Settings) -> None:
    """Wait for the end of the supervisor, then end the processes that it left."""
    pipe.read()
    ended = leftovers.end_all(settings)
    print("the supervisor is gone; ended:", ", ".join(ended) or "nothing was left", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor
    watch(sys.stdin.buffer, Settings(home=Path(sys.argv[1])))
