"""`make run` restarts a part that died, gives up on a part that dies too often, and leaves no process behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Final

import httpx2 as httpx
import pytest

from deploy.local.identity import PROC, Identity
from deploy.local.settings import ROOT, Settings
from tests.support.stack.stacks import CONTAINERS, stack_in

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(CONTAINERS, reason="this is about the local stack's own processes"),
    pytest.mark.skipif(not PROC.is_dir(), reason="without /proc nothing tells whose processes are left"),
]

PARTS: Final = ("command_api", "projector", "feed", "kafka", "postgres")
UP_WITHIN_SECONDS: Final = 90.0
BACK_WITHIN_SECONDS: Final = 60.0
AGAIN: Final = "All is ready again"


@dataclass
class LocalRun:
    """One `python -m deploy.local run`, and its output."""

    settings: Settings
    child: "subprocess.Popen[str]"
    printed: list[str] = field(default_factory=list)

    def prints(self, words: str, within_seconds: float, times: int = 1) -> str:
        """Wait for `times` lines that contain `words`, and return the last."""
        found = self.awaits(lambda: len(self.having(words)) >= times, f"{words!r} x {times}", within_seconds)
        assert found
        return self.having(words)[times - 1]

    def having(self, words: str) -> list[str]:
        """Return the printed lines that contain `words`."""
        return [line for line in self.printed if words in line]

    def awaits(self, true: Callable[[], bool], what: str, within_seconds: float) -> bool:
        """Wait for a condition. Fail with all output when it does not become true."""
        until = time.monotonic() + within_seconds
        while not true():
            assert time.monotonic() < until, f"not within {within_seconds} s: {what}\n{''.join(self.printed)}"
            time.sleep(0.02)
        return True

    def identity(self, part: str) -> Identity | None:
        """Return the identity of a part's process."""
        return Identity.read(self.settings.run / f"{part}.pid")

    def kill(self, *parts: str) -> None:
        """Kill parts with -9, all of them before any can be started again."""
        for one in [self.identity(part) for part in parts]:
            assert one is not None
            assert one.alive
            one.signal(signal.SIGKILL)


def left_in(home: Path) -> list[str]:
    """Return the processes of the stack in a folder, found by working folder, executable or arguments."""
    return [entry.name for entry in PROC.iterdir() if entry.name.isdigit() and _belongs(entry, home)]


def _belongs(entry: Path, home: Path) -> bool:
    try:
        if (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
            return False
        told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        return str(home).encode() in told or (entry / "cwd").readlink().is_relative_to(home)
    except OSError:
        return False


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return stack_in(tmp_path).settings


@contextmanager
def running(settings: Settings) -> Iterator[LocalRun]:
    """Keep a local stack up inside."""
    told = {name: str(port) for name, port in settings.ports.items()} | {"STINT_HOME": str(settings.home)}
    # A killed projector's partitions move when its session ends. This is the shortest session that the broker allows.
    told["PROJECTOR_SESSION_TIMEOUT_MS"] = "6000"
    child = subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "run"],
        cwd=ROOT,
        env=os.environ | told,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    run = LocalRun(settings, child)
    reader = Thread(target=lambda: run.printed.extend(child.stdout or ()))
    reader.start()
    try:
        run.prints("Stint is ready at", UP_WITHIN_SECONDS)
        yield run
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        child.wait(60)
        reader.join(10)
        if child.stdout:
            child.stdout.close()


def press(settings: Settings, owner: str) -> int:
    """Start a timer of an owner with the demo tenant's token, and return the status."""
    said = re.search("^(?:export )?STINT_TOKEN='?([^'\n]+)", settings.demo_env.read_text(), re.MULTILINE)
    assert said is not None
    headers = {"Authorization": f"Bearer {said[1]}"}
    return httpx.post(f"{settings.url}/v1/timers", json={"owner": owner}, headers=headers, timeout=20).status_code


def ended_or_restarted(run: LocalRun, number: int) -> bool:
    """Return whether the run has ended, or has started its API again so many times."""
    if run.child.poll() is not None:
        return True
    again = run.having("command_api ended with signal 9 (SIGKILL); starting it again")
    who = run.identity("command_api")
    return len(again) >= number and who is not None and who.alive


@pytest.mark.timeout(300)  # a start of the whole stack, and up to ten of its parts, on a machine that may be busy
def test_parts_that_are_killed_are_started_again_until_one_dies_too_often(settings: Settings) -> None:
    """First all services, then Kafka and Postgres, then one service until its fourth death ends the run."""
    with running(settings) as run:
        assert left_in(settings.home)  # control: the processes are found while they run
        formatted = (settings.home / "kafka" / "log" / "meta.properties").read_text()
        assert press(settings, "before") == 201
        for number, parts in enumerate([("command_api", "projector", "feed"), ("kafka", "postgres")], 1):
            before = {part: run.identity(part) for part in PARTS}
            run.kill(*parts)
            run.prints(AGAIN, BACK_WITHIN_SECONDS, number)
            assert {part for part in PARTS if run.identity(part) != before[part]} == set(parts)
            assert press(settings, f"after-{number}") == 201
        assert (settings.home / "kafka" / "log" / "meta.properties").read_text() == formatted

        # On a busy machine the first deaths may be a minute ago by now, and count no more.
        for number in range(2, 9):
            run.kill("command_api")
            run.awaits(partial(ended_or_restarted, run, number), "a restart or the end", BACK_WITHIN_SECONDS)
            if run.child.poll() is not None:
                break
        assert run.child.wait(60) == 1
        assert run.prints("stint: ", BACK_WITHIN_SECONDS) == (
            "stint: command_api died 4 times within 60 s and is not started again; the last time it ended with "
            f"signal 9 (SIGKILL) - its log: {settings.logs / 'command_api.log'}. Put that right, then start anew.\n"
        )
        pauses = [line.rpartition(" in ")[2] for line in run.having("command_api ended with signal 9 (SIGKILL)")]
        # A death that counts no more shortens the next pause: tests/unit/deploy/test_restarts.py asks how long each is.
        assert set(pauses) <= {"0.5 s\n", "1 s\n", "2 s\n"}
        assert pauses[-1] == "2 s\n"
        assert [line.split()[-1] for line in run.having("Ended: ")] == ["projector", "feed", "kafka", "postgres"]
    assert left_in(settings.home) == []
