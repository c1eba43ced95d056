"""A projector that gives each partition to helpers, however near it is: `python -m tests.faults.helped_projector`."""

import sys

import uvloop

from services.projector.__main__ import main
from services.projector.loop.partition import recover
from services.projector.settings import Settings
from shared.process.logs import configure_logging
from shared.process.server import read_settings

if __name__ == "__main__":
    recover.FAR_BEHIND = 1  # type: ignore[misc] # a test has no ten thousand outcomes
    configure_logging("helped-projector")
    sys.exit(uvloop.run(main(read_settings(Settings))))
