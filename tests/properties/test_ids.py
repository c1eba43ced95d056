"""Ids: true of every timer id, in both spellings."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.events.ids import ID_EPOCH, SLOTS, TimerIds, make_short, parse_timer_id, slot_of, slot_of_timer, to_long

ids = st.builds(make_short, st.integers(0, 2**41 - 1), st.integers(0, SLOTS - 1), st.integers(0, 1023))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - they get one


@given(ids)
def test_both_spellings_mean_the_same_timer(short: int) -> None:
    assert parse_timer_id(str(short)) == short
    assert parse_timer_id(to_long(short)) == short
    assert len(to_long(short)) == 39


@given(ids, st.integers(0, 38), st.integers(1, 9))
def test_one_wrong_digit_in_a_long_id_is_noticed(short: int, place: int, by: int) -> None:
    long = to_long(short)
    wrong = str((int(long[place]) + by) % 10)
    assert parse_timer_id(long[:place] + wrong + long[place + 1 :]) is None


@given(st.text(max_size=60) | st.from_regex(r"[0-9]{1,40}", fullmatch=True))
def test_any_text_is_an_id_that_spells_itself_or_none(text: str) -> None:
    short = parse_timer_id(text)
    assert short is None or int(text) in {short, int(to_long(short))}
    assert short is None or 0 <= short < 2**63


@given(ids, ids)
def test_a_later_id_is_a_higher_id_in_both_spellings(one: int, other: int) -> None:
    assert (one < other) == (to_long(one) < to_long(other))


@given(st.text(max_size=20), st.text(max_size=20))
def test_every_owner_has_a_slot(tenant: str, owner: str) -> None:
    assert 0 <= slot_of(tenant, owner) < SLOTS


@given(st.lists(st.tuples(moments, st.integers(0, 3)), max_size=60), st.integers(0, 3))
def test_no_id_is_drawn_twice_under_a_jumping_clock(presses: list[tuple[datetime, int]], chances: int) -> None:
    """The source of chance is poor too: it has only `chances + 1` values."""
    readings = iter(presses)
    count = iter(range(10**9))
    at = ID_EPOCH
    drawer = TimerIds(lambda: at, lambda _bits: next(count) % (chances + 1))
    drawn = []
    for moment, slot in readings:
        at = moment
        drawn.append(drawer.draw(slot))
    assert len(set(drawn)) == len(drawn)
    assert [slot_of_timer(short) for short in drawn] == [slot for _, slot in presses]


@given(moments)
def test_an_id_tells_when_it_was_drawn(moment: datetime) -> None:
    short = TimerIds(lambda: moment).draw(0)
    assert timedelta(0) <= (moment - ID_EPOCH) - timedelta(milliseconds=short >> 22) < timedelta(milliseconds=1)
