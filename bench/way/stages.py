"""Stages: which a press passes, and how long after the client's write."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import median, quantiles
from typing import Final

from bench.report.tables import drawn

ANSWERED: Final = "the client has the answer"
# A stage that only some presses pass, such as a heartbeat, is none.
_PASSED_BY_MOST: Final = 0.5

# When, on the clock that all processes of a machine share, and what.
Stamp = tuple[int, str]
# Of one press: when the client wrote it, and when it had the answer.
Span = tuple[int, int]


def stages_of(presses: Sequence[Span], stamps: Sequence[Stamp]) -> str:
    """Return a line for each stage in the order of time: its median and its ninth decile. One press at a time."""
    stamps = sorted(stamps)
    passed: dict[str, list[float]] = defaultdict(list)
    for at, (begun, answered) in enumerate(presses):
        # What comes after the answer belongs to this press, too, until the next one begins.
        until = presses[at + 1][0] if at + 1 < len(presses) else answered
        passed[ANSWERED].append((answered - begun) / 1e6)
        for what, when in _firsts(stamps, begun, until):
            passed[what].append((when - begun) / 1e6)
    lines: list[Sequence[str]] = [("after", "ms", "of ten, nine", "")]
    for what, times in sorted(passed.items(), key=lambda each: median(each[1])):
        if len(times) > len(presses) * _PASSED_BY_MOST:
            lines.append((what, f"{median(times):.3f}", f"{quantiles(times, n=10)[-1]:.3f}", f"{len(times)}"))
    return drawn(lines)


def _firsts(stamps: Sequence[Stamp], begun: int, until: int) -> Iterator[tuple[str, int]]:
    """Yield each stage of one press: a second time of the same is another stage."""
    times = Counter[str]()
    for at in range(bisect_left(stamps, (begun, "")), len(stamps)):
        when, what = stamps[at]
        if when >= until:
            return
        times[what] += 1
        yield (what if times[what] == 1 else f"{what}, {times[what]}"), when
