"""Servers that outlived their postmaster are ended, and no other process that works in their folder."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import leftovers, orphans
from deploy.local.identity import PROC
from deploy.local.settings import Settings

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="without /proc nothing tells where a process works")

PYTHON = Path(sys.executable).resolve().name
SLEEP = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"]
NOTICES = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(0.3)"]


@contextmanager
def working(folder: Path, argv: list[str] = SLEEP) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
        child.kill()


def pids(folder: Path, program: str) -> list[int]:
    return [who.pid for who in orphans.working_in(folder, program)]


def test_an_orphan_is_found_by_its_folder_and_its_program(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with working(data) as orphan, working(tmp_path):
        assert pids(data, PYTHON) == [orphan.pid]
        assert pids(data, "postgres") == []  # a shell that stands in that folder is a person's
    assert pids(tmp_path / "missing", PYTHON) == []


def test_an_orphan_that_notices_by_itself_is_waited_for_and_not_killed(tmp_path: Path) -> None:
    with working(tmp_path, NOTICES) as orphan:
        assert orphans.end_orphans(orphans.working_in(tmp_path, PYTHON)) == 0
        assert orphan.wait(5) == 0


def test_an_orphan_that_is_busy_is_killed(tmp_path: Path) -> None:
    with working(tmp_path) as orphan:
        assert orphans.end_orphans(orphans.working_in(tmp_path, PYTHON)) == 1
        assert orphan.wait(5) == -signal.SIGKILL


def test_no_orphan_costs_no_time(tmp_path: Path) -> None:
    began = time.monotonic()
    assert orphans.end_orphans(orphans.working_in(tmp_path, PYTHON)) == 0
    assert time.monotonic() - began < orphans.NOTICE_WITHIN_SECONDS


def test_the_leftovers_of_a_run_include_its_postmasters_orphans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`working_in` looks for Python here, because no Postgres runs in this test."""
    settings = Settings(home=tmp_path)
    settings.postgres_data.mkdir()
    found = orphans.working_in
    monkeypatch.setattr(orphans, "working_in", lambda folder: found(folder, PYTHON))
    with working(settings.postgres_data) as orphan:
        leftovers.end_all(settings)
        assert orphan.wait(5) == -signal.SIGKILL
