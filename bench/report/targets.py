"""Targets: what must be reached, what is aimed at, and what was measured beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.report.samples import Party, Round, cpu, middle, p50, p99, rate, ratio, wal

BYTES_PER_KB: Final = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the table. `more`: the more the better. `measured` None: this run did not look."""

    what: str
    measured: float | None
    must: float
    aim: float
    more: bool = False
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Say whether the must and the aim were reached, by the figures as they are printed."""
        if self.measured is None:
            return "not measured"
        measured = round(self.measured, 2)
        if self._reaches(measured, self.aim):
            return "met, and the aim"
        return "met" if self._reaches(measured, self.must) else "**not met**"

    def _reaches(self, measured: float, wanted: float) -> bool:
        return measured >= wanted if self.more else measured <= wanted


@dataclass(frozen=True, slots=True)
class Apart:
    """What is measured apart from the load; None where it was not."""

    catch_up_to_copy: float | None = None
    log_bytes: float | None = None
    postgres_bytes: float | None = None


def targets(rounds: Sequence[Round], apart: Apart) -> list[Target]:
    """Return every line of the table, in order."""
    ours, crud, promises = Party.PRODUCT, Party.CRUD, Party.PROMISES
    return [
        _more("cycles/s to bare CRUD, 64 clients", ratio(rounds, 64, rate, ours, crud), 1.4, 2.0),
        _more("the same, 256 clients", ratio(rounds, 256, rate, ours, crud), 2.0, 2.8),
        Target("p99 to bare CRUD's, 64 clients", ratio(rounds, 64, p99, ours, crud), 0.4, 0.25),
        Target("p50 to bare CRUD's, 1 client", ratio(rounds, 1, p50, ours, crud), 3.0, 2.0),
        Target("CPU a press to bare CRUD's, 64 clients", ratio(rounds, 64, cpu, ours, crud), 0.65, 0.45),
        _more("cycles/s to CRUD with promises, 64 clients", ratio(rounds, 64, rate, ours, promises), 2.5, 2.5),
        _more("the same, 256 clients", ratio(rounds, 256, rate, ours, promises), 4.0, 4.0),
        _more(
            "cycles/s with a comment at each start, to none, 64 clients",
            ratio(rounds, 64, rate, Party.PRODUCT_COMMENTS, ours),
            0.95,
            1.0,
        ),
        _more("catching up an empty database, to COPY of the same rows", apart.catch_up_to_copy, 0.5, 0.8),
        Target("kept for ever a press: log", _kb(apart.log_bytes), 1.2, 0.9, unit="kB"),
        Target("kept for ever a press: Postgres", _kb(apart.postgres_bytes), 0.9, 0.5, unit="kB"),
        Target("WAL a press, 64 clients", _kb(middle(rounds, ours, 64, wal)), 2.2, 1.5, unit="kB"),
    ]


def _more(what: str, measured: float | None, must: float, aim: float) -> Target:
    return Target(what, measured, must, aim, more=True)


def _kb(value: float | None) -> float | None:
    return None if value is None else value / BYTES_PER_KB
