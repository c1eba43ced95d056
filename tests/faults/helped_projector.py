"""A projector that gives each partition to helpers, however near it is: `python -m tests.faults.helped_projector`."""

import sys

import uvloop

from services.projector.__main__ import main
from services.projector.helpers.helper import helping
from services.projector.helpers.nursery import Nursery
from services.projector.loop.partition import recover
from services.projector.settings import Settings
from shared.process.logs import configure_logging
from shared.settings import read_settings

if __name__ == "__main__":
    recover.FAR_BEHIND = 1  # type: ignore[misc] # a test has no ten thousand outcomes
    configure_logging("helped-projector")
    settings = read_settings(Settings)
    with Nursery(helping(settings)) as nursery:
        status = uvloop.run(main(settings, nursery=nursery))
    sys.exit(status)
