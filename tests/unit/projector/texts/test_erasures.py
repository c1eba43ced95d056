"""Erasures: what an outcome erases, and up to which timer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.projector.texts.erasures import CLOCKS_APART, Erasure, UnreadableErasureError, newest, read_erasure
from shared.events.ids import ID_EPOCH, first_id_after, make_short, slot_of
from shared.events.outcome import Fact, write_outcome
from tests.support.story.outcomes import outcome

AT = datetime(2026, 3, 1, 12, 0, 0, 7_000, tzinfo=UTC)
SLOT = slot_of("acme", "dana")
_MS = timedelta(milliseconds=1)


def body(**said: Any) -> str:  # noqa: ANN401 - a test gives a field any value
    ordinary = {
        "event_type": "owner.texts_erased.v1",
        "subject": None,
        "timer": None,
        "fact": Fact(kind="texts_erased", body={}),
        "recorded_at": AT,
        "log_time": AT,
    }
    return write_outcome(outcome(**(ordinary | said))).decode()


def drawn(at: datetime, slot: int = SLOT, random: int = 0) -> int:
    return make_short((at - ID_EPOCH) // _MS, slot, random)


def erasure(source_offset: int = 7, up_to: datetime = AT, owner: str = "dana") -> Erasure:
    return Erasure(slot_of("acme", owner), "acme", owner, 3, source_offset, first_id_after(up_to))


def test_an_accepted_erasure_takes_the_timers_drawn_up_to_it() -> None:
    found = read_erasure(3, body())
    assert found == erasure()
    # The highest id of its millisecond, and the lowest of the next.
    assert drawn(AT, 4095, 1023) < found.timers_below <= drawn(AT + _MS, 0, 0)


@pytest.mark.parametrize(
    "said",
    [
        {"verdict": "refused", "rule": "R24"},
        {"verdict": "void"},
        {"event_type": "owner.leave_granted.v1"},
        {"owner": None},
        {"owner": "da\x00na"},
    ],
)
def test_an_outcome_that_is_no_accepted_erasure_erases_nothing(said: dict[str, Any]) -> None:
    assert read_erasure(3, body(**said)) is None


@pytest.mark.parametrize("spoilt", ["", "{}", "[]", body().replace('"accepted"', "7")])
def test_an_outcome_that_does_not_read_is_an_error_that_quotes_nothing(spoilt: str) -> None:
    with pytest.raises(UnreadableErasureError) as raised:
        read_erasure(3, spoilt)
    assert str(raised.value) == ""


def test_a_later_releases_erasure_is_read_by_what_is_known_of_it() -> None:
    later = body().replace('"v":1', '"v":2,"mood":"fine"')
    assert read_erasure(3, later) == erasure()


@pytest.mark.parametrize(
    ("ahead", "counts"),
    [
        (timedelta(seconds=-20), timedelta()),
        (timedelta(seconds=4), timedelta(seconds=4)),
        (timedelta(days=300), CLOCKS_APART),
    ],
)
def test_an_api_whose_clock_is_ahead_erases_what_it_drew_itself(ahead: timedelta, counts: timedelta) -> None:
    """A clock that is further ahead than ours may be is a stranger's, and would erase texts for months."""
    assert read_erasure(3, body(recorded_at=AT + ahead)) == erasure(up_to=AT + counts)


def test_of_two_erasures_of_one_owner_the_later_counts_in_each_respect() -> None:
    later = AT + timedelta(hours=1)
    both = [erasure(8, later), erasure(9, AT), erasure(1, owner="noa")]
    assert newest(both) == newest(reversed(both))[::-1] == [erasure(9, later), erasure(1, owner="noa")]


@pytest.mark.parametrize("moment", [datetime(1, 1, 2, tzinfo=UTC), ID_EPOCH, AT, datetime(9999, 12, 31, tzinfo=UTC)])
def test_a_bound_of_any_moment_fits_into_postgres(moment: datetime) -> None:
    assert 0 <= first_id_after(moment) < 1 << 63
