"""make bench-growth: cycles and reads of a full product to those of a nearly empty one, side by side.

Ends with 1 when an answer was wrong, not when a ratio is too low: the table says that.
"""

import argparse
import json
import shutil
import sys
import time
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from bench.console import Say, clock, ending
from bench.growth.filling import Filler, take_pattern
from bench.growth.patterns import TIMERS_OF_AN_OWNER, Copied
from bench.growth.reading import READS, seconds_of_a_read
from bench.load import wrk
from bench.load.wrk import Load, Told, press
from bench.report.tables import table_of
from bench.report.targets import Target
from bench.rig.database import PRESSES, ask, run
from bench.rig.product import BENCH_HOME, Product, product
from deploy.local.machine import GIB
from deploy.local.trouble import Trouble
from shared.events.ids import parse_timer_id

CLIENTS: Final = 64
MUST: Final = 0.95
# What the nearly empty one holds, so that the same reads find the same there.
FEW: Final = 1_000
_PARTITIONS: Final = "SELECT count(*) FROM checkpoint"
# Two presses on the log and in Postgres, and the write-ahead log that Postgres has not yet dropped.
_BYTES_OF_A_TIMER: Final = 10_000
_READY_WITHIN_SECONDS: Final = 60.0
_CAUGHT_UP_WITHIN_SECONDS: Final = 3600.0
_REPORT_EVERY_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.5


def main() -> int:
    """Print the table, and return the status."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--timers", type=int, default=1_000_000, help="how many the full one holds (1000000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (5)")
    parser.add_argument("--seconds", type=int, default=4, help="how long each time (4)")
    parser.add_argument("--warm-up", type=int, default=30, help="seconds of load on each before the first round (30)")
    arguments = parser.parse_args()
    return ending(lambda: _growth(arguments))


def _growth(arguments: argparse.Namespace) -> int:
    wrk.require()
    require_room(BENCH_HOME, arguments.timers)
    say = clock()
    # A day ago at the latest, whatever number of milliseconds the ids take.
    began = datetime.now(UTC) - timedelta(days=1, milliseconds=arguments.timers)
    with ExitStack() as held:
        say("starting two products")
        few, full = (held.enter_context(product(name)) for name in ("few", "full"))
        for ours, timers in ((few, FEW), (full, arguments.timers)):
            _fill(ours, timers, began, say)
        for ours in (few, full):
            say(f"warming up, {arguments.warm_up} s")
            press(ours.target, Load(CLIENTS, arguments.warm_up), "warm")
        rates, errors = _rates(few, full, arguments, say)
        lines = [_line(f"cycles/s, {CLIENTS} clients", rates)]
        for what in READS:
            times = _read_times(what, few, full, began, arguments.rounds)
            lines.append(_line(f"reading {what}", times))
            few_ms, full_ms = (1000 * median(column) for column in zip(*times, strict=True))
            say(f"{what}: {few_ms:.2f} ms with few timers, {full_ms:.2f} with many")
    print(f"\nA product with {arguments.timers:,} timers to one with {FEW:,}, as speeds:\n\n{table_of(lines)}")
    return int(errors > 0)


def require_room(folder: Path, timers: int) -> None:
    """Raise `Trouble` when the disk has no room for so many timers."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free, needed = shutil.disk_usage(there).free / GIB, timers * _BYTES_OF_A_TIMER / GIB
    if free < needed:
        raise Trouble(
            f"{timers:,} timers take about {needed:.0f} GiB and {free:.0f} GiB are free: "
            "make room, take fewer (TIMERS=), or move the folder (STINT_HOME=)."
        )


