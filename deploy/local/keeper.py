"""The keeper of a run that is up: it notices a part that died, and starts that part again after a pause.

    RUNS ---- died ----> PAUSED ---- pause is over ----> STARTED ---- ready ----> RUNS
                           ^                                |
                           +-------- died once more --------+

A part that dies too often ends the run instead of pausing once more. The keeper never waits for a pause or for a part
to be ready: `look` is called again and again, so one part's restart does not hide the death of another part.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from deploy.local.process import Process
from deploy.local.restarts import WITHIN_SECONDS, Restarts
from deploy.local.trouble import Trouble


@dataclass
class Part:
    """One part of a run. `process` is called at each look, because a start may make a new process.

    `starts_at` is the end of the part's pause; None while the part does not pause.
    """

    name: str
    start: Callable[[], None]
    process: Callable[[], Process]
    restarts: Restarts = field(default_factory=Restarts)
    starts_at: float | None = None


class Keeper:
    """Everything that must run. All parts are ready when the keeper is made."""

    def __init__(
        self, parts: Sequence[Part], say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._parts = parts
        self._say = say
        self._clock = clock
        self._disturbed_at: float | None = None

    def look(self) -> bool:
        """Look at each part once, and return whether all are ready; raise `Trouble` when one died too often."""
        for part in self._parts:
            if part.starts_at is None:
                if not part.process().alive:
                    self._pause_or_give_up(part)
            elif self._clock() >= part.starts_at:
                part.starts_at = None
                part.start()
        return self._all_ready()

    def _pause_or_give_up(self, part: Part) -> None:
        process, now = part.process(), self._clock()
        how = process.ending()
        pause = part.restarts.pause_after_death(now)
        if pause is None:
            deaths = f"{part.name} died {part.restarts.deaths} times within {WITHIN_SECONDS:.0f} s"
            raise Trouble(
                f"{deaths} and is not started again; the last time it {how}{process.last_line()} "
                f"- its log: {process.log}. Put that right, then start anew."
            )
        self._say(f"{part.name} {how}; starting it again in {pause:g} s")
        part.starts_at = now + pause
        self._disturbed_at = now if self._disturbed_at is None else self._disturbed_at

    def _all_ready(self) -> bool:
        # A dead part disturbs the others too: an API without a broker lives, and is not ready.
        if self._disturbed_at is not None and all(
            part.process().alive and part.process().ready for part in self._parts
        ):
            self._say(f"All is ready again, after {self._clock() - self._disturbed_at:.1f} s")
            self._disturbed_at = None
        return self._disturbed_at is None
