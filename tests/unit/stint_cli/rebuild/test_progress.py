"""What is drawn while the read models are rebuilt."""

import errno
import os
import pty
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr

import pytest

from services.stint_cli.rebuild.progress import ProgressDisplay


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the time in hand."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def drawn_at_a_terminal(monkeypatch: pytest.MonkeyPatch, *told: Mapping[str, object], quiet: bool) -> list[str]:
    """Return each line that a person at a terminal of a hundred columns sees, also those that were drawn over."""
    for name, value in (("TERM", "xterm"), ("COLUMNS", "100")):
        monkeypatch.setenv(name, value)
    screen, writes = pty.openpty()
    with os.fdopen(writes, "w", encoding="utf-8") as stderr, redirect_stderr(stderr):
        stderr.write("$ stint rebuild\n")
        with ProgressDisplay(quiet=quiet) as display:
            for line in told:
                display.show(line)
                if display.bars is not None:
                    display.bars.refresh()
    plain = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", b"".join(_pieces_of(screen)).decode())
    return [line.strip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


def _pieces_of(screen: int) -> Iterator[bytes]:
    """Return what is left to read of a terminal that was closed, and close it. It gives 4 kB at a time."""
    try:
        while True:
            yield os.read(screen, 1 << 16)
    except OSError as error:
        assert error.errno == errno.EIO  # noqa: PT017 - so ends a terminal
    finally:
        os.close(screen)


def test_at_a_terminal_a_bar_for_each_stage_grows_to_a_hundred_per_cent(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [("fill", 2_000, 8_000), ("fill", 8_000, 8_000), ("switch", 0, 1), ("switch", 1, 1)]
    lines = [{"stage": stage, "done": done, "total": total} for stage, done, total in told]
    shown = drawn_at_a_terminal(monkeypatch, *lines, quiet=False)
    assert [line for line in shown if re.match(r"Filling, outcomes \S+ +25% 2000/8000", line)]
    assert [line for line in shown if re.match(r"Switching +\S+ +0% 0/1", line)]
    filled, switched = shown[-2:]
    assert re.match(r"Filling, outcomes \S+ 100% 8000/8000", filled)
    assert re.match(r"Switching +\S+ 100% 1/1", switched)


def test_at_a_terminal_a_program_that_reads_json_sees_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"stage": "fill", "done": 1, "total": 2}
    assert drawn_at_a_terminal(monkeypatch, told, quiet=True) == ["$ stint rebuild"]


def test_without_a_terminal_a_line_comes_every_few_seconds_with_an_estimate(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with ProgressDisplay(quiet=False) as display:
        for at, done in ((100.0, 1_000), (101.0, 2_000), (110.0, 6_000), (110.1, 9_000)):
            clock[0] = at
            display.show({"stage": "fill", "done": done, "total": 11_000})
        display.show({"stage": "switch", "done": 0, "total": 1})
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "Filling, outcomes: 1000 of 11000",
        "Filling, outcomes: 6000 of 11000, about 10 s left",
        "Switching: 0 of 1",
    ]


def test_what_came_meanwhile_is_a_line_only_while_it_lasts(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is filled before the comparison, and once more within the switch. At once, that is no step back."""
    told = [
        (100.0, "fill", 7_000, 7_000),
        (101.0, "index", 1, 1),
        (101.1, "fill", 7_010, 7_010),
        (102.0, "compare", 0, 9),
        (107.5, "fill", 7_020, 9_000),
        (108.0, "fill", 9_000, 9_000),
        (108.1, "switch", 0, 1),
    ]
    with ProgressDisplay(quiet=False) as display:
        for at, stage, done, total in told:
            clock[0] = at
            display.show({"stage": stage, "done": done, "total": total})
    assert capsys.readouterr().err.splitlines() == [
        "Filling, outcomes: 7000 of 7000",
        "Making indexes: 1 of 1",
        "Comparing tables: 0 of 9",
        "Filling what came meanwhile, outcomes: 7020 of 9000",
        "Switching: 0 of 1",
    ]


def test_a_program_that_reads_json_sees_no_progress(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(quiet=True) as display:
        display.show({"stage": "fill", "done": 1, "total": 2})
    assert clock
    assert capsys.readouterr() == ("", "")
