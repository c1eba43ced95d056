"""Ids and slots: both spellings, and mistyped ids."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from uuid import UUID

import pytest

from shared.events.ids import (
    ID_EPOCH,
    SLOTS,
    TimerIds,
    fresh_event_id,
    make_short,
    parse_timer_id,
    partition_of,
    slot_of,
    slot_of_timer,
    to_long,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_MS = (NOON - ID_EPOCH) // timedelta(milliseconds=1)
SHORT_MAX = 2**63 - 1


def clock(*moments: datetime) -> Callable[[], datetime]:
    """Return a clock that shows `moments` one after the other; the last one stays."""
    left = list(moments)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def bits(*values: int) -> Callable[[int], int]:
    """Return a random source that gives `values` again and again."""
    drawn: Iterator[int] = cycle(values)
    return lambda _count: next(drawn)


def test_every_slot_survives_in_both_spellings() -> None:
    for slot in range(SLOTS):
        short = make_short(NOON_MS, slot, slot % 1024)
        assert slot_of_timer(short) == slot
        assert parse_timer_id(str(short)) == short
        assert parse_timer_id(to_long(short)) == short


@pytest.mark.parametrize("at_ms", [0, 1, NOON_MS, 2**41 - 1])
def test_the_long_spelling_always_has_39_digits(at_ms: int) -> None:
    for slot in (0, SLOTS - 1):
        long = to_long(make_short(at_ms, slot, 1023))
        assert len(long) == 39
        assert int(long) < 2**128


def test_a_short_id_drawn_today_has_18_or_19_digits() -> None:
    assert len(str(make_short(NOON_MS, 0, 0))) in {18, 19}
    assert make_short(2**41 - 1, SLOTS - 1, 1023) == SHORT_MAX


@pytest.mark.parametrize("slot", [0, 1, 17, 1000, 2048, 4095])
def test_every_single_digit_change_of_a_long_id_is_noticed(slot: int) -> None:
    long = to_long(make_short(NOON_MS, slot, 511))
    for place, digit in enumerate(long):
        for other in set("0123456789") - {digit}:
            assert parse_timer_id(long[:place] + other + long[place + 1 :]) is None


def test_two_neighbouring_digits_swapped_in_a_long_id_are_noticed() -> None:
    long = to_long(make_short(NOON_MS, 1234, 77))
    for place in range(38):
        swapped = long[:place] + long[place + 1] + long[place] + long[place + 2 :]
        assert swapped == long or parse_timer_id(swapped) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "-1",
        "1.0",
        "0x1",
        "1e3",
        "1_000",
        "\u0661\u0662",  # digits, but not ASCII
        "1\n",
        str(SHORT_MAX + 1),  # 19 digits, but no int64
        "1" * 20,  # neither short nor long
        "1" * 38,
        "1" * 39,
        "9" * 40,
        "1" * 10_000,
    ],
)
def test_a_text_that_spells_no_id_is_none(text: str) -> None:
    assert parse_timer_id(text) is None


def test_a_short_id_may_be_any_int64_that_is_not_negative() -> None:
    assert parse_timer_id("0") == 0
    assert parse_timer_id("007") == 7
    assert parse_timer_id(str(SHORT_MAX)) == SHORT_MAX


@pytest.mark.parametrize(
    ("at_ms", "slot", "random"), [(-1, 0, 0), (2**41, 0, 0), (0, -1, 0), (0, 4096, 0), (0, 0, -1), (0, 0, 1024)]
)
def test_a_field_out_of_its_range_makes_no_id(at_ms: int, slot: int, random: int) -> None:
    with pytest.raises(ValueError, match="no such id"):
        make_short(at_ms, slot, random)


def test_a_process_never_draws_one_id_twice_even_when_chance_repeats_itself() -> None:
    ids = TimerIds(clock(NOON), bits(5, 5, 5, 6))
    drawn = [ids.draw(9) for _ in range(3)]
    assert len(set(drawn)) == 3


def test_a_full_millisecond_borrows_the_next_one() -> None:
    ids = TimerIds(clock(NOON), bits(*range(1024)))
    drawn = [ids.draw(9) for _ in range(2500)]
    assert len(set(drawn)) == 2500
    assert {slot_of_timer(short) for short in drawn} == {9}
    assert max(drawn) >> 22 == NOON_MS + 2


def test_a_clock_that_goes_back_draws_no_id_twice() -> None:
    # The same random bits at the same millisecond, with the step back in between.
    ids = TimerIds(clock(NOON, NOON - timedelta(hours=1), NOON), bits(5, 6, 5, 6, 7))
    first, in_the_past, again = ids.draw(9), ids.draw(9), ids.draw(9)
    assert len({first, in_the_past, again}) == 3
    assert in_the_past >> 22 == NOON_MS


def test_a_clock_that_went_back_for_hours_fills_no_memory() -> None:
    ids = TimerIds(clock(NOON, NOON - timedelta(hours=1)), bits(*range(1024)))
    drawn = [ids.draw(n % SLOTS) for n in range(10_000)]
    assert len(set(drawn)) == 10_000
    assert len(ids._drawn) <= 1024
    assert max(drawn) >> 22 == NOON_MS + 9  # the ids go on without the clock, a thousand a millisecond


def test_ids_follow_the_clock() -> None:
    ids = TimerIds(clock(NOON, NOON + timedelta(milliseconds=1)), bits(5))
    assert ids.draw(9) < ids.draw(9)


def test_a_slot_is_the_crc_of_tenant_and_owner() -> None:
    """It never changes during the life of a log."""
    assert slot_of("demo", "dana") == 0x13459402 % 4096  # as gzip works it out
    assert slot_of("dana", "demo") != slot_of("demo", "dana")
    assert slot_of("דמו", "דנה") in range(SLOTS)


def test_a_slot_is_of_the_owners_bytes_and_not_of_what_they_look_like() -> None:
    """An é is one code point, or an e and an accent: two texts in UTF-8, so two owners."""
    assert slot_of("demo", "Jos\u00e9") == 0x85F4D867 % 4096  # as gzip works it out
    assert slot_of("demo", "Jose\u0301") == 0x5E91E228 % 4096


def test_a_layout_never_changes() -> None:
    short = make_short(0x2AAAAAAAAA, 0x123, 0x45)
    assert short == 0x2AAAAAAAAA * 2**22 + 0x123 * 2**10 + 0x45 == 768614336402066501
    assert to_long(short) == "256984079185077975087183446546669846465"


@pytest.mark.parametrize("partitions", [1, 12, 256, 4096])
def test_every_partition_has_slots(partitions: int) -> None:
    assert {partition_of(slot, partitions) for slot in range(SLOTS)} == set(range(partitions))


def test_a_press_without_key_gets_a_version_7_uuid_of_its_moment() -> None:
    event_id = fresh_event_id(NOON)
    assert isinstance(event_id, UUID)
    assert (event_id.version, event_id.variant) == (7, "specified in RFC 4122")
    assert event_id.int >> 80 == NOON.timestamp() * 1000
    assert fresh_event_id(NOON) != event_id
