"""How our processes are run: logs, settings, and an end that does not hang."""

import asyncio
import logging
import sys
from collections.abc import Awaitable
from typing import Final

import structlog

_LOUD_LIBRARIES: Final = ("aiokafka", "faststream", "uvicorn.access")


def configure_logging(service: str) -> None:
    """Write one JSON line per event to stderr, with the service's name; libraries speak from WARNING on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for library in _LOUD_LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)


async def ended_within(seconds: float, ending: Awaitable[object], what: str) -> bool:
    """Wait for one step of a shutdown, at most `seconds`; say whether it came to its end. Never raises."""
    log = structlog.get_logger()
    try:
        await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(ending)), seconds)
    except TimeoutError:
        # A producer's stop hangs for as long as Kafka is away: what it still holds was never acknowledged.
        log.warning("shutdown_step_timed_out", step=what, after_seconds=seconds)
        return False
    except Exception:  # the other steps must still have their turn
        log.exception("shutdown_step_failed", step=what)
        return False
    return True
