"""Run the feed: `python -m services.feed`. SIGTERM and SIGINT end it gracefully, with status 0."""

import sys

import uvloop

from services.feed.app import FeedProcess
from services.feed.metrics import ALARM_NAMES
from services.feed.settings import Settings
from shared.process.alarms import Alarms
from shared.process.garbage import collect_seldom
from shared.process.http.server import serve
from shared.process.logs import configure_logging
from shared.settings import read_settings


async def serve_feed(settings: Settings, alarms: Alarms) -> int:
    """Serve until a signal; return 1 when a bug ended the process. Every part is made on the loop that runs it."""
    process = FeedProcess(settings, alarms)
    app = process.app()
    collect_seldom()
    await serve(
        app,
        settings.http_host,
        settings.http_port,
        settings.grace_seconds,
        drain_seconds=settings.drain_seconds,
        on_leaving=process.leave,
    )
    return 1 if process.failed else 0


def main() -> int:
    """Read the settings, serve, and return the exit status."""
    settings = read_settings(Settings)
    alarms = Alarms(ALARM_NAMES)
    configure_logging("feed", alarms)
    return uvloop.run(serve_feed(settings, alarms))


if __name__ == "__main__":
    sys.exit(main())
