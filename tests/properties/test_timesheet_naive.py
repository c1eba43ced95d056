"""The naive fold: two folds that were written apart give the same bytes for every history."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import pytest
from hypothesis import given

from services.projector.domain.entry import LoggedPress
from shared.events.codec import Newer, Press, read
from shared.events.models import DeadlineReached
from shared.events.policy import LongRunning, Mode, PastTime, Policy, Rules
from tests.support.proof.twice import naive_bodies, record_of, stated_in_turn
from tests.support.story.documents import Revisions, revisions
from tests.support.story.folded import folded, kept_of
from tests.support.story.given import JERUSALEM, Told, fact, moment, paused, resumed, started, stopped
from tests.support.story.histories import Entry, histories


@given(histories)
def test_a_press_reads_back_as_it_was_written(log: list[Entry]) -> None:
    for entry in log:
        found = read(*record_of(entry))
        assert not isinstance(found, Newer)
        assert isinstance(found, Press) == isinstance(entry, LoggedPress)
        if isinstance(entry, LoggedPress):
            assert found == entry.press


def bodies_of(log: Sequence[Entry], under: Revisions) -> list[bytes]:
    """Return the outcomes of a log by the product's fold."""
    return [one.body for one in kept_of(folded(log, under)[1])]


@given(histories, revisions)
def test_the_naive_fold_gives_the_same_bytes(log: list[Entry], under: Revisions) -> None:
    assert naive_bodies(log, stated_in_turn(under)) == bodies_of(log, under)


def of_rules(**rules: Any) -> Policy:  # noqa: ANN401 - rules
    return JERUSALEM.model_copy(update={"rules": Rules(**rules)})


def look(at: str, policy_rev: int = 1) -> Told:
    # A deadline without an expiry does not read.
    return replace(fact(DeadlineReached, at), policy_rev=policy_rev, expires_at=moment(at) + timedelta(seconds=30))


FOUR_HOURS: Final = LongRunning(auto_close_seconds=4 * 3600)
SEVEN_HOURS: Final = LongRunning(auto_close_seconds=7 * 3600)
LOCKED: Final = PastTime(mode=Mode.FLAG, locked_before=date(2026, 3, 3))
# What chance writes seldom: presses, and the documents that come one after the other.
RARE: Final[dict[str, tuple[Sequence[Told], Revisions]]] = {
    "a stop that is found after the lock of its day": (
        [
            started("desk", at="2026-03-01T17:00"),
            look("09:00", policy_rev=3),
        ],
        (of_rules(R16=FOUR_HOURS), of_rules(R15=LOCKED, R16=FOUR_HOURS)),
    ),
    "work of long ago, without a limit": (
        [started("desk", at="09:00", work_date=date(1, 1, 2))],
        (of_rules(R15=PastTime(mode=Mode.BLOCK)),),
    ),
    "an interval that begins where the end of the one before was taken back to": (
        [
            started("desk", at="09:00"),
            look("16:00:01"),
            paused("desk", at="2026-03-03T08:00", asked="12:00"),
            resumed("desk", at="2026-03-03T09:00", asked="12:00", policy_rev=3),
            stopped("desk", at="2026-03-03T09:00:30", asked="13:00", policy_rev=3),
        ],
        (of_rules(R15=LOCKED, R16=SEVEN_HOURS), of_rules(R16=SEVEN_HOURS)),
    ),
}


@pytest.mark.parametrize("rare", RARE)
def test_the_naive_fold_gives_the_same_bytes_of_what_is_rare(rare: str) -> None:
    told, under = RARE[rare]
    log = [press.logged(offset) for offset, press in enumerate(told)]
    assert naive_bodies(log, stated_in_turn(under)) == bodies_of(log, under)
