"""The local stack ends every process that it started, and no other."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import leftovers
from deploy.local.identity import Identity
from deploy.local.lock import Lock
from deploy.local.process import Process, Program
from deploy.local.settings import ROOT, Settings
from deploy.local.trouble import Trouble

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
SUPERVISOR = """
import sys
from pathlib import Path
from deploy.local.process import Process, Program
from deploy.local.settings import Settings
from deploy.local.watchdog import Watchdog

settings = Settings(home=Path(sys.argv[1]))
Watchdog(settings).start() if sys.argv[2] == "watched" else None
program = Program(name="kafka", argv=[sys.executable, "-c", "import time; time.sleep(60)"], environ={})
process = Process(program, settings.run, settings.logs)
process.start()
print(process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(SLEEP) as child:
        yield child
        child.kill()


def script(settings: Settings, text: str, ready_line: str | None = None) -> Process:
    program = Program(name="script", argv=[sys.executable, "-u", "-c", text], environ={}, ready_line=ready_line)
    return Process(program, settings.run, settings.logs)


def identity_of(child: "subprocess.Popen[bytes]") -> Identity:
    identity = Identity.of(child.pid)
    assert identity is not None
    return identity


def test_a_pid_reused_by_another_process_is_not_signalled(stranger: "subprocess.Popen[bytes]") -> None:
    Identity(stranger.pid, "another-start").signal(signal.SIGKILL)
    with pytest.raises(subprocess.TimeoutExpired):
        stranger.wait(0.2)
    # Control: under its own identity the same signal ends it.
    identity_of(stranger).signal(signal.SIGKILL)
    assert stranger.wait(5) == -signal.SIGKILL


def test_a_zombie_is_not_alive(stranger: "subprocess.Popen[bytes]") -> None:
    identity = identity_of(stranger)
    assert identity.alive
    os.kill(stranger.pid, signal.SIGKILL)
    os.waitid(os.P_PID, stranger.pid, os.WEXITED | os.WNOWAIT)  # ended, but not yet reaped
    assert not identity.alive


def test_leftovers_are_ended_and_a_process_with_a_reused_pid_is_not(
    settings: Settings, stranger: "subprocess.Popen[bytes]"
) -> None:
    settings.run.mkdir()
    with subprocess.Popen(SLEEP) as left:
        identity_of(left).write(settings.run / "kafka.pid")
        Identity(stranger.pid, "another-start").write(settings.run / "postgres.pid")
        assert leftovers.end_all(settings) == ["kafka"]
        assert left.wait(5) == -signal.SIGTERM
    assert stranger.poll() is None
    assert list(settings.run.glob("*.pid")) == []


def test_kafka_and_postgres_are_ended_last(settings: Settings) -> None:
    settings.run.mkdir()
    for name in ("postgres", "kafka", "projector", "command_api"):
        Identity.mine().write(settings.run / f"{name}.pid")
    assert list(leftovers.found(settings)) == ["command_api", "projector", "kafka", "postgres"]


def test_a_half_written_pid_file_names_no_process(settings: Settings) -> None:
    settings.run.mkdir()
    (settings.run / "kafka.pid").write_text("12")
    assert leftovers.end_all(settings) == []
    assert list(settings.run.glob("*.pid")) == []


@pytest.mark.parametrize("watched", ["watched", "unwatched"])
def test_a_killed_supervisor_leaves_no_process(settings: Settings, watched: str) -> None:
    argv = [sys.executable, "-c", SUPERVISOR, str(settings.home), watched]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as supervisor:
        assert supervisor.stdout is not None
        child = Identity.of(int(supervisor.stdout.readline()))
        assert child is not None
        supervisor.kill()
    until = time.monotonic() + (10.0 if watched == "watched" else 0.5)
    while child.alive and time.monotonic() < until:
        time.sleep(0.02)
    lived = child.alive
    child.signal(signal.SIGKILL)
    assert lived is (watched == "unwatched")  # the control: without the watchdog it lives on


def test_a_second_run_in_a_folder_hears_the_firsts_pid(settings: Settings) -> None:
    path = settings.run / "stack.lock"
    first, second = Lock(path), Lock(path)
    first.take()
    with pytest.raises(Trouble, match=rf"already runs in {settings.home} \(pid {os.getpid()}\): `make down`"):
        second.take()
    assert second.holder() == os.getpid()
    first.release()
    assert second.holder() is None
    second.take()
    second.release()


def test_the_lock_of_a_killed_run_is_free(settings: Settings) -> None:
    path = settings.run / "stack.lock"
    text = f"from pathlib import Path; from deploy.local.lock import Lock; import sys; Lock(Path({str(path)!r})).take()"
    argv = [sys.executable, "-c", f"{text}; print(1, flush=True); sys.stdin.read()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        # CPython frees a lock object without a reference; this one lives in a module that still runs.
        holder.kill()
    lock = Lock(path)
    lock.take()
    lock.release()


def test_a_program_that_ends_at_once_is_reported_with_its_log(settings: Settings) -> None:
    """Its last line of output is in the report too."""
    process = script(settings, "print('the key is missing'); raise SystemExit(3)", ready_line="ready")
    process.start()
    with pytest.raises(Trouble, match=rf"ended with status 3: the key is missing - its log: {process.log}"):
        process.await_ready(10.0)
    process.stop()


def test_the_ready_line_of_an_earlier_start_does_not_count(settings: Settings) -> None:
    first = script(settings, "print('it is ready'); import time; time.sleep(60)", ready_line="it is ready")
    first.start()
    first.await_ready(10.0)
    first.kill()
    second = script(settings, "import time; time.sleep(60)", ready_line="it is ready")
    second.start()
    with pytest.raises(Trouble, match="not ready after"):
        second.await_ready(0.2)
    second.stop()


def test_a_program_that_does_not_end_is_killed(settings: Settings) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    process = script(settings, deaf, ready_line="deaf")
    process.start()
    process.await_ready(10.0)
    process.stop(timeout_seconds=0.1)
    assert process.exit_status == -signal.SIGKILL
    assert list(settings.run.glob("*.pid")) == []
