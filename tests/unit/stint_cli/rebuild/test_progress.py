"""What is drawn while the read models are rebuilt."""

import time

import pytest

from services.stint_cli.rebuild.progress import Drawn


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the time in hand."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_without_a_terminal_a_line_comes_every_few_seconds_with_an_estimate(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Drawn(quiet=False) as drawn:
        for at, done in ((100.0, 1_000), (101.0, 2_000), (110.0, 6_000), (110.1, 9_000)):
            clock[0] = at
            drawn.hear({"stage": "fill", "done": done, "total": 11_000})
        drawn.hear({"stage": "switch", "done": 0, "total": 1})
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "Filling, outcomes: 1000 of 11000",
        "Filling, outcomes: 6000 of 11000, about 10 s left",
        "Switching: 0 of 1",
    ]


def test_a_program_that_reads_json_sees_no_progress(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Drawn(quiet=True) as drawn:
        drawn.hear({"stage": "fill", "done": 1, "total": 2})
    assert clock
    assert capsys.readouterr() == ("", "")
