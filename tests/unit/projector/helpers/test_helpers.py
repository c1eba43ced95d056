"""Helpers as their owner has them: processes that may hang, and a nursery that may end."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import structlog

from deploy.local.settings import ROOT
from services.projector.helpers import helpers
from services.projector.helpers.helpers import HelperProcesses
from services.projector.helpers.nursery import Nursery, nursery_for

# Says which modules a helper has when it begins, and which of them its owner had not.
BEGUN = """
import asyncio, json, sys
import services.projector.__main__
from services.projector.helpers.nursery import Nursery
owner = set(sys.modules)

def work(line):
    line.sendall(json.dumps([sorted(sys.modules), sorted(set(sys.modules) - owner)]).encode() + b"\\n")

async def main(nursery):
    _, says, _ = await nursery.helper()
    print((await says.readline()).decode())

with Nursery(work) as nursery:
    asyncio.run(main(nursery))
"""


def hang(owner: socket.socket) -> None:
    """Live, take work, and do nothing."""
    del owner
    time.sleep(60)


@pytest.fixture
def hangs() -> Iterator[Nursery]:
    """Give a nursery of helpers that hang."""
    with Nursery(hang) as nursery:
        yield nursery


def skipped(offset: int, reason: str) -> None:
    raise AssertionError((offset, reason))


async def test_a_helper_that_hangs_is_ended_and_its_owner_goes_on(
    hangs: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helpers, "_SILENT_SECONDS", 0.1)
    several = HelperProcesses(hangs, 1)
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(5):
            await several.catch_up(3, skipped)
        await several.stop()
    assert [line["event"] for line in logs] == ["helper_started", "helper_silent", "helper_ended"]
    assert len({line["pid"] for line in logs}) == 1


async def test_without_that_limit_the_owner_would_wait(hangs: Nursery) -> None:
    """The control."""
    several = HelperProcesses(hangs, 1)
    waiting = asyncio.ensure_future(several.catch_up(3, skipped))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    several._helpers[0].kill()
    await asyncio.wait_for(waiting, 5)
    await several.stop()


async def test_an_owner_whose_nursery_has_ended_goes_on_alone(hangs: Nursery) -> None:
    hangs.close()
    several = HelperProcesses(hangs, 1)
    with structlog.testing.capture_logs() as logs:
        await several.catch_up(3, skipped)
    assert [line["event"] for line in logs] == ["helper_not_started"]


async def test_a_helper_whose_work_raises_ends_and_its_owner_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    """No frame of the owner's runs on in it."""
    with Nursery(_raises) as nursery:
        await asyncio.wait_for(HelperProcesses(nursery, 1).catch_up(3, skipped), 5)
    assert "ValueError: as it must" in capfd.readouterr().err


async def test_a_fork_that_fails_costs_one_helper_and_the_next_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    forks = iter([os.fork, _no_memory, os.fork])

    def fork() -> int:
        return next(forks)()

    monkeypatch.setattr(os, "fork", fork)
    with Nursery(hang) as nursery:
        with pytest.raises(OSError, match="could not fork"):
            await nursery.helper()
        number, _, hears = await nursery.helper()
        os.kill(number, signal.SIGKILL)
        hears.close()


def test_an_owner_that_cannot_make_a_nursery_has_no_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", _no_memory)
    with structlog.testing.capture_logs() as logs, nursery_for(2, hang) as nursery:
        assert nursery is None
    assert [line["event"] for line in logs] == ["helper_not_started"]


def _no_memory() -> int:
    raise BlockingIOError("no more processes")


def _raises(_: object) -> None:
    raise ValueError("as it must")


def test_a_helper_has_all_that_it_runs_when_it_begins() -> None:
    """A database that is far behind waits for the start of its helpers. What only the projector needs, none has."""
    said = subprocess.run([sys.executable, "-c", BEGUN], cwd=ROOT, capture_output=True, check=True, text=True)
    has, imported = json.loads(said.stdout)
    assert {"aiokafka", "asyncpg", "services.projector.helpers.helper"} <= set(has)
    assert imported == []
    assert {"faststream", "services.projector.app", "starlette", "uvicorn"}.isdisjoint(has)
