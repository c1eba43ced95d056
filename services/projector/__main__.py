"""Run the projector: `python -m services.projector`. SIGTERM and SIGINT end it gracefully, with status 0."""

import sys

import uvloop

from services.projector.app import ProjectorProcess
from services.projector.metrics import ALARM_NAMES
from services.projector.settings import Settings
from shared.process.alarms import Alarms
from shared.process.garbage import look_seldom
from shared.process.logs import configure_logging
from shared.process.server import read_settings, serve


async def main(settings: Settings, alarms: Alarms | None = None) -> int:
    """Project, and serve health, until a signal says to end; return 1 when a bug ended it."""
    process = ProjectorProcess(settings, alarms=alarms)
    app = process.app()
    look_seldom()
    await serve(app, settings.http_host, settings.http_port, settings.grace_seconds)
    return 1 if process.failed else 0


if __name__ == "__main__":
    heard = Alarms(ALARM_NAMES)
    configure_logging("projector", heard)
    sys.exit(uvloop.run(main(read_settings(Settings), heard)))
