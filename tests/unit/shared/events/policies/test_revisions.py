"""What a process keeps of policies: all of them, for ever, in little memory."""

import json
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from typing import Final
from unittest.mock import patch

from shared.events.policies import book as books
from shared.events.policies.book import PolicyBook, Timeline

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
FIRST: Final = date(2020, 1, 1)
# A document of 64 kB, as large as a request may be.
DAYS: Final = 3_100
# What a thousand revisions of such documents may take in each process.
A_THOUSAND_TAKE_BYTES_MAX: Final = 40_000_000


def record(number: int, first: date, days: int, name: str = "") -> bytes:
    """Return a tenant's revision `number`: holidays from a day on."""
    holidays = [{"day": str(first + timedelta(days=day))} for day in range(days)]
    document = {
        "preset": "native",
        "zone": "Asia/Jerusalem",
        "holidays": [*holidays, {"day": str(FIRST), "name": name}],
    }
    said = {"replaces": number - 1 if number else None, "set_by": "hr", "set_at": NOW.isoformat(), "document": document}
    return json.dumps(said, separators=(",", ":")).encode()


def test_a_thousand_large_revisions_take_little_memory() -> None:
    """A program sets the policy again and again, each time with other days, and every process reads all of them."""
    book, many = PolicyBook(), 12
    tracemalloc.start()
    try:
        # The newest one is kept as it was read.
        book.apply(0, b"acme", record(0, FIRST, DAYS), NOW)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(1, many + 1):
            assert book.apply(number, b"acme", record(number, FIRST + timedelta(days=number), DAYS), NOW)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / many * 1_000 < A_THOUSAND_TAKE_BYTES_MAX
    first, last = book.record("acme", 0), book.record("acme", many)
    assert first is not None
    assert last is not None
    assert (len(first.document.holidays), last.document) == (DAYS + 1, book.latest("acme"))
    assert [one.revision for one in book.history("acme", None, 3)] == [many, many - 1, many - 2]


def test_terms_that_are_equal_are_kept_once() -> None:
    """Whatever else the documents say: here, the name of a day."""
    book = PolicyBook()
    for number in range(4):
        assert book.apply(number, b"acme", record(number, FIRST, 3 + number % 2, name=f"Sync {number}"), NOW)
    first, second, third, fourth = book.timeline("acme", 3).terms
    assert (first is third, second is fourth, first == second) == (True, True, False)


def turns_made_anew(remembered: int) -> int:
    """Return how many timelines are made while eight partitions of a backlog take turns, each at another press."""
    book = PolicyBook()
    for number in range(20):
        book.apply(number, b"acme", record(number, FIRST, number), NOW)
    with (
        patch.object(books, "_TIMELINES_MAX", remembered),
        patch.object(books, "terms_of", side_effect=AssertionError("terms are made when a document comes")),
        patch.object(books, "Timeline", side_effect=Timeline) as made,
    ):
        for number in range(80):
            timeline = book.timeline("acme", 12 + number % 8)
            assert len(timeline.terms) == 13 + number % 8
    assert len(book._timelines["acme"]) == remembered
    return made.call_count


def test_partitions_on_two_sides_of_changes_take_turns_without_making_anything_anew() -> None:
    assert turns_made_anew(remembered=8) == 8


def test_with_one_timeline_each_turn_would_make_one() -> None:
    """The control."""
    assert turns_made_anew(remembered=1) == 80
