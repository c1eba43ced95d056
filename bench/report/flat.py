"""Flat or not: what a process held at the beginning of a long load, and at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.report.tables import drawn

# The beginning and the end are this share of all looks, so that one look at a full heap decides nothing.
_SHARE: Final = 0.1
# What may be added while nothing leaks: an allocator's pages; a connection of a pool that was idle before.
_MEMORY_GROWS_MAX: Final = 0.1
_FEW: Final = 5


@dataclass(frozen=True, slots=True)
class Course:
    """One figure of one process over a run."""

    process: str
    what: str
    values: Sequence[float]
    unit: str = ""

    @property
    def begins(self) -> float:
        """The median of the first tenth."""
        return median(self.values[: self._some])

    @property
    def ends(self) -> float:
        """The median of the last tenth."""
        return median(self.values[-self._some :])

    @property
    def _some(self) -> int:
        return max(1, round(len(self.values) * _SHARE))

    @property
    def is_flat(self) -> bool:
        """Whether it ends where it began, but for a tenth and a few."""
        return self.ends <= self.begins * (1 + _MEMORY_GROWS_MAX) + _FEW


def courses_table(courses: Sequence[Course]) -> str:
    """Return a line for each course."""
    lines: list[Sequence[str]] = [("process", "what", "begins", "ends", "most", "")]
    for each in courses:
        figures = (f"{value:,.0f}{each.unit}" for value in (each.begins, each.ends, max(each.values)))
        lines.append((each.process, each.what, *figures, "flat" if each.is_flat else "**not flat**"))
    return drawn(lines)
