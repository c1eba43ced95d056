"""The processor's seconds are those of a process and of all that it started, and each is counted once."""

import os
from pathlib import Path

from bench.rig.cpu import seconds_of

_TICKS = os.sysconf("SC_CLK_TCK")


def stat(proc: Path, pid: int, parent: int, name: str = "postgres", times: str = "0 0 0 0") -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1 0 0 0 0 0 {times} 20 0 1 0 100\n")


def test_a_server_costs_what_its_sessions_cost_also_the_ended_ones(tmp_path: Path) -> None:
    stat(tmp_path, 7, 1, times=f"{_TICKS} {_TICKS} {2 * _TICKS} {3 * _TICKS}")  # its own, and those of ended sessions
    stat(tmp_path, 8, 7, times=f"{4 * _TICKS} 0 0 0")
    stat(tmp_path, 9, 8, times=f"{5 * _TICKS} 0 0 0")
    stat(tmp_path, 10, 1, times=f"{99 * _TICKS} 0 0 0")  # somebody else's
    assert seconds_of(7, tmp_path) == 16


def test_a_name_with_spaces_and_parentheses_is_read_past(tmp_path: Path) -> None:
    stat(tmp_path, 7, 1, name="a) S 1 (b", times=f"{_TICKS} 0 0 0")
    assert seconds_of(7, tmp_path) == 1


def test_an_ended_process_costs_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "version").touch()
    assert seconds_of(7, tmp_path) == 0
