"""The window and its walks: each reader hears its tenant's outcomes once, at its own pace, or that it fell out."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.feed.window import walk as walks
from services.feed.window.position import START, FeedPlace, read_position
from services.feed.window.record import StreamRecord
from services.feed.window.walk import Line, Walk
from services.feed.window.window import OVERHEAD_BYTES, FeedWindow
from tests.support.story.judged import judged, outcome_bytes

PARTITIONS = 2
LARGE = 1 << 30


def window_of(*records: StreamRecord, outcomes_max: int = 1000, bytes_max: int = LARGE) -> FeedWindow:
    window = FeedWindow([START] * PARTITIONS, bytes_max=bytes_max, outcomes_max=outcomes_max)
    return put(window, *records)


def put(window: FeedWindow, *records: StreamRecord) -> FeedWindow:
    for record in records:
        window.add(record)
    window.wake_readers()
    return window


def told(lines: Sequence[Line]) -> list[int]:
    return [int(line.body.split(b":")[2].split(b",")[0]) for line in lines]


def read_on(window: FeedWindow, position: str, tenant: str = "acme") -> list[int]:
    """Return what a reader hears that comes back with a position."""
    places = read_position(position, PARTITIONS)
    assert places is not None
    with Walk(window, tenant, places) as walk:
        return told(walk.take())


def test_a_reader_hears_its_tenants_outcomes_and_no_other() -> None:
    window = window_of(judged(0), judged(1, "other"), judged(0, None, partition=1), judged(1, partition=1))
    with Walk(window, "acme", window.begin) as walk:
        assert [line.body for line in walk.take()] == [outcome_bytes(0), outcome_bytes(1)]
    with Walk(window, "other", window.begin) as walk:
        assert [line.body for line in walk.take()] == [outcome_bytes(1, "other")]
    with Walk(window, "nobody", window.begin) as walk:
        assert walk.take() == []


def test_it_is_the_tenant_of_the_bytes_that_keeps_strangers_out() -> None:
    """The control: an outcome that is put down as another tenant's is heard by that tenant."""
    window = window_of(judged(0, "other"), replace(judged(1, "other"), tenant="acme"))
    with Walk(window, "acme", window.begin) as walk:
        assert [line.body for line in walk.take()] == [outcome_bytes(1, "other")]


@pytest.mark.parametrize("tenant", ["acm", "acme/", "ACME", "acme/dana", ""])
def test_a_tenant_of_a_similar_name_hears_nothing(tenant: str) -> None:
    window = window_of(judged(0))
    with Walk(window, tenant, window.begin) as walk:
        assert walk.take() == []


def test_a_repeat_is_told_once() -> None:
    repeats = [judged(1, offset=2), judged(0, offset=3), judged(1, offset=4)]
    window = window_of(judged(0), judged(1), *repeats, judged(2, offset=5))
    with Walk(window, "acme", window.begin) as walk:
        assert told(walk.take()) == [0, 1, 2]


def test_a_place_of_a_process_that_has_just_begun_holds_at_an_older_one() -> None:
    """It was at the end of the stream, and could not know which `source_offset` would be new."""
    window = window_of(*[judged(n, partition=n % 2) for n in range(6)])
    with Walk(window, "acme", [FeedPlace(4, 0), FeedPlace(2, 0)]) as walk:
        assert told(walk.take()) == [3, 4, 5]


def test_a_reader_goes_on_after_any_line() -> None:
    records = [judged(n, "acme" if n % 3 else "other", partition=n % 2) for n in range(400)]
    window = window_of(*records)
    with Walk(window, "acme", window.begin) as walk:
        lines: list[Line] = []
        while taken := walk.take():
            lines += taken
        end = walk.position
    assert told(lines) == [n for n in range(400) if n % 3]
    for at in (0, 1, 62, 63, 64, 65, 150, len(lines) - 1):
        places = read_position(lines[at].position, PARTITIONS)
        assert places is not None
        with Walk(window, "acme", places) as walk:
            assert walk.take(3) == lines[at + 1 : at + 4]
    assert read_on(window, end) == []


