"""Until: waiting for a condition that a test can ask about."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

_WITHIN_SECONDS: Final = 20.0
_GIVES_WITHIN_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.02
_PAUSE_SECONDS_MAX: Final = 0.2
# Of what was waited already.
_PAUSE_PART: Final = 0.02


async def eventually(true: Callable[[], Awaitable[bool]], what: str, within_seconds: float = _WITHIN_SECONDS) -> None:
    """Return when a condition holds. Raises TimeoutError, with `what` in its text, when it does not in time."""
    began = monotonic()
    try:
        async with asyncio.timeout(within_seconds):
            while not await true():
                await _pause(began)
    except TimeoutError:
        raise TimeoutError(f"not within {within_seconds:.0f} s: {what}") from None


async def until(ask: Callable[[], Awaitable[object]], expected: object) -> None:
    """Return once `ask` gives `expected`, because a text comes some milliseconds after its timer."""
    began, heard = monotonic(), await ask()
    try:
        async with asyncio.timeout(_GIVES_WITHIN_SECONDS):
            while heard != expected:
                await _pause(began)
                heard = await ask()
    except TimeoutError:
        assert heard == expected


async def _pause(began: float) -> None:
    # A long wait asks seldom, and leaves the processor to what it waits for.
    waited = _PAUSE_PART * (monotonic() - began)
    await asyncio.sleep(min(max(_PAUSE_SECONDS, waited), _PAUSE_SECONDS_MAX))
