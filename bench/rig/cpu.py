"""CPU: the processor's seconds of a process with all that it started, from /proc."""

import os
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
# Fields of /proc/PID/stat, counted after the name.
_PARENT: Final = 1
_USER: Final = 11
# User, system, and the same of children that have ended and were waited for.
_TIMES: Final = slice(_USER, _USER + 4)
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


def seconds_of(pid: int, proc: Path = _PROC) -> float:
    """Return the processor's seconds of a process and of all that it has started, ended ones too."""
    stats = _all_stats(proc)
    waiting, ticks = [pid], 0
    while waiting:
        at = waiting.pop()
        ticks += sum(map(int, stats.get(at, [])[_TIMES]))
        waiting += [child for child, fields in stats.items() if int(fields[_PARENT]) == at]
    return ticks / _TICKS_PER_SECOND


def _all_stats(proc: Path) -> dict[int, list[str]]:
    stats: dict[int, list[str]] = {}
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                # The name stands in parentheses and may hold anything, parentheses and spaces too.
                stats[int(entry.name)] = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
    return stats