def test_a_reader_that_comes_back_begins_near_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll of a reader that is nearly up to date must not look at the whole window."""
    window = window_of(*[judged(n) for n in range(1000)])
    looked = 0
    is_new = Walk._is_new

    def counted(self: Walk, kept: object) -> bool:
        nonlocal looked
        looked += 1
        return is_new(self, kept)  # type: ignore[arg-type] # as the walk calls it

    monkeypatch.setattr(Walk, "_is_new", counted)
    with Walk(window, "acme", [FeedPlace(995, 995), START]) as walk:
        assert told(walk.take()) == [995, 996, 997, 998, 999]
    assert looked <= 64 + 5


def test_a_position_moves_on_while_only_others_press() -> None:
    """Otherwise a quiet tenant's position would grow old, and be too old for the window one day."""
    window = window_of(judged(0), outcomes_max=10)
    with Walk(window, "acme", window.begin) as walk:
        assert told(walk.take()) == [0]
        put(window, *[judged(n, "other", partition=n % 2) for n in range(1, 100)])
        assert walk.take() == []
        assert not walk.over
        places = read_position(walk.position, PARTITIONS)
    assert places == (FeedPlace(99, 99), FeedPlace(100, 100))
    assert window.holds(places)


def test_the_position_of_a_line_is_past_what_others_pressed_before_it() -> None:
    """A reader that always has a line to read may never reach the end, where its position would catch up."""
    window = window_of(*[judged(n, "other", partition=1) for n in range(100)], judged(0), judged(1))
    with Walk(window, "acme", window.begin) as walk:
        [line] = walk.take(1)
    places = read_position(line.position, PARTITIONS)
    assert places == (FeedPlace(1, 1), FeedPlace(64, 64))


def test_repeats_take_no_room_and_none_is_told_to_a_reader_that_begins_among_them() -> None:
    window = window_of(*[judged(n) for n in range(10)], judged(8, offset=10))
    assert len(window) == 10
    with Walk(window, "acme", window.frontier) as walk:
        put(window, judged(9, offset=11), judged(10, offset=12))
        assert told(walk.take()) == [10]


def test_a_reader_keeps_its_place_while_thousands_pass_through_the_window() -> None:
    window = window_of(outcomes_max=50)
    heard = []
    with Walk(window, "acme", window.begin) as walk:
        for begin in range(0, 5000, 40):
            put(window, *[judged(n) for n in range(begin, begin + 40)])
            heard += told(walk.take())
        assert len(window._shelves["acme"]._kept) < 50 + 2 * 1024
    assert heard == list(range(5000))


def test_the_window_is_bounded_by_number_and_by_bytes() -> None:
    each = len(outcome_bytes(10)) + OVERHEAD_BYTES
    by_number = window_of(*[judged(n) for n in range(10, 60)], outcomes_max=7)
    by_bytes = window_of(*[judged(n) for n in range(10, 60)], bytes_max=7 * each)
    for window in (by_number, by_bytes):
        assert (len(window), window.bytes) == (7, 7 * each)
        assert window.begin == (FeedPlace(53, 53), START)
        assert read_on(window, window.begin_text) == list(range(53, 60))


def test_a_place_before_the_beginning_is_not_held() -> None:
    window = window_of(*[judged(n) for n in range(20)], outcomes_max=5)
    assert window.holds(window.begin)
    assert window.holds([FeedPlace(15, 0), START])
    assert not window.holds([FeedPlace(14, 14), START])


