"""Rounds: each party in turn under each load, so that a slow minute of the machine is slow for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bench.console import Say
from bench.load.wrk import Load, Target, Told, press
from bench.report.samples import Party, Sample
from bench.rig.cpu import seconds_of
from bench.rig.database import ask
from deploy.local.process import Process
from deploy.local.trouble import Trouble

# Most comments are a short sentence.
COMMENT: Final = "Called the customer back about the invoice of October"
COMMENTS_AT: Final = 64
_WAL: Final = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"


class Pressed(Protocol):
    """The product or a peer."""

    @property
    def target(self) -> Target:
        """Where to press."""

    @property
    def processes(self) -> Mapping[str, Process]:
        """What a press costs, by name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int
    seconds: int
    clients: Sequence[int]
    warm_up_seconds: int


def warm_up(parties: Mapping[Party, Pressed], plan: Plan, say: Say) -> None:
    """Press until the broker's compiler has seen everything, and each peer for a moment."""
    for party, who in parties.items():
        seconds = plan.warm_up_seconds if party is Party.PRODUCT else min(plan.warm_up_seconds, plan.seconds)
        # A start with a comment takes all the ways that one without takes, and the way of texts too.
        comment = COMMENT if party is Party.PRODUCT else ""
        say(f"warming up: {party.value}, {seconds} s")
        press(who.target, Load(COMMENTS_AT, seconds, comment), f"warm-{party.name}".lower())


def measured(parties: Mapping[Party, Pressed], plan: Plan, dsn: str, say: Say) -> list[list[Sample]]:
    """Return the samples, round by round. Who begins changes from round to round."""
    rounds = []
    for number in range(plan.rounds):
        samples: list[Sample] = []
        for clients in plan.clients:
            turns = [(party, who, "") for party, who in parties.items()]
            if clients == COMMENTS_AT:
                turns.append((Party.PRODUCT_COMMENTS, parties[Party.PRODUCT], COMMENT))
            shift = number % len(turns)
            for party, who, comment in turns[shift:] + turns[:shift]:
                load = Load(clients, plan.seconds, comment)
                samples.append(_sample(party, who, load, f"round-{number}", dsn))
                say(f"round {number + 1}, {clients} clients, {party.value}: {_short(samples[-1].told)}")
        rounds.append(samples)
    return rounds


def _sample(party: Party, who: Pressed, load: Load, named: str, dsn: str) -> Sample:
    wal, before = ask(dsn, _WAL), _cpu(who)
    told = press(who.target, load, f"{named}-{load.clients}-{party.name}".lower())
    after = _cpu(who)
    used = {name: after[name] - before[name] for name in before}
    return Sample(party, load.clients, told, used, int(ask(dsn, _WAL) - wal))


def _cpu(who: Pressed) -> dict[str, float]:
    used = {}
    for name, process in who.processes.items():
        if process.pid is None:
            raise Trouble(process.failure())
        used[name] = seconds_of(process.pid)
    return used


def _short(told: Told) -> str:
    wrong = f", {told.errors} ERRORS: {told.first_error}" if told.errors else ""
    return f"{told.cycles_per_second:,.0f} cycles/s, p50 {told.p50_ms:.2f} ms, p99 {told.p99_ms:.1f} ms{wrong}"
