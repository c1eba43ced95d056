"""The projector of the next release, which reads an event that today's does not know.

`python -m tests.faults.upgraded_projector`.
"""

import sys
from typing import Final

import uvloop

from services.projector.__main__ import main
from services.projector.settings import Settings
from shared.events.models import BODY_OF
from shared.process.logs import configure_logging
from shared.settings import read_settings

NEWER: Final = "timer.started.v2"

if __name__ == "__main__":
    BODY_OF[NEWER] = BODY_OF["timer.started.v1"]
    configure_logging("upgraded-projector")
    sys.exit(uvloop.run(main(read_settings(Settings))))
