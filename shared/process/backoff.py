"""Backoff: how long to wait between two tries, and what is said of them.

A pause grows with each failure, so that what is down is not kept down by us. A failure that comes again is told once,
not at every try.
"""

import structlog

from shared.process.logs import told


class Backoff:
    """How long to wait before the next try: twice as long each time, up to a limit, until something succeeds."""

    def __init__(self, first_seconds: float = 0.1, most_seconds: float = 5.0) -> None:
        self.failures = 0
        self._first_seconds = first_seconds
        self._most_seconds = most_seconds

    def next(self) -> float:
        """Count a failure, and return how many seconds to wait."""
        seconds = min(self._first_seconds * 2.0 ** min(self.failures, 60), self._most_seconds)
        self.failures += 1
        return seconds

    def reset(self) -> None:
        """Take a success: the next failure is the first again."""
        self.failures = 0


class Setbacks:
    """Logs what keeps failing: once when it begins, and once when it fails in another way, not at every try."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._last: str | None = None
        self._log = structlog.get_logger()

    def failed(self, error: Exception, **fields: object) -> None:
        """Take one failure."""
        problem = told(error)
        if problem != self._last:
            self._last = problem
            self._log.error(self._event, error=problem, **fields)

    def recovered(self) -> None:
        """Take a success: the next failure is news again."""
        self._last = None
