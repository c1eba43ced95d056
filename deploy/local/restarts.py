"""How often, and how soon, a part that died is started again. Pure: the time is an argument."""

from collections import deque

PAUSES_SECONDS = (0.5, 1.0, 2.0)
WITHIN_SECONDS = 60.0


class Restarts:
    """The restarts of one part: each pause is longer than the one before, and after the last pause the run ends.

    Deaths older than a minute do not count: a part that dies once an hour is started again for ever.
    """

    def __init__(self) -> None:
        self._deaths: deque[float] = deque()

    def pause_after_death(self, now: float) -> float | None:
        """Count one more death, and return the seconds until the next start; None when it died too often."""
        while self._deaths and now - self._deaths[0] >= WITHIN_SECONDS:
            self._deaths.popleft()
        self._deaths.append(now)
        return PAUSES_SECONDS[self.deaths - 1] if self.deaths <= len(PAUSES_SECONDS) else None

    @property
    def deaths(self) -> int:
        """How many deaths count at present."""
        return len(self._deaths)
