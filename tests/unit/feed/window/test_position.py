"""Positions: what callers keep for days reads back as it was told, and nothing else reads."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feed.window.position import FeedPlace, MovingPosition, read_position, spell, text_length_max
from shared.events.ids import SLOTS
from shared.events.topics import PARTITIONS_MAX

OFFSETS = st.integers(0, (1 << 63) - 1)
PLACES = st.lists(st.builds(FeedPlace, OFFSETS, OFFSETS), min_size=1, max_size=20)


def text_of(*places: tuple[int, int]) -> str:
    return MovingPosition([FeedPlace(*place) for place in places]).text


def test_a_spelling_never_changes() -> None:
    """Callers keep positions, and another release reads them. A new spelling is a new version."""
    assert text_of((0, 0), (7, 9), (1 << 40, (1 << 40) + 3)) == "AQAACQODgICAgCAFPXYSCw"


@given(PLACES)
def test_a_position_reads_back_as_it_was_told(places: list[FeedPlace]) -> None:
    text = MovingPosition(places).text
    assert read_position(text, len(places)) == tuple(places)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)


@given(PLACES, st.data())
def test_a_mistyped_position_reads_as_none(places: list[FeedPlace], data: st.DataObject) -> None:
    text = MovingPosition(places).text
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("AQgw059_-").filter(lambda letter: letter != text[at]))
    mistyped = text[:at] + other + text[at + 1 :]
    # The last letter has bits that stand for nothing.
    assert read_position(mistyped, len(places)) in ({None} if at < len(text) - 1 else {None, tuple(places)})


@pytest.mark.parametrize("text", ["", "now", "=", "AQ", "é", "12:7", "AQAACQODgICAgCAFPXYSCw=="[:-3]])
def test_what_is_no_position_reads_as_none(text: str) -> None:
    assert read_position(text, 3) is None


def test_a_text_longer_than_any_position_is_not_decoded() -> None:
    """Its numbers are spelt in more bytes than they need: with 64 KiB of them, one call would hold up all others."""
    padded, others = b"\x80" * 50 + b"\x00", b"\x00" * 5
    within, beyond = spell([padded, others]), spell([b"\x80" * 50, padded, others])
    assert len(within) <= text_length_max(3) < len(beyond)
    assert read_position(within, 3) == (FeedPlace(0, 0),) * 3
    assert read_position(beyond, 3) is None


def test_a_position_of_another_number_of_partitions_reads_as_none() -> None:
    text = text_of((1, 1), (2, 2))
    assert read_position(text, 2) is not None
    assert read_position(text, 1) is None
    assert read_position(text, 3) is None


def test_a_place_never_goes_back() -> None:
    standing = MovingPosition([FeedPlace(5, 9), FeedPlace(1, 1)])
    standing.move(0, FeedPlace(4, 10))
    standing.pass_all([FeedPlace(6, 2), FeedPlace(0, 0)])
    assert read_position(standing.text, 2) == (FeedPlace(6, 10), FeedPlace(1, 1))


@pytest.mark.parametrize("behind", [0, 10**6, 10**10], ids=["repeats nothing", "repeats some", "repeats all"])
def test_a_position_of_a_new_deployment_fits_into_a_url(behind: int) -> None:
    """Gateways take 8 KiB of a request line, and the documents say up to 4,000 characters."""
    assert len(text_of(*[(10**10 + n, 10**10 - behind + n) for n in range(PARTITIONS_MAX)])) < 4000


@pytest.mark.parametrize("partitions", [PARTITIONS_MAX, 1024, SLOTS])
@pytest.mark.parametrize("place", [(10**6 + 70, 10**6), (10**10, 0), ((1 << 63) - 1, 0), (0, (1 << 63) - 1)])
def test_no_deployment_refuses_its_own_positions(partitions: int, place: tuple[int, int]) -> None:
    """A position that the feed told is read again, however many partitions there are and however long the log is."""
    text = text_of(*[place] * partitions)
    assert read_position(text, partitions) == (FeedPlace(*place),) * partitions
    assert len(text) <= text_length_max(partitions)
