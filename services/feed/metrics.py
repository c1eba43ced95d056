"""What the feed tells Prometheus: its readers, how requests are answered, and how much is in the window.

With care: a name or a word. Dashboards and alerts of operators have them. docs/metrics.md lists all.
"""

from collections.abc import Callable, Mapping
from typing import Final

from services.feed.calls.feed import ANSWERS
from services.feed.calls.room import Room
from services.feed.window.window import FeedWindow
from shared.process.alarms import SHARED_ALARMS, Alarms
from shared.process.metrics import ALARMS, NUMBERS, PARTITIONS, READY, Metric, Readings, by_word, just, with_words

# All that a feed can raise (docs/operations.md, "Alarms").
ALARM_NAMES: Final = (
    *SHARED_ALARMS,
    "background_ended",
    "feed_log_went_back",
    "feed_tail_lost",
    "introspection_failed",
    "issuer_keys_not_fetched",
    "outcome_record_skipped",
)
CHECKS: Final = ("stays", "tail")

READERS: Final = Metric("stint_feed_readers", "gauge", "Readers that are being answered, those that wait included.")
ANSWERED: Final = Metric(
    "stint_feed_requests_total",
    "counter",
    "Requests by their answer: JSON lines, server-sent events, or a status. 410: asked for what the window does not "
    "hold. 429 and 503: as many readers as there may be, of a tenant or in all; 503 also while nothing is read yet.",
    {"answer": ANSWERS},
)
WINDOW_OUTCOMES: Final = Metric(
    "stint_feed_window_outcomes", "gauge", "Outcomes in the window. Absent before it is filled."
)
WINDOW_BYTES: Final = Metric(
    "stint_feed_window_bytes", "gauge", "About as much memory as they take. Absent before it is filled."
)
LAG: Final = Metric(
    "stint_feed_lag_offsets",
    "gauge",
    "Offsets of `timer.outcomes.v1` that this feed has not read yet, as seen within the last 5 s. Absent while "
    "Kafka is away.",
    {"partition": NUMBERS},
)
FEED_READY: Final = with_words(READY, check=CHECKS)
FEED_ALARMS: Final = with_words(ALARMS, alarm=ALARM_NAMES)

METRICS: Final = (READERS, ANSWERED, WINDOW_OUTCOMES, WINDOW_BYTES, LAG, FEED_READY, PARTITIONS, FEED_ALARMS)


def readings(
    *,
    room: Room,
    answered: Mapping[str, int],
    window: Callable[[], FeedWindow | None],
    lag: Callable[[], Mapping[int, int]],
    ready: Mapping[str, Callable[[], bool]],
    alarms: Alarms,
) -> Readings:
    """Return where each metric of a feed is read."""

    def of_window(read: Callable[[FeedWindow], float]) -> float | None:
        return None if (now := window()) is None else read(now)

    return {
        READERS: lambda: just(room.readers),
        ANSWERED: lambda: by_word(answered),
        WINDOW_OUTCOMES: lambda: just(of_window(len)),
        WINDOW_BYTES: lambda: just(of_window(lambda now: now.bytes)),
        LAG: lambda: by_word({str(partition): offsets for partition, offsets in lag().items()}),
        FEED_READY: lambda: by_word({name: float(check()) for name, check in ready.items()}),
        PARTITIONS: lambda: just(of_window(lambda now: len(now.frontier))),
        FEED_ALARMS: lambda: by_word(alarms.raised()),
    }
