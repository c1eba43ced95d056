"""Serving HTTP from a process of ours: how it starts, how it names a wrong setting, and how it ends on a signal."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import uvicorn
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from starlette.types import ASGIApp

# Longer than a proxy keeps an idle connection: the end that sends should be the one to close.
_KEEP_ALIVE_SECONDS: Final = 75

_Settings = TypeVar("_Settings", bound=BaseSettings)


class _Server(uvicorn.Server):
    """Uvicorn's server raises the signal again after a graceful end, and so would die of it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        asked = (signal.SIGTERM, signal.SIGINT)
        for number in asked:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in asked:
                loop.remove_signal_handler(number)


async def serve(app: ASGIApp, host: str, port: int, grace_seconds: int) -> None:
    """Serve until SIGTERM or SIGINT says to end; what is in flight then has `grace_seconds`."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=grace_seconds,
    )
    await _Server(config).serve()


def read_settings(kind: type[_Settings]) -> _Settings:
    """Read settings from the environment, or end with status 2: a wrong one is named, its value is not shown."""
    try:
        return kind()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            name = kind.model_config.get("env_prefix", "") + "_".join(map(str, problem["loc"]))
            sys.stderr.write(f"{name.upper()}: {problem['msg']}\n")
        sys.exit(2)
