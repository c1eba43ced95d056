"""Backoff: what keeps failing is told once, not at every try."""

import structlog


class Setbacks:
    """Logs what keeps failing: once when it begins, and once when it fails in another way, not at every try."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._last: str | None = None
        self._log = structlog.get_logger()

    def met(self, error: Exception, **fields: object) -> None:
        """Take one failure."""
        if repr(error) != self._last:
            self._last = repr(error)
            self._log.error(self._event, error=self._last, **fields)

    def over(self) -> None:
        """Take a success: the next failure is news again."""
        self._last = None
