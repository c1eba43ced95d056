"""A run ends in order, whatever the cause: Ctrl-C in a pause, a part that dies too often, a part that never starts.

The parts are small programs instead of Kafka, Postgres and the services; processes and signals are real.
"""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from deploy.local.identity import Identity
from deploy.local.settings import HOST, ROOT, Settings
from deploy.local.supervisor import Supervisor
from deploy.local.trouble import Trouble

RUN = """
import sys
from pathlib import Path
from deploy.local import __main__ as local, restarts
from deploy.local.process import Process, Program
from deploy.local.settings import Settings
from deploy.local.supervisor import Supervisor

home, first_pause, *texts = sys.argv[1:]
restarts.PAUSES_SECONDS = (float(first_pause), *restarts.PAUSES_SECONDS[1:])

class Small(Supervisor):
    def _up(self):
        for name, text in zip(("command_api", "projector"), texts):
            program = Program(name=name, argv=[sys.executable, "-u", "-c", text], environ={}, ready_line="ready")
            self._services.append(Process(program, self._settings.run, self._settings.logs))
            self._services[-1].start()
        for service in self._services:
            service.await_ready(10.0)
        self._note(ready=True)
        print("up", flush=True)

local.Supervisor = Small
local.Settings.from_environment = lambda: Settings(home=Path(home))
sys.argv[1:] = ["run"]
sys.exit(local.main())
"""
LIVES = "import time; print('ready'); time.sleep(60)"
FAILS = "print('the key is missing'); raise SystemExit(3)"
DIES = "print('ready'); print('the disk is full'); raise SystemExit(4)"
SLOW_TO_END = """
import signal, time
def end(*_):
    print('asked to end')
    time.sleep(0.5)
    raise SystemExit
signal.signal(signal.SIGTERM, end)
print('ready')
time.sleep(60)
"""

Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def begin(settings: Settings) -> Iterator[Begin]:
    """Begin a run of an API and a projector, and make sure that all three are gone afterwards."""
    begun: list[subprocess.Popen[str]] = []

    def run(api: str, projector: str, first_pause: str = "0.5") -> "subprocess.Popen[str]":
        argv = [sys.executable, "-c", RUN, str(settings.home), first_pause, api, projector]
        begun.append(subprocess.Popen(argv, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        return begun[-1]

    yield run
    for child in begun:
        child.terminate()
        child.communicate(timeout=30)
    assert list(settings.run.glob("*.pid")) == []


def said_by(child: "subprocess.Popen[str]") -> IO[str]:
    assert child.stdout is not None
    return child.stdout


def heard(child: "subprocess.Popen[str]", words: str) -> str:
    return next(line for line in said_by(child) if words in line)


def part(settings: Settings, name: str) -> Identity:
    who = Identity.read(settings.run / f"{name}.pid")
    assert who is not None
    return who


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_a_pause_ends_what_lives_and_starts_nothing(
    settings: Settings, begin: Begin, number: signal.Signals
) -> None:
    # Long enough for a busy machine: the signal must come in the pause.
    child = begin(LIVES, LIVES, first_pause="30")
    heard(child, "up")
    api, projector = part(settings, "command_api"), part(settings, "projector")
    assert (settings.run / "ready").exists()
    api.signal(signal.SIGKILL)
    heard(child, "command_api ended with signal 9 (SIGKILL); starting it again in 30 s")
    child.send_signal(number)
    rest = said_by(child).read()
    assert child.wait(10) == 0
    assert not projector.alive
    assert "Ended: projector" in rest
    assert "Ended: command_api" not in rest
    assert rest.endswith("Everything is ended; data stays.\n")
    assert not (settings.run / "ready").exists()


def test_a_part_that_comes_back_is_another_process(settings: Settings, begin: Begin) -> None:
    child = begin(LIVES, LIVES)
    heard(child, "up")
    api, projector = part(settings, "command_api"), part(settings, "projector")
    api.signal(signal.SIGKILL)
    heard(child, "All is ready again")
    assert part(settings, "command_api") != api
    assert part(settings, "projector") == projector


def test_a_part_that_dies_too_often_ends_the_run(settings: Settings, begin: Begin) -> None:
    """A signal that comes during that end does not cut it short."""
    child = begin(DIES, SLOW_TO_END)
    heard(child, "starting it again in 2 s")
    projector = part(settings, "projector")
    while "asked to end" not in (settings.logs / "projector.log").read_text():
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    rest = said_by(child).read()
    assert child.wait(10) == 1
    assert not projector.alive
    assert "Ended: projector" in rest
    assert rest.endswith(
        "stint: command_api died 4 times within 60 s and is not started again; the last time it ended with status 4: "
        f"the disk is full - its log: {settings.logs / 'command_api.log'}. Put that right, then start anew.\n"
    )


def test_a_part_that_cannot_start_is_reported_and_not_restarted(settings: Settings, begin: Begin) -> None:
    child = begin(FAILS, LIVES)
    rest = said_by(child).read()
    assert child.wait(10) == 1
    lines = [line for line in rest.splitlines() if "command_api" in line]
    said = f"ended with status 3: the key is missing - its log: {settings.logs / 'command_api.log'}."
    assert lines == [f"stint: command_api {said}"]


def test_a_run_that_is_refused_has_not_said_that_it_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        settings = Settings(home=tmp_path, http_port=taken.getsockname()[1])
        with pytest.raises(Trouble, match="is taken by another program"):
            Supervisor(settings).run()
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "kafka").exists()
