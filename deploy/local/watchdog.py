"""A small process that ends the stack when its supervisor is gone without having done so: kill -9, a closed lid.

It holds one end of a pipe. Nobody writes into it; its other end closes when the supervisor ends, however it ends.
"""

import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from deploy.local import leftovers
from deploy.local.settings import ROOT, Settings


class Watchdog:
    """The supervisor's end of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start watching over us."""
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
        """End it, once there is nothing left to watch over. Not started is fine."""
        if self._child is not None:
            self._child.kill()
            if self._child.stdin:
                self._child.stdin.close()
            self._child.wait()
            self._child = None


def watch(lifeline: IO[bytes], settings: Settings) -> None:
    """Wait for the end of the supervisor, then end what it left."""
    lifeline.read()
    ended = leftovers.end_all(settings)
    print("the supervisor is gone; ended:", ", ".join(ended) or "nothing was left", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor
    watch(sys.stdin.buffer, Settings(home=Path(sys.argv[1])))
