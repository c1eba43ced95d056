"""Ending: one step of a shutdown, with a limit. It never hangs and never raises."""

import asyncio
from collections.abc import Awaitable

import structlog


async def ended_within(seconds: float, ending: Awaitable[object], what: str) -> bool:
    """Wait for one step of a shutdown, at most `seconds`; return whether the step ended well. Never raises."""
    log = structlog.get_logger()
    step = asyncio.ensure_future(ending)
    # Not `wait_for`: aiokafka's stop cancels itself, which would look like a cancellation of ours.
    await asyncio.wait({step}, timeout=seconds)
    if not step.done():
        # A producer's stop hangs until Kafka is back. What the producer still holds was never acknowledged.
        log.warning("shutdown_step_timed_out", step=what, after_seconds=seconds)
        return False
    if step.cancelled():
        log.warning("shutdown_step_cancelled", step=what)
        return False
    if (error := step.exception()) is not None:  # the other steps must still run
        log.error("shutdown_step_failed", step=what, exc_info=error)
        return False
    return True
