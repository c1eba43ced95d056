"""What a feed shows: each gauge has the number of its own part."""

from contextlib import ExitStack
from typing import Final

from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.feed.calls.feed import ANSWERS
from services.feed.calls.room import Room
from services.feed.metrics import ALARM_NAMES, readings
from services.feed.window.position import START
from services.feed.window.window import OVERHEAD_BYTES, FeedWindow
from shared.process.alarms import Alarms
from shared.process.metrics import registry_of
from tests.support.story.judged import judged, outcome_bytes

Shown = dict[tuple[str, ...], float]
PARTITIONS: Final = 4


def shown(room: Room, window: FeedWindow | None, lag: dict[int, int], answered: dict[str, int] | None = None) -> Shown:
    """Return all that is ours, by name and words, but for the alarms."""
    read = readings(
        room=room,
        answered=answered or {},
        window=lambda: window,
        lag=lambda: lag,
        ready={"stays": lambda: True, "tail": lambda: False},
        alarms=Alarms(ALARM_NAMES),
    )
    families = text_string_to_metric_families(generate_latest(registry_of(read)).decode())
    samples = [one for family in families for one in family.samples if one.name.startswith("stint_")]
    return {(one.name, *one.labels.values()): one.value for one in samples if one.name != "stint_alarms_total"}


def test_each_gauge_of_a_feed_has_the_number_of_its_own_part() -> None:
    window = FeedWindow([START] * PARTITIONS, bytes_max=1 << 30, outcomes_max=100)
    for number in range(3):
        window.add(judged(number))
    room = Room(10, 10)
    with ExitStack() as readers:
        for tenant in ("acme", "acme", "other", "other", "third"):
            readers.enter_context(room.reader(tenant))
        assert shown(room, window, {0: 6, 3: 7}) == {
            ("stint_feed_readers",): 5,
            ("stint_feed_window_outcomes",): 3,
            ("stint_feed_window_bytes",): sum(len(outcome_bytes(n)) + OVERHEAD_BYTES for n in range(3)),
            ("stint_feed_lag_offsets", "0"): 6,
            ("stint_feed_lag_offsets", "3"): 7,
            ("stint_partitions",): PARTITIONS,
            ("stint_ready", "stays"): 1,
            ("stint_ready", "tail"): 0,
        }


def test_requests_are_counted_by_their_answer_and_a_window_that_is_not_there_is_not_shown() -> None:
    answered = {answer: number for number, answer in enumerate(ANSWERS, start=1)}
    found = shown(Room(10, 10), None, {}, answered)
    assert {words[1]: count for words, count in found.items() if words[0] == "stint_feed_requests_total"} == answered
    assert {words[0] for words in found} == {"stint_feed_readers", "stint_feed_requests_total", "stint_ready"}
