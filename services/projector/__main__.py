"""Run the projector: `python -m services.projector`. SIGTERM and SIGINT end it gracefully, with status 0.

`python -m services.projector audit …` audits instead, and ends. So does `rebuild …`: it fills the read models anew.
The projector and a rebuild make a nursery of helpers first, while nothing is open yet (`helpers/nursery.py`).
"""
# Imports stand in the functions that need them, so a helper, which is a fork, has none of the projector's own.
# ruff: noqa: PLC0415

import asyncio
import sys

from services.projector.helpers.helper import helping
from services.projector.helpers.nursery import Nursery, nursery_for
from services.projector.settings import Settings
from shared.process.alarms import Alarms
from shared.process.logs import configure_logging
from shared.settings import read_settings


async def main(settings: Settings, alarms: Alarms | None = None, nursery: Nursery | None = None) -> int:
    """Project, and serve health, until a signal says to end; return 1 when a bug ended it. `nursery` makes helpers."""
    from services.projector.app import ProjectorProcess
    from shared.process.garbage import collect_seldom
    from shared.process.http.server import serve

    process = ProjectorProcess(settings, alarms=alarms, nursery=nursery)
    app = process.app()
    collect_seldom()
    await serve(app, settings.http_host, settings.http_port, settings.grace_seconds)
    return 1 if process.failed else 0


def _projecting() -> int:
    import uvloop

    from services.projector.metrics import ALARM_NAMES

    alarms = Alarms(ALARM_NAMES)
    configure_logging("projector", alarms)
    settings = read_settings(Settings)
    with nursery_for(settings.catch_up_processes, helping(settings)) as nursery:
        return uvloop.run(main(settings, alarms, nursery))


def _audit() -> int:
    from services.projector.auditor import AuditSettings, audited

    # Not on uvloop, whose TLS connections were seen to take some ten seconds to close.
    return asyncio.run(audited(read_settings(AuditSettings), sys.argv[2:]))


def _rebuild() -> int:
    from services.projector.rebuild.command import RebuildSettings, rebuilt

    return rebuilt(read_settings(RebuildSettings), sys.argv[2:])


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(_projecting())
    command = {"audit": _audit, "rebuild": _rebuild}.get(sys.argv[1])
    if command is None:
        # A mistyped audit must not become one more projector, which takes partitions.
        sys.stderr.write(f"projector: there is no {sys.argv[1]!r}: say `audit`, `rebuild` or nothing.\n")
        sys.exit(2)
    configure_logging("projector")
    sys.exit(command())
