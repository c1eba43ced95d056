"""Until: waiting for a condition that a test can ask about."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

_WITHIN_SECONDS: Final = 20.0


async def eventually(true: Callable[[], Awaitable[bool]], what: str, within_seconds: float = _WITHIN_SECONDS) -> None:
    """Return when a condition holds. Raises TimeoutError, with `what` in its text, when it does not in time."""
    try:
        async with asyncio.timeout(within_seconds):
            while not await true():  # noqa: ASYNC110 - it is about other processes
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise TimeoutError(f"not within {within_seconds:.0f} s: {what}") from None
