"""Ending: one step of a shutdown, with a limit. It never hangs and never raises."""

import asyncio
from collections.abc import Awaitable

import structlog


async def ended_within(seconds: float, ending: Awaitable[object], what: str) -> bool:
    """Wait for one step of a shutdown, at most `seconds`; say whether it came to its end. Never raises."""
    log = structlog.get_logger()
    step = asyncio.ensure_future(ending)
    # Not `wait_for`: a cancellation from within (aiokafka's stop does that to itself) would pass for one of ours.
    await asyncio.wait({step}, timeout=seconds)
    if not step.done():
        # A producer's stop hangs for as long as Kafka is away: what it still holds was never acknowledged.
        log.warning("shutdown_step_timed_out", step=what, after_seconds=seconds)
        return False
    if step.cancelled():
        log.warning("shutdown_step_cancelled", step=what)
        return False
    if (error := step.exception()) is not None:  # the other steps must still have their turn
        log.error("shutdown_step_failed", step=what, exc_info=error)
        return False
    return True