def _fill(ours: Product, timers: int, began: datetime, say: Say) -> None:
    say(f"filling in {timers:,} timers")
    database = ours.stack.postgres.superuser_dsn
    partitions = ask(database, _PARTITIONS)
    day = datetime.now(UTC).date()
    owner, short = _one_cycle(ours)
    pattern = take_pattern(ours.stack.kafka.address, partitions, owner, short, day)
    for service in (ours.api, ours.projector):
        service.stop()
    wanted = ask(database, PRESSES) + len(pattern.presses) * timers
    appended = _Progress(say, "appended", timers)
    Filler(ours.stack.kafka.address, partitions, pattern).fill(timers, began, appended)
    ours.projector.start()
    taken_over = _Progress(say, "taken over", wanted)
    until = time.monotonic() + _CAUGHT_UP_WITHIN_SECONDS
    while (done := ask(database, PRESSES)) < wanted:
        if not ours.projector.alive or time.monotonic() > until:
            raise Trouble(f"The projector has not taken over what was filled in: see {ours.projector.log}.")
        taken_over(done)
        time.sleep(_PAUSE_SECONDS)
    # As autovacuum would within minutes.
    run(database, "VACUUM ANALYZE", "CHECKPOINT")
    ours.api.start()
    for service in (ours.projector, ours.api):
        service.await_ready(_READY_WITHIN_SECONDS)


class _Progress:
    """Prints how far something is, every ten seconds."""

    def __init__(self, say: Say, what: str, whole: int) -> None:
        self._say, self._what, self._whole = say, what, whole
        self._printed_at = time.monotonic()

    def __call__(self, done: int) -> None:
        """Print it, if it is time."""
        if time.monotonic() - self._printed_at >= _REPORT_EVERY_SECONDS:
            self._printed_at = time.monotonic()
            self._say(f"{self._what}: {done:,} of {self._whole:,}")


def _one_cycle(ours: Product) -> tuple[str, int]:
    """Start and stop a timer, and return its owner and short id."""
    owner = "the-pattern-of-all"

    def posted(path: str, sent: bytes) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {ours.target.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{ours.target.url}{path}", sent, headers, method="POST")  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own address, on loopback
            body: dict[str, str] = json.load(answer)
        return body

    timer = posted("/v1/timers", json.dumps({"owner": owner}).encode())["id"]
    posted(f"/v1/timers/{timer}/stop", b"")
    short = parse_timer_id(timer)
    if short is None:
        raise Trouble(f"The API answered a start with an id that is none: {timer}.")
    return owner, short


def _rates(
    few: Product, full: Product, arguments: argparse.Namespace, say: Say
) -> tuple[list[tuple[float, float]], int]:
    """Return the rates of each round, and how many answers were wrong."""
    rounds: list[tuple[float, float]] = []
    errors = 0
    for number in range(arguments.rounds):
        told: dict[str, Told] = {}
        for name, ours in (("few", few), ("full", full))[:: -1 if number % 2 else 1]:
            told[name] = press(ours.target, Load(CLIENTS, arguments.seconds), f"round-{number}")
            errors += told[name].errors
        rounds.append((told["full"].cycles_per_second, told["few"].cycles_per_second))
        say(f"round {number + 1}: {rounds[-1][1]:,.0f} cycles/s with few timers, {rounds[-1][0]:,.0f} with many")
    return rounds, errors


def _read_times(what: str, few: Product, full: Product, began: datetime, rounds: int) -> list[tuple[float, float]]:
    # The last timer of each owner, so that no owner is asked for twice in a round.
    timers = [Copied(number, began) for number in range(TIMERS_OF_AN_OWNER - 1, FEW, TIMERS_OF_AN_OWNER)]
    rounds_of_both = []
    for _ in range(rounds):
        few_seconds, full_seconds = seconds_of_a_read(what, (few.target, full.target), timers)
        rounds_of_both.append((few_seconds, full_seconds))
    return rounds_of_both


def _line(what: str, rounds: list[tuple[float, float]]) -> Target:
    return Target(what, median(ours / theirs for ours, theirs in rounds), MUST, 1.0, more=True)


if __name__ == "__main__":
    sys.exit(main())
