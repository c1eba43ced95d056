"""A feed that asks and looks again every half second, instead of every 30, every hour or every 5 minutes."""

import runpy

from services.feed.callers import callers
from shared.outside import bearers, keys

if __name__ == "__main__":
    keys.AGAIN_AFTER_SECONDS = keys.REFRESH_SECONDS = 0.5  # type: ignore[misc]
    bearers.BELIEVED_SECONDS = 0.5  # type: ignore[attr-defined]
    callers.FRESH_SECONDS = 0.5  # type: ignore[misc]
    runpy.run_module("services.feed", run_name="__main__")
