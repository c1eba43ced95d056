"""Backoff: how long to wait before a retry, and what is logged of the failures.

The wait doubles with each failure, so that retries do not keep a part down. A failure that repeats is logged seldom.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog

from shared.process.logs import loggable

# An alert on an alarm looks back ten minutes, so an alarm that lasts is logged again before that.
LOGGED_AGAIN_AFTER_SECONDS: Final = 300.0


class Backoff:
    """How long to wait before a retry: twice as long each time, up to a limit, until one succeeds."""

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
        """Begin again at `first_seconds`, after a success."""
        self.failures = 0


class Setbacks:
    """Logs a failure that repeats: when it begins, when it fails in another way, and every 5 minutes while it lasts.

    It is an alarm. Within its first `passing_seconds` it is a warning: a part that restarts is back by then.
    """

    def __init__(self, event: str, passing_seconds: float = 0.0, monotonic: Callable[[], float] | None = None) -> None:
        self._event = event
        self._passing_seconds = passing_seconds
        self._monotonic = monotonic or time.monotonic
        self._since: float | None = None
        self._last: tuple[str, bool] | None = None
        self._logged_at = 0.0
        self._log = structlog.get_logger()

    def failed(self, error: Exception, **fields: object) -> None:
        """Count one failure, and log it if it is new, or lasts by now, or was logged long ago."""
        problem, now = loggable(error), self._monotonic()
        if self._since is None:
            self._since = now
        lasts = now - self._since >= self._passing_seconds
        if (problem, lasts) == self._last and now - self._logged_at < LOGGED_AGAIN_AFTER_SECONDS:
            return
        self._last, self._logged_at = (problem, lasts), now
        if lasts:
            self._log.error(self._event, error=problem, **fields)
        else:
            self._log.warning(self._event, error=problem, **fields)

    def recovered(self) -> None:
        """Begin anew with the next failure, after a success."""
        self._since = self._last = None
