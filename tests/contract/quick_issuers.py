"""A command API that may fetch an issuer's keys every half second, instead of every 30: `python -m` this module."""

import sys

from services.command_api import __main__
from shared.outside import keys

if __name__ == "__main__":
    keys.AGAIN_AFTER_SECONDS = 0.5  # type: ignore[misc]
    sys.exit(__main__.main())
