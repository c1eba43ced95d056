"""make bench: the product beside two peers, and the table of what must be reached.

Ends with 1 when an answer was wrong, not when a must is missed: the table says that.
"""

import argparse
import json
import os
import platform
import sys
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import rounds
from bench.catch_up import catch_up
from bench.console import Say, clock, ending
from bench.load import wrk
from bench.report.samples import Party, Sample
from bench.report.tables import medians_of, table_of
from bench.report.targets import BYTES_PER_KB, Apart, Target, targets
from bench.rig.database import PRESSES, ask, bytes_for_a_press
from bench.rig.peer import peer
from bench.rig.product import BENCH_HOME, Product, product
from bench.rig.topics import bytes_kept

ALL_CLIENTS: Final = "1,16,64,256,1000"


def main() -> int:
    """Run, and return the status."""
    arguments = _arguments()
    plan = rounds.Plan(
        arguments.rounds, arguments.seconds, [int(each) for each in arguments.clients.split(",")], arguments.warm_up
    )
    return ending(lambda: _bench(plan, catches_up=not arguments.no_catch_up))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each party is measured (3)")
    parser.add_argument("--seconds", type=int, default=4, help="how long each time (4)")
    parser.add_argument("--clients", default=ALL_CLIENTS, help=f"how many at once ({ALL_CLIENTS})")
    parser.add_argument("--warm-up", type=int, default=60, help="seconds before the first round (60)")
    parser.add_argument("--no-catch-up", action="store_true", help="leave out what takes longest after the rounds")
    return parser.parse_args()


def _bench(plan: rounds.Plan, *, catches_up: bool) -> int:
    wrk.require()
    say = clock()
    say("starting the product and its peers")
    with ExitStack() as held:
        ours = held.enter_context(product())
        parties: dict[Party, rounds.Pressed] = {
            Party.PRODUCT: ours,
            Party.CRUD: held.enter_context(peer("crud", ours.stack)),
            Party.PROMISES: held.enter_context(peer("crud_with_promises", ours.stack)),
        }
        rounds.warm_up(parties, plan, say)
        samples = rounds.measured(parties, plan, ours.stack.postgres.superuser_dsn, say)
        apart = _measured_apart(ours, say, catches_up=catches_up)
    reached = targets(samples, apart)
    print(f"\n{medians_of(samples)}\n\n{machine()}\n\n{table_of(reached)}\n")
    say(f"kept as {_kept(samples, reached)}")
    return int(any(each.told.errors for one in samples for each in one))


def _measured_apart(ours: Product, say: Say, *, catches_up: bool) -> Apart:
    postgres = ours.stack.postgres
    log_bytes = bytes_kept(ours.stack.kafka.folder / "log") / ask(postgres.superuser_dsn, PRESSES)
    postgres_bytes, passing_bytes = bytes_for_a_press(postgres.superuser_dsn)
    say(f"`outcome` in Postgres, whose rows go after 31 days: {passing_bytes / BYTES_PER_KB:.2f} kB a press")
    if not catches_up:
        return Apart(log_bytes=log_bytes, postgres_bytes=postgres_bytes)
    say("catching up an empty database")
    ours.api.stop()
    ours.projector.stop()
    both = catch_up(ours)
    say(f"{both.outcomes:,} outcomes: {both.caught_up_seconds:.1f} s; COPY: {both.copied_seconds:.1f} s")
    return Apart(both.to_copy, log_bytes, postgres_bytes)


def machine() -> str:
    """Say in a line on what machine this runs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; load, product and peers share them."
    )


def _kept(samples: list[list[Sample]], reached: list[Target]) -> Path:
    at = datetime.now(UTC)
    path = BENCH_HOME / "results" / f"{at:%Y-%m-%dT%H-%M-%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {
        "at": at.isoformat(),
        "machine": machine(),
        "targets": [asdict(each) | {"verdict": each.verdict} for each in reached],
        "rounds": [[asdict(each) for each in one] for one in samples],
    }
    path.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main())
