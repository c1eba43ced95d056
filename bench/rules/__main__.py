"""What rules cost a press in the pure fold, and what it costs that an owner has hundreds of running timers.

What is compared runs in turn, round after round, and medians of the rounds' ratios are printed. A reference that
never changes, the standard library on a recorded outcome, shows how fast this machine is, and so how today compares
with the code before there were rules, which cannot run beside it. Ends with 1 when a plain day is over the limit.
"""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final

from bench.rules.days import BEGINS, TENANT, Log, plain, with_a_second, with_facts, with_running
from bench.rules.policies import ALL, NONE
from services.projector.domain.fold import fold_entry
from services.projector.domain.sheet.ledger import Known, Ledger
from services.projector.loop.partition.cache import Bounds, Cache
from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policy import Policy
from shared.process.garbage import collect_seldom

LIMIT: Final = 1.15
# What a press of the plain day took before there were rules, to the reference: measured once, in turn with today's.
BEFORE_RULES: Final = 2.79
ROUNDS: Final = 15
RUNNING: Final = (1, 3, 10, 100, 358)
# A recorded outcome. Such files are never edited.
_RECORDED: Final = Path(__file__).parents[2] / "tests" / "golden" / "outcomes" / "stopped.v1.json"
_REFERENCES: Final = 500
_US: Final = 1_000_000
Costs = list[float]


def book(policy: Policy) -> PolicyBook:
    """Return a book with one policy, in force before the first press."""
    known = PolicyBook()
    record = PolicyRecord(replaces=None, set_by="bench", set_at=BEGINS - timedelta(days=1), document=policy)
    known.apply(0, TENANT.encode(), record.model_dump_json(by_alias=True).encode(), record.set_at)
    return known


def in_one_batch(log: Log, policy: Policy) -> float:
    """Return how many microseconds of the processor a press takes in the fold, all presses in one batch."""
    policies, ledger = book(policy), Ledger(0, 1, Known({}, {}, {}, -1))
    for press in log.before:
        fold_entry(ledger, press, policies)
    began = process_time()
    for press in log.measured:
        fold_entry(ledger, press, policies)
    return (process_time() - began) / len(log.measured) * _US


def one_by_one(log: Log, policy: Policy) -> Callable[[], float]:
    """Return a function that returns the same with a batch for each press, and what the cache does after each."""
    policies, before = book(policy), Ledger(0, 1, Known({}, {}, {}, -1))
    for press in log.before:
        fold_entry(before, press, policies)

    def cost() -> float:
        cache = Cache(Bounds())
        cache.absorb(before)
        began = process_time()
        for press in log.measured:
            ledger = Ledger(0, 1, Known(cache.sheets, cache.owner_of, {}, before.policy_rev))
            fold_entry(ledger, press, policies)
            cache.absorb(ledger)
        return (process_time() - began) / len(log.measured) * _US

    return cost


def reference() -> float:
    """Return how many microseconds the standard library takes to read and write the recorded outcome."""
    body = _RECORDED.read_bytes()
    began = process_time()
    for _ in range(_REFERENCES):
        json.dumps(json.loads(body))
    return (process_time() - began) / _REFERENCES * _US


def in_turn(*parties: Callable[[], float]) -> list[Costs]:
    """Return the costs of each party, round by round."""
    rounds = [[party() for party in parties] for _ in range(ROUNDS)]
    return [list(costs) for costs in zip(*rounds, strict=True)]


def ratio(costs: Costs, to: Costs) -> float:
    """Return the median of the rounds' ratios."""
    return median(one / other for one, other in zip(costs, to, strict=True))


def rules() -> float:
    """Print what rules cost each kind of day. Return what the plain one costs to a press before there were rules."""
    ratios: list[float] = []
    head = f"{'none':>14}{'all flagged':>14}{'all / none':>12}{'all / before rules':>20}"
    sys.stdout.write(f"\n{'a press, in us, and to the reference':40}{head}\n")
    for name, log in (
        ("a plain day", plain()),
        ("with leave, attendance, an estimate", with_facts()),
        ("and with a second timer that runs", with_a_second()),
    ):
        none, flagged, fixed = in_turn(partial(in_one_batch, log, NONE), partial(in_one_batch, log, ALL), reference)
        ratios.append(ratio(flagged, fixed) / BEFORE_RULES)
        shown = (f"{median(costs):.0f} ({ratio(costs, fixed):.2f})" for costs in (none, flagged))
        sys.stdout.write(f"{name:40}{''.join(f'{each:>14}' for each in shown)}{ratio(flagged, none):>12.2f}")
        sys.stdout.write(f"{ratios[-1]:>20.2f}\n")
    return ratios[0]


def running() -> None:
    """Print what a press costs an owner of whom so many timers run, to one of whom one does."""
    costs = in_turn(*(one_by_one(with_running(count), ALL) for count in RUNNING))
    sys.stdout.write(f"\n{'timers that run':>15}{'a press, us':>14}{'to one':>10}\n")
    for count, cost in zip(RUNNING, costs, strict=True):
        sys.stdout.write(f"{count:>15}{median(cost):>14.0f}{ratio(cost, costs[0]):>10.1f}\n")


def main() -> int:
    """Print the tables. Return 1 when a plain day is over the limit."""
    collect_seldom()  # as the projector does
    plain_ratio = rules()
    running()
    sys.stdout.write(f"\nall rules flagged, on a plain day / a press before there were rules: {plain_ratio:.2f} ")
    sys.stdout.write(f"(limit {LIMIT})\n")
    return plain_ratio > LIMIT


if __name__ == "__main__":
    sys.exit(main())
