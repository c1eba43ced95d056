"""A copy of a cycle is another timer's, down to the last text in which the pattern's timer was named."""

import json
from datetime import UTC, date, datetime

import pytest

from bench.growth.patterns import Copied, Pattern, Press, changed, placed
from shared.events.ids import parse_timer_id, slot_of_timer

BEGAN = datetime(2026, 11, 27, tzinfo=UTC)
EVENT_ID = "0192f7a0-0000-7000-8000-000000000001"
OUTCOME = json.dumps(
    {
        "source_offset": 7,
        "event_id": EVENT_ID,
        "subject": "914385031908034631",
        "owner": "the-pattern",
        "log_time": "2026-11-28T09:00:00.120000Z",
        "at": "2026-11-28T09:00:00.119345Z",
        "timer": {"id": "914385031908034631", "owner": "the-pattern"},
    },
    separators=(",", ":"),
).encode()
PATTERN = Pattern(
    "the-pattern", 914385031908034631, date(2026, 11, 28), [Press(EVENT_ID, b"the-pattern", [], b"{}", b"k", OUTCOME)]
)


def test_a_copy_names_its_own_timer_owner_day_and_place() -> None:
    timer = Copied(12, BEGAN)
    said = json.loads(placed(changed(OUTCOME, PATTERN.changes(timer, 0)), offset=123, log_time_ms=1_795_856_400_500))
    assert said == {
        "source_offset": 123,
        "event_id": str(timer.event_id(0)),
        "subject": str(timer.short),
        "owner": "filled-1",
        "log_time": "2026-11-28T09:00:00.500000Z",
        "at": "2026-11-25T09:00:00.119345Z",  # the third timer of its owner
        "timer": {"id": str(timer.short), "owner": "filled-1"},
    }


def test_timers_are_told_apart_and_lie_in_their_owners_slot() -> None:
    timers = [Copied(number, BEGAN) for number in range(2_000)]
    assert len({timer.short for timer in timers}) == len({timer.event_id(1) for timer in timers}) == len(timers)
    assert all(slot_of_timer(timer.short) == timer.slot for timer in timers)
    assert parse_timer_id(timers[3].timer_id) == timers[3].short


def test_an_outcome_that_says_its_offset_twice_is_not_copied() -> None:
    with pytest.raises(ValueError, match="once each"):
        placed(OUTCOME + OUTCOME, 1, 0)
