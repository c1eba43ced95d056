"""What a run reached is said by the figures as they are printed, and by nothing that was not measured."""

from collections.abc import Sequence

import pytest

from bench.load.wrk import Told
from bench.report.samples import Party, Sample, cpu, middle, rate, ratio
from bench.report.tables import medians_of, table_of
from bench.report.targets import Apart, Target, targets


def sampled(party: Party, cycles: int, cpu_seconds: float = 1.0, clients: int = 64, errors: int = 0) -> Sample:
    told = Told(2 * cycles, cycles, 1.0, errors, p50_ms=10.0, p99_ms=20.0, max_ms=30.0, first_error="")
    return Sample(party, clients, told, {"api": cpu_seconds}, wal_bytes=4000 * cycles)


def rounds_of(*pairs: tuple[int, int]) -> Sequence[Sequence[Sample]]:
    return [[sampled(Party.PRODUCT, ours), sampled(Party.CRUD, theirs)] for ours, theirs in pairs]


def test_a_ratio_is_taken_within_a_round_and_then_its_median() -> None:
    """A slow minute of the machine halves both, and must not halve the ratio."""
    rounds = rounds_of((100, 50), (10, 10), (300, 100))
    assert ratio(rounds, 64, rate, Party.PRODUCT, Party.CRUD) == 2
    assert middle(rounds, Party.PRODUCT, 64, rate) == 100
    assert middle(rounds, Party.PRODUCT, 256, rate) is None


def test_a_round_that_lacks_one_of_the_two_has_no_ratio() -> None:
    assert ratio([[sampled(Party.PRODUCT, 100)]], 64, rate, Party.PRODUCT, Party.CRUD) is None


def test_the_cost_of_a_press_is_over_all_its_processes() -> None:
    told = Told(1000, 500, 1.0, 0, 1.0, 2.0, 3.0, "")
    sample = Sample(Party.PRODUCT, 64, told, {"api": 0.2, "broker": 0.1}, wal_bytes=0)
    assert sample.cpu_us == {"api": 200.0, "broker": 100.0}
    assert cpu(sample) == pytest.approx(300)


@pytest.mark.parametrize(
    ("measured", "more", "verdict"),
    [
        (None, True, "not measured"),
        (1.39, True, "**not met**"),
        (1.4, True, "met"),
        (1.396, True, "met"),  # printed as 1.40
        (2.0, True, "met, and the aim"),
        (2.01, False, "**not met**"),
        (2.0, False, "met"),
        (1.4, False, "met, and the aim"),
    ],
)
def test_a_must_is_met_up_to_its_figure(measured: float | None, more: bool, verdict: str) -> None:  # noqa: FBT001
    must, aim = (1.4, 2.0) if more else (2.0, 1.4)
    assert Target("rate", measured, must, aim, more=more).verdict == verdict


def test_the_table_says_what_was_measured_and_what_was_not() -> None:
    whole = table_of(targets(rounds_of((150, 100)), Apart(log_bytes=1100.0)))
    lines = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in whole.splitlines()
    }
    assert lines["cycles/s to bare CRUD, 64 clients"] == ["1.50", ">= 1.4", ">= 2", "met"]
    assert lines["the same, 256 clients"] == ["-", ">= 4", ">= 4", "not measured"]
    assert lines["kept for ever a press: log"] == ["1.10 kB", "<= 1.2 kB", "<= 0.9 kB", "met"]
    assert lines["WAL a press, 64 clients"] == ["2.00 kB", "<= 2.2 kB", "<= 1.5 kB", "met"]


def test_the_medians_count_the_errors_of_all_rounds() -> None:
    rounds = [[sampled(Party.PRODUCT, 100, errors=1)], [sampled(Party.PRODUCT, 120, errors=2)]]
    last = [cell.strip() for cell in medians_of(rounds).splitlines()[-1].split("|")[1:-1]]
    assert last[:3] == ["product", "64", "110 (100-120)"]
    assert last[-1] == "3"
