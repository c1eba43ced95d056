"""Background tasks: one that ends by itself ends the process; all of them end when they are told to."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import structlog

from shared.process.background import Background


@pytest.fixture
async def ended() -> AsyncIterator[asyncio.Event]:
    """Return an event that is set when the process is told to end."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    yield told
    loop.remove_signal_handler(signal.SIGTERM)


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _raises() -> None:
    raise RuntimeError("a bug")


async def _returns() -> None:
    return


@pytest.mark.parametrize("work", [_raises, _returns])
async def test_a_task_that_ends_is_an_alarm_and_ends_the_process(
    work: Callable[[], Coroutine[Any, Any, None]], ended: asyncio.Event
) -> None:
    background = Background()
    with structlog.testing.capture_logs() as logs:
        background.begin("sound", _for_ever())
        background.begin("sick", work())
        async with asyncio.timeout(10):
            await ended.wait()
    assert [(entry["event"], entry["log_level"], entry["task"]) for entry in logs] == [
        ("background_ended", "error", "sick")
    ]
    assert background.failed
    assert not background.alive()
    await background.end(1.0)


async def test_tasks_that_are_ended_are_no_alarm(ended: asyncio.Event) -> None:
    background = Background()
    background.begin("sound", _for_ever())
    await asyncio.sleep(0)
    assert background.alive()
    with structlog.testing.capture_logs() as logs:
        await background.end(1.0)
    assert logs == []
    assert not background.failed
    assert not background.alive()
    assert not ended.is_set()
