"""How each bench ends: with a message when something is wrong, and in order after Ctrl-C."""

import sys
import time
from collections.abc import Callable

from deploy.local.interrupts import Ended, ending_on_signals
from deploy.local.trouble import Trouble
from services.stint_cli import trouble as operators

Say = Callable[[str], None]


def ending(bench: Callable[[], int]) -> int:
    """Run a bench and return its status; 1 with a line for a `Trouble`, 130 after a signal."""
    try:
        with ending_on_signals():
            return bench()
    except (Trouble, operators.Trouble) as trouble:
        print(f"bench: {trouble}", file=sys.stderr)
        return 1
    except Ended:
        print("Everything is ended, and nothing is kept.", flush=True)
        return 130


def clock() -> Say:
    """Return a function that prints a line after the seconds since now."""
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    return say
