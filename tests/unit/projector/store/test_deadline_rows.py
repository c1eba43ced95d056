"""Rows of deadlines: when an owner is to be looked at next, as the last of a commit says."""

from collections.abc import Sequence
from typing import Any, Final

from services.projector.domain.outcomes import Kept
from services.projector.ports import Advance, Checkpoint, Look
from services.projector.store.rows import rows_of
from shared.events.outcome import Outcome, write_outcome
from shared.events.value import replace
from tests.support.story.given import given, moment, paused, started

WHOSE: Final = ("acme", "dana")


def deadlines(*kept: Kept, looks: Sequence[Look] = ()) -> list[tuple[Any, ...]]:
    """Return which deadlines a commit moves."""
    rows = dict(rows_of([Advance(0, Checkpoint(3), kept, looks)]).writes())
    return list(zip(*rows.get("move_deadlines", ()), strict=True))


def due(outcome: Outcome, at: str | None, offset: int = 0) -> Kept:
    """Return an outcome after which its owner's next deadline lies at `at`."""
    said = replace(outcome, due=None if at is None else moment(at), source_offset=offset)
    return Kept(said, write_outcome(said))


def test_an_outcome_moves_its_owners_deadline_or_takes_it_away() -> None:
    outcome = given(started("desk", at="09:00")).outcome
    assert deadlines(due(outcome, "19:00")) == [(3, *WHOSE, moment("19:00"))]
    assert deadlines(due(outcome, None)) == [(3, *WHOSE, None)]


def test_the_last_deadline_of_a_commit_counts() -> None:
    """In the order of the log, whether an outcome told it or a deadline at which nothing fell due."""
    outcome = given(started("desk", at="09:00")).outcome
    told, taken = due(outcome, "19:00", offset=4), due(outcome, None, offset=6)
    before, after = Look(3, *WHOSE, moment("17:00")), Look(5, *WHOSE, moment("18:00"))
    assert deadlines(told, looks=[before]) == [(3, *WHOSE, moment("19:00"))]
    assert deadlines(told, looks=[after, before]) == [(3, *WHOSE, moment("18:00"))]
    assert deadlines(told, taken, looks=[after]) == [(3, *WHOSE, None)]
    assert deadlines(looks=[before]) == [(3, *WHOSE, moment("17:00"))]


def test_an_outcome_without_owner_moves_no_deadline() -> None:
    """A press on an unknown timer, and our own failure on a press: nothing is said of an owner."""
    outcome = given(paused("desk", at="09:10")).outcome
    assert (outcome.owner, deadlines(due(outcome, "19:00"))) == (None, [])
