"""make bench-soak: memory, descriptors and connections of API and projector under half of what they can, for long.

Ends with 1 when an answer was wrong, not when something grows: the table says that.
"""

import argparse
import sys
import threading
from collections.abc import Sequence
from typing import Final

from bench.console import Say, clock, ending
from bench.load import wrk
from bench.load.wrk import Load, Told, press
from bench.report.flat import Course, courses_table
from bench.rig.product import Product, product
from bench.rig.sizes import Size, size_of

CLIENTS: Final = 64
HALF: Final = 0.5
_MIB: Final = 2**20
_MS_PER_SECOND: Final = 1000
_LOOKS: Final = 120
_SETTLING_SECONDS: Final = 15

Looks = dict[str, list[Size]]


def main() -> int:
    """Print the table, and return the status."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="how long (20)")
    parser.add_argument("--warm-up", type=int, default=60, help="seconds of full load before (60)")
    arguments = parser.parse_args()
    return ending(lambda: _soak(round(arguments.minutes * 60), arguments.warm_up))


def _soak(seconds: int, warm_up: int) -> int:
    wrk.require()
    say = clock()
    with product() as ours:
        say(f"warming up, {warm_up} s")
        press(ours.target, Load(CLIENTS, warm_up), "warm")
        full = press(ours.target, Load(CLIENTS, _SETTLING_SECONDS), "full")
        say(f"all that it can: {full.cycles_per_second:,.0f} cycles/s")
        settled = _at_half(ours, full, _SETTLING_SECONDS, "settling")
        say(f"half of it: {settled.cycles_per_second:,.0f} cycles/s, for {seconds / 60:g} minutes")
        told, looks = _watched(ours, full, seconds, say)
    rates = f"{told.cycles_per_second:,.0f} of {full.cycles_per_second:,.0f} cycles/s"
    print(f"\n{rates}, p50 {told.p50_ms:.2f} ms, p99 {told.p99_ms:.1f} ms, {told.errors} errors {told.first_error}\n")
    print(courses_table(_courses(looks)))
    return int(told.errors + full.errors > 0)


def _at_half(ours: Product, full: Told, seconds: int, owners: str) -> Told:
    """Press at half of the full rate: each client waits before a press, so that it makes half as many."""
    each_ms = CLIENTS * full.seconds * _MS_PER_SECOND / full.requests
    # A press that has the machine for itself takes less than one under full load, by about what it waited for others.
    wait_ms = round(each_ms / HALF - each_ms * HALF)
    return press(ours.target, Load(CLIENTS, seconds, wait_ms=wait_ms), owners)


def _watched(ours: Product, full: Told, seconds: int, say: Say) -> tuple[Told, Looks]:
    """Press, and look at both processes meanwhile."""
    looks: Looks = {"API": [], "projector": []}
    over = threading.Event()

    def look() -> None:
        while not over.wait(seconds / _LOOKS):
            for name, process in (("API", ours.api), ("projector", ours.projector)):
                # One that has ended is told by the answers that are missing.
                if process.pid is not None:
                    looks[name].append(size_of(process.pid))
            if len(looks["API"]) % (_LOOKS // 10) == 0:
                say(", ".join(f"{name} {sizes[-1].memory_bytes / _MIB:.0f} MiB" for name, sizes in looks.items()))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        return _at_half(ours, full, seconds, "soak"), looks
    finally:
        over.set()
        watcher.join()


def _courses(looks: Looks) -> Sequence[Course]:
    return [
        course
        for name, sizes in looks.items()
        for course in (
            Course(name, "memory", [each.memory_bytes / _MIB for each in sizes], " MiB"),
            Course(name, "descriptors", [each.descriptors for each in sizes]),
            Course(name, "connections", [each.connections for each in sizes]),
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
