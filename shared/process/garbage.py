"""Garbage: how often a process that serves many small requests looks for cycles."""

import gc
from typing import Final

# (How many new objects, then how many looks at the youngest before the next age is looked at.) Requests leave next to
# no cycles behind, and Python's 700 objects are reached within a request or two.
_THRESHOLDS: Final = (50_000, 20, 100)


def collect_seldom() -> None:
    """Leave what was made so far out of every look, and look seldom from now on. Call it when the parts are made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
