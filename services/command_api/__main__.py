"""Run the command API: `python -m services.command_api`. SIGTERM and SIGINT end it gracefully, with status 0."""

import gc

import uvloop

from services.command_api.app import Api
from services.command_api.settings import Settings
from shared.process.logs import configure_logging
from shared.process.server import read_settings, serve


async def serve_api(settings: Settings) -> None:
    """Serve until a signal says to end. Every part is made on the loop that runs it."""
    api = Api(settings)
    app = api.app()
    # What is here now stays for good: no collection needs to look at it again, while callers wait.
    gc.collect()
    gc.freeze()
    await serve(
        app,
        settings.http_host,
        settings.http_port,
        settings.grace_seconds,
        drain_seconds=settings.drain_seconds,
        on_leaving=api.leave,
    )


def main() -> None:
    """Read the settings and serve."""
    settings = read_settings(Settings)
    configure_logging("command_api")
    uvloop.run(serve_api(settings))


if __name__ == "__main__":
    main()
