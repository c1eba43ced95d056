"""Sweeping: one look at all deadlines every few hundredths of a second, instead of a timer for each request."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

EVERY_SECONDS: Final = 0.05

Sweep = Callable[[float], None]


async def keep_sweeping(*sweeps: Sweep) -> None:
    """Call each sweep with the loop's time, for ever. When one raises, the others still run."""
    log = structlog.get_logger()
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        for sweep in sweeps:
            try:
                sweep(loop.time())
            except Exception:
                log.exception("sweep_failed")
