"""Samples: one party under one load, and ratios of two parties as medians over rounds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

from bench.load.wrk import Told

US_PER_SECOND: Final = 1_000_000


class Party(StrEnum):
    """Who was measured."""

    PRODUCT = "product"
    PRODUCT_COMMENTS = "product, starts with a comment"
    CRUD = "bare CRUD"
    PROMISES = "CRUD with promises"


@dataclass(frozen=True, slots=True)
class Sample:
    """One party and number of clients. `cpu_seconds` is by process, `wal_bytes` is all that was written meanwhile."""

    party: Party
    clients: int
    told: Told
    cpu_seconds: Mapping[str, float]
    wal_bytes: int

    @property
    def presses(self) -> int:
        """How many were answered; 1 when none was, which is an error that the table tells."""
        return max(self.told.requests, 1)

    @property
    def cpu_us(self) -> dict[str, float]:
        """Microseconds of the processor for a press, by process."""
        return {name: each * US_PER_SECOND / self.presses for name, each in self.cpu_seconds.items()}


Figure = Callable[[Sample], float]
# One round holds at most one sample of each party and number of clients.
Round = Sequence[Sample]


def rate(sample: Sample) -> float:
    """Return whole cycles a second."""
    return sample.told.cycles_per_second


def p50(sample: Sample) -> float:
    """Return the middle latency of a press, in milliseconds."""
    return sample.told.p50_ms


def p99(sample: Sample) -> float:
    """Return the latency that one press in a hundred exceeds, in milliseconds."""
    return sample.told.p99_ms


def cpu(sample: Sample) -> float:
    """Return microseconds of the processor for a press, over all processes of the party."""
    return sum(sample.cpu_us.values())


def wal(sample: Sample) -> float:
    """Return bytes of write-ahead log for a press."""
    return sample.wal_bytes / sample.presses


def found(rounds: Sequence[Round], party: Party, clients: int) -> list[Sample]:
    """Return the samples of one party and number of clients, one of each round that has it."""
    return [each for samples in rounds for each in samples if (each.party, each.clients) == (party, clients)]


def middle(rounds: Sequence[Round], party: Party, clients: int, figure: Figure) -> float | None:
    """Return the median of a figure over rounds; None when it was not measured."""
    values = [figure(each) for each in found(rounds, party, clients)]
    return median(values) if values else None


def ratio(rounds: Sequence[Round], clients: int, figure: Figure, ours: Party, theirs: Party) -> float | None:
    """Return the median of the ratios within each round; None when either was not measured."""
    ratios = []
    for samples in rounds:
        pair = [figure(each) for who in (ours, theirs) for each in found([samples], who, clients)]
        if len(pair) == 2 and pair[1]:  # noqa: PLR2004 - ours and theirs
            ratios.append(pair[0] / pair[1])
    return median(ratios) if ratios else None
