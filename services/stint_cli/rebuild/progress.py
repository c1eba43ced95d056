"""Progress, on stderr: a bar with an estimate at a terminal, else a line every few seconds."""

import sys
import time
from collections.abc import Mapping
from typing import Any, Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

_LINE_EVERY_SECONDS: Final = 5.0
_WORDS: Final = {
    "fill": "Filling, outcomes",
    "index": "Making indexes",
    "compare": "Comparing tables",
    "switch": "Switching",
}
_AGAIN: Final = "Filling what came meanwhile, outcomes"


class ProgressDisplay:
    """The progress of one rebuild, stage by stage. `quiet`: nothing is drawn."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        stage, counted = TextColumn("{task.description}"), (TaskProgressColumn(), MofNCompleteColumn())
        columns = (stage, BarColumn(), *counted, TimeRemainingColumn())
        self.bars = Progress(*columns, console=Console(stderr=True)) if sys.stderr.isatty() and not quiet else None
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, tuple[float, int]] = {}
        self._printed: tuple[str, float] = ("", 0.0)

    def __enter__(self) -> Self:
        if self.bars is not None:
            self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bars is not None:
            self.bars.stop()

    def show(self, line: Mapping[str, Any]) -> None:
        """Draw what one line says."""
        stage, done, total = line["stage"], line["done"], line["total"]
        words = _WORDS.get(stage, stage)
        if self.bars is not None:
            if stage not in self._tasks:
                self._tasks[stage] = self.bars.add_task(words, total=total)
            self.bars.update(self._tasks[stage], completed=done, total=total)
        elif not self._quiet:
            self._print(stage, words, done, total)

    def _print(self, stage: str, words: str, done: int, total: int) -> None:
        now = time.monotonic()
        before, at = self._printed
        # What came meanwhile is filled between later stages, mostly at once. A line only where that lasts.
        again = stage != before and stage in self._begun
        if (again or stage == before) and now - at < _LINE_EVERY_SECONDS:
            return
        self._printed = (before if again else stage, now)
        begun, had = self._begun.setdefault(stage, (now, done))
        left = ""
        if now > begun and done > had and not again:
            left = f", about {(total - done) * (now - begun) / (done - had):.0f} s left"
        print(f"{_AGAIN if again else words}: {done} of {total}{left}", file=sys.stderr)
