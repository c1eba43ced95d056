"""Beside: a second set of read models on the same log, folded by projectors that nobody else depends on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tests.support.deployments import Deployment

_WITHIN_SECONDS: Final = 20.0


async def beside(deployment: Deployment, name: str) -> dict[str, str]:
    """Return the environment of projectors that fold into an empty database, as a group of their own."""
    return {
        "PROJECTOR_POSTGRES_DSN": await deployment.fresh_database(name),
        "PROJECTOR_GROUP_ID": name,
        "PROJECTOR_TEXTS_GROUP_ID": f"{name}.texts",
    }


async def eventually(true: Callable[[], Awaitable[bool]], what: str, within_seconds: float = _WITHIN_SECONDS) -> None:
    """Return when a condition has come to hold; raise TimeoutError, saying what was waited for, when it does not."""
    try:
        async with asyncio.timeout(within_seconds):
            while not await true():  # noqa: ASYNC110 - it is about other processes
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise TimeoutError(f"not within {within_seconds:.0f} s: {what}") from None
