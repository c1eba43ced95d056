"""Run the projector: `python -m services.projector`. SIGTERM and SIGINT end it gracefully, with status 0.

`python -m services.projector audit …` audits instead, and ends. So does `rebuild …`: it fills the read models anew.
`python -m services.projector fill` helps the process that started it, and ends with it.
"""

import asyncio
import sys

import uvloop

from services.projector.app import ProjectorProcess
from services.projector.auditor import AuditSettings, audited
from services.projector.helpers.helper import filled
from services.projector.metrics import ALARM_NAMES
from services.projector.rebuild.command import RebuildSettings, rebuilt
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
    if sys.argv[1:2] == ["audit"]:
        # Not on uvloop, whose TLS connections were seen to take some ten seconds to close.
        sys.exit(asyncio.run(audited(read_settings(AuditSettings), sys.argv[2:])))
    if sys.argv[1:2] == ["rebuild"]:
        sys.exit(asyncio.run(rebuilt(read_settings(RebuildSettings), sys.argv[2:])))
    if sys.argv[1:2] == ["fill"]:
        sys.exit(asyncio.run(filled(read_settings(Settings), sys.argv[2:])))
    sys.exit(uvloop.run(main(read_settings(Settings), heard)))
