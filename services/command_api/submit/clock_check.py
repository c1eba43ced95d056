"""Whether the broker's clock and ours agree, by the time in every ack.

A press that is recorded by a wrong clock would be void.
"""

import asyncio
from typing import Final

import structlog

# A process that is not ready gets no presses, and so no acks to compare. After this time it is ready again, on trial.
DOUBT_SECONDS: Final = 60.0


class ClockCheck:
    """Compares the broker's times with ours."""

    def __init__(self, off_seconds_max: float) -> None:
        self._off_ms_max = int(off_seconds_max * 1000)
        self._loop = asyncio.get_running_loop()
        self._doubted_until = 0.0
        self._log = structlog.get_logger()

    @property
    def agrees(self) -> bool:
        """Whether no ack of the last minute was too far off."""
        return self._loop.time() >= self._doubted_until

    def compare(self, log_time_ms: int, sent_ms: int, acked_ms: int) -> None:
        """Take one ack. The broker's time should lie between our send and our ack, even if the ack took long."""
        off_ms = max(sent_ms - log_time_ms, log_time_ms - acked_ms)
        if off_ms > self._off_ms_max:
            if self.agrees:
                self._log.error("clock_disagrees", off_ms=off_ms, log_time_ms=log_time_ms, sent_ms=sent_ms)
            self._doubted_until = self._loop.time() + DOUBT_SECONDS
        elif not self.agrees:
            self._log.info("clock_agrees_again", off_ms=off_ms)
            self._doubted_until = 0.0