def test_a_reader_that_is_too_slow_falls_out_and_the_others_go_on() -> None:
    window = window_of(*[judged(n) for n in range(5)], outcomes_max=5)
    with Walk(window, "acme", window.begin) as slow, Walk(window, "acme", window.begin) as quick:
        assert told(slow.take(2)) == [0, 1]
        assert told(quick.take()) == [0, 1, 2, 3, 4]
        put(window, judged(5), judged(6), judged(7))
        assert told(quick.take()) == [5, 6, 7]
        assert not quick.over
        assert slow.over
        assert slow.take() == []
        places = read_position(slow.position, PARTITIONS)
    # It says where it stopped, which the window does not hold: its next request hears 410.
    assert places == (FeedPlace(2, 2), START)
    assert not window.holds(places)


def test_what_leaves_the_window_before_a_slow_reader_takes_it_may_be_others() -> None:
    window = window_of(*[judged(n, "other") for n in range(5)], outcomes_max=5)
    with Walk(window, "acme", window.begin) as slow:
        put(window, *[judged(n, "other") for n in range(5, 50)], judged(50))
        assert not slow.over
        assert told(slow.take()) == [50]


def test_a_shelf_without_outcomes_and_readers_is_cleared_away() -> None:
    window = window_of(*[judged(n, f"tenant-{n}") for n in range(500)], outcomes_max=5)
    with Walk(window, "nobody", window.begin) as walk:
        assert walk.take() == []
        assert len(window._shelves) == 6
    assert len(window._shelves) == 5


def test_what_is_handed_out_at_once_is_bounded() -> None:
    window = window_of(*[judged(n) for n in range(500)])
    with Walk(window, "acme", window.begin) as walk:
        assert len(walk.take()) == walks.LINES_AT_ONCE
    large = [replace(judged(n), body=outcome_bytes(n) + b" " * 40_000) for n in range(6)]
    window = window_of(*large)
    with Walk(window, "acme", window.begin) as walk:
        assert [len(told(walk.take())) for _ in range(7)] == [1, 1, 1, 1, 1, 1, 0]


async def test_news_wake_the_readers_of_that_tenant() -> None:
    window = window_of()
    with Walk(window, "acme", window.begin) as walk, Walk(window, "other", window.begin) as other:
        waits, others = asyncio.create_task(walk.news(10)), asyncio.create_task(other.news(0.05))
        await asyncio.sleep(0)
        put(window, judged(0))
        assert await waits
        assert not await others
        assert told(walk.take()) == [0]


async def test_a_closed_window_ends_every_walk() -> None:
    window = window_of(judged(0))
    with Walk(window, "acme", window.frontier) as walk:
        assert walk.take() == []
        waits = asyncio.create_task(walk.news(10))
        await asyncio.sleep(0)
        window.close()
        assert await waits
        assert walk.over


def begun_within_repeats() -> FeedWindow:
    """Return the window of a process that begins within a run of repeats, and so cannot know that they are."""
    window = FeedWindow([FeedPlace(10, 0), START], bytes_max=LARGE, outcomes_max=1000)
    return put(window, judged(8, offset=10), judged(9, offset=11), judged(10, offset=12))


def test_another_process_that_begins_within_repeats_tells_nothing_twice() -> None:
    heard = window_of(*[judged(n) for n in range(10)])
    with Walk(heard, "acme", heard.begin) as walk:
        assert told(walk.take()) == list(range(10))
        position = walk.position
    assert read_on(begun_within_repeats(), position) == [10]


def test_without_the_second_number_of_a_place_repeats_would_be_told_twice() -> None:
    """The control."""
    with Walk(begun_within_repeats(), "acme", [FeedPlace(10, 0), START]) as walk:
        assert told(walk.take()) == [8, 9, 10]


def test_a_position_from_a_process_that_read_further_is_waited_for() -> None:
    window = window_of(judged(0), judged(1))
    with Walk(window, "acme", [FeedPlace(4, 4), START]) as walk:
        assert walk.take() == []
        put(window, judged(2), judged(3), judged(4))
        assert told(walk.take()) == [4]
