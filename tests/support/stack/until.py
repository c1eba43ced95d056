"""Until: waiting for a condition that a test can ask about."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

_WITHIN_SECONDS: Final = 20.0
_GIVES_WITHIN_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.02


async def eventually(true: Callable[[], Awaitable[bool]], what: str, within_seconds: float = _WITHIN_SECONDS) -> None:
    """Return when a condition holds. Raises TimeoutError, with `what` in its text, when it does not in time."""
    try:
        async with asyncio.timeout(within_seconds):
            while not await true():  # noqa: ASYNC110 - it is about other processes
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError:
        raise TimeoutError(f"not within {within_seconds:.0f} s: {what}") from None


async def until(ask: Callable[[], Awaitable[object]], expected: object) -> None:
    """Return once `ask` gives `expected`, because a text comes some milliseconds after its timer."""
    heard = await ask()
    try:
        async with asyncio.timeout(_GIVES_WITHIN_SECONDS):
            while heard != expected:
                await asyncio.sleep(_PAUSE_SECONDS)
                heard = await ask()
    except TimeoutError:
        assert heard == expected
