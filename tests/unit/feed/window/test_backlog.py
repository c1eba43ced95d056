"""The backlog: a process that begins has the last outcomes of all partitions, by time, within the window's bounds."""

from services.feed.window.backlog import Backlog, Stretch, starts
from services.feed.window.position import FeedPlace
from services.feed.window.walk import Walk
from services.feed.window.window import OVERHEAD_BYTES, FeedWindow
from tests.support.story.judged import judged, outcome_bytes


def filled(
    begin: dict[int, int], counts: list[int], *, outcomes_max: int = 1000, bytes_max: int = 1 << 30
) -> FeedWindow:
    """Return the window after the partitions were read one after the other. Record n of each was written at n ms."""
    backlog = Backlog(begin, bytes_max=bytes_max, outcomes_max=outcomes_max)
    for partition, count in enumerate(counts):
        for n in range(begin[partition], count):
            backlog.add(judged(n, partition=partition, at_ms=n))
    return backlog.window()


def test_a_short_stream_is_read_from_its_beginning() -> None:
    assert starts({0: Stretch(0, 40), 1: Stretch(5, 30)}, 65) == {0: 0, 1: 5}


def test_of_a_long_stream_each_partition_is_read_by_its_share() -> None:
    assert starts({0: Stretch(0, 1000), 1: Stretch(1000, 4000), 2: Stretch(7, 7)}, 100) == {0: 975, 1: 3925, 2: 7}


def test_the_oldest_leave_first_whichever_partition_was_read_first() -> None:
    """By the order of reading, partition 0 would lose all, and a reader of it would hear 410."""
    window = filled({0: 0, 1: 0}, [100, 100], outcomes_max=20)
    assert window.begin == (FeedPlace(90, 90), FeedPlace(90, 90))
    by_bytes = filled({0: 0, 1: 0}, [100, 100], bytes_max=20 * (len(outcome_bytes(99)) + OVERHEAD_BYTES))
    assert by_bytes.begin == window.begin


def test_the_window_is_in_the_order_of_time() -> None:
    window = filled({0: 0, 1: 2}, [4, 6])
    with Walk(window, "acme", window.begin) as walk:
        assert [line.body for line in walk.take()] == [outcome_bytes(n) for n in (0, 1, 2, 2, 3, 3, 4, 5)]
    assert window.begin == (FeedPlace(0, 0), FeedPlace(2, 0))
    assert window.frontier == (FeedPlace(4, 4), FeedPlace(6, 6))


def test_an_empty_stream_has_an_empty_window() -> None:
    window = filled({0: 0, 1: 0}, [0, 0])
    assert (len(window), window.begin) == (0, window.frontier)
