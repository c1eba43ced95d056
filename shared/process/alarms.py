"""Alarms: how often a process has raised each of them. An alarm is an event that is logged as an error.

The names are known beforehand, because a counter that appears with its first alarm has not risen for Prometheus.
"""

from collections import Counter
from collections.abc import Collection
from typing import Any, Final

# Those that the rooms of `shared` raise, in every process.
SHARED_ALARMS: Final = (
    "batch_not_unpacked",
    "policies_consumer_lost",
    "policies_went_back",
    "policy_newer",
    "producer_broken",
    "producer_not_started",
    "request_failed",
    "shutdown_step_failed",
)
_AN_ALARM: Final = frozenset({"error", "critical"})


class Alarms:
    """Counts the alarms of one process. `names`: all that it can raise."""

    def __init__(self, names: Collection[str] = ()) -> None:
        self._raised = Counter(dict.fromkeys(names, 0))

    def count(self, _logger: object, _method: str, entry: Any) -> Any:  # noqa: ANN401 - structlog's own
        """Count an event on its way to the log, and pass it on as it is: a processor of structlog."""
        if entry.get("level") in _AN_ALARM and entry.get("event") in self._raised:
            self._raised[entry["event"]] += 1
        return entry

    def raised(self) -> dict[str, int]:
        """Return how often each was raised, also those that never were."""
        return dict(self._raised)
