"""One run per folder. The kernel releases the lock when its process ends, so a lock is never stale."""

import fcntl
import os
from pathlib import Path
from typing import IO

from deploy.local.trouble import Trouble


class Lock:
    """The right to start and end things in one `STINT_HOME`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock, or raise `Trouble` that names its holder. A lock that we hold already is fine."""
        if self._file is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise Trouble(
                f"A stack already runs in {self._path.parents[1]} (pid {self.holder() or 'unknown'}): "
                "`make down` ends it; a second one needs its own STINT_HOME and ports."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Release the lock. A lock that is not held is fine."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def holder(self) -> int | None:
        """Return the pid of the process that holds the lock; None when it is free."""
        try:
            with self._path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    text = file.read().strip()
                    return int(text) if text.isdigit() else None
        except FileNotFoundError:
            return None
        return None
