"""Run the command API: `python -m services.command_api`. SIGTERM and SIGINT end it gracefully, with status 0."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
import uvloop
from pydantic import ValidationError

from services.command_api.app import Api
from services.command_api.settings import Settings
from shared.runtime import configure_logging

_KEEP_ALIVE_SECONDS = 75  # longer than a proxy keeps an idle connection: the end that sends should be the one to close


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


async def serve(settings: Settings) -> None:
    """Serve until a signal says to end."""
    config = uvicorn.Config(
        Api(settings).app(),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.grace_seconds,
    )
    await _Server(config).serve()


def main() -> int:
    """Read the settings and serve. A missing or wrong one is named, and nothing of its value is shown."""
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            name = f"COMMAND_API_{'_'.join(map(str, problem['loc']))}".upper()
            sys.stderr.write(f"{name}: {problem['msg']}\n")
        return 2
    configure_logging("command_api")
    uvloop.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
