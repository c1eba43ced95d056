"""Helpers as their owner has them: processes that may hang."""

import asyncio
import sys
from pathlib import Path

import pytest
import structlog

from services.projector.helpers import helpers
from services.projector.helpers.helpers import HelperProcesses


@pytest.fixture
def hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let helpers be processes that live, take their work, and do nothing."""
    program = tmp_path / "hangs"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def skipped(offset: int, reason: str) -> None:
    raise AssertionError((offset, reason))


@pytest.mark.usefixtures("hangs")
async def test_a_helper_that_hangs_is_ended_and_its_owner_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "_SILENT_SECONDS", 0.1)
    several = HelperProcesses(1, {})
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(5):
            await several.catch_up(3, skipped)
        await several.stop()
    assert [line["event"] for line in logs] == ["helper_started", "helper_silent", "helper_ended"]
    assert logs[-1]["status"] == -9


@pytest.mark.usefixtures("hangs")
async def test_without_that_limit_the_owner_would_wait() -> None:
    """The control."""
    several = HelperProcesses(1, {})
    waiting = asyncio.ensure_future(several.catch_up(3, skipped))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await several.stop()
