"""The lock file of a postmaster: whose it is shows the folder that a process works in, where there is a /proc."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import identity, orphans
from deploy.local.identity import PROC
from deploy.local.postgres import Postgres
from deploy.local.settings import Settings
from deploy.local.trouble import Trouble

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="without /proc nothing tells where a process works")


@pytest.fixture
def postgres(tmp_path: Path) -> Postgres:
    made = Postgres(Settings(home=tmp_path / "home"))
    made.data.mkdir(parents=True)
    return made


@contextmanager
def locked_by(postgres: Postgres, argv: list[str], folder: Path) -> Iterator[Path]:
    """Run a program in a folder, and let the lock file name it."""
    with subprocess.Popen(argv, cwd=folder) as child:
        lock = postgres.data / "postmaster.pid"
        lock.write_text(f"{child.pid}\n{postgres.data}\n", encoding="utf-8")
        try:
            yield lock
        finally:
            child.kill()


def test_the_lock_of_a_postmaster_that_is_gone_is_dropped_whatever_has_its_pid(
    postgres: Postgres, tmp_path: Path
) -> None:
    """This one only speaks of Postgres in its arguments, as a client or an editor may. Ending it would be advised."""
    stranger = ["sh", "-c", "read _ # how postgres works"]
    with locked_by(postgres, ["sleep", "60"], tmp_path) as lock:
        postgres._drop_stale_lock()
        assert not lock.exists()
    with subprocess.Popen(stranger, cwd=tmp_path, stdin=subprocess.PIPE) as child:
        lock.write_text(f"{child.pid}\n", encoding="utf-8")
        postgres._drop_stale_lock()
        assert not lock.exists()
        child.kill()


def test_a_postmaster_that_serves_the_folder_is_named_also_on_a_machine_without_ps(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "postgres"
    shutil.copy(shutil.which("sleep") or "", program)
    with locked_by(postgres, [str(program), "60"], postgres.data) as lock:
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
        with pytest.raises(Trouble, match=r"Postgres already serves .* end that one first: kill -INT \d+"):
            postgres._drop_stale_lock()
        assert lock.exists()


def test_without_proc_the_lock_of_a_living_postmaster_stays(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS. There only `ps` knows a process, and a second postmaster on the same folder would ruin the data."""
    for module in (identity, orphans):
        monkeypatch.setattr(module, "PROC", tmp_path / "no proc")
    monkeypatch.setenv("COLUMNS", "40")  # `ps` would cut a long path to a terminal's width
    program = tmp_path / "postgres"
    shutil.copy(shutil.which("sleep") or "", program)
    with locked_by(postgres, [str(program), "60"], postgres.data) as lock:
        with pytest.raises(Trouble, match=r"Postgres already serves .* end that one first: kill -INT \d+"):
            postgres._drop_stale_lock()
        assert lock.exists()
    postgres._drop_stale_lock()
    assert not lock.exists()
    with locked_by(postgres, ["sleep", "60"], postgres.data) as lock:
        postgres._drop_stale_lock()
        assert not lock.exists()
