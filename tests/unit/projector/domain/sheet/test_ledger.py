"""The ledger: a batch's own results lie beside earlier knowledge, and count before it."""

from types import MappingProxyType

from services.projector.domain.fold import fold_entry
from services.projector.domain.sheet.ledger import Known, KnownOutcome, Ledger
from services.projector.domain.sheet.state import Timesheet
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
    Story,
    accepted,
    book_of,
    came_of,
    given,
    paused,
    refused,
    started,
    stopped,
    timer_id,
)

BEFORE = given(started("desk", at="09:00", key="k"))


def after(story: Story) -> Known:
    """Return the knowledge that a finished batch leaves for the next, in read-only maps."""
    return Known(
        MappingProxyType(story.ledger.sheets),
        MappingProxyType(story.ledger.owner_of),
        MappingProxyType(story.ledger.verdicts),
        story.ledger.policy_rev,
    )


def test_a_new_batch_knows_all_that_was_known_before_it() -> None:
    ledger = Ledger(0, 1, after(BEFORE))
    assert ledger.sheet_of(("acme", "dana")) == BEFORE.sheet()
    assert ledger.owner_of_timer(timer_id("desk")) == ("acme", "dana")
    assert ledger.policy_rev == 1
    outcome = BEFORE.outcomes[0]
    assert outcome.event_id is not None
    assert ledger.verdict_on(outcome.event_id) == KnownOutcome(outcome.digest, outcome.log_time, BEFORE.answers[0].body)


def test_a_batch_that_is_thrown_away_leaves_no_trace() -> None:
    """Its maps are read-only here, so that a write into them would raise."""
    known = after(BEFORE)
    ledger = Ledger(0, 1, known)
    fold_entry(ledger, stopped("desk", at="09:10").logged(1), book_of(JERUSALEM))
    fold_entry(ledger, started("phone", at="09:20", policy_rev=1).logged(2), book_of(JERUSALEM))
    assert Ledger(0, 1, known).sheet_of(("acme", "dana")) == BEFORE.sheet()
    assert Ledger(0, 1, known).owner_of_timer(timer_id("phone")) is None
    assert ledger.sheet_of(("acme", "dana")) != BEFORE.sheet()
    assert set(ledger.owner_of) == {timer_id("desk"), timer_id("phone")}


def test_a_batchs_own_results_count_before_earlier_knowledge() -> None:
    ledger = Ledger(0, 1, after(BEFORE))
    book = book_of(JERUSALEM)
    assert came_of(fold_entry(ledger, paused("desk", at="09:10").logged(1), book)) == accepted()
    assert came_of(fold_entry(ledger, paused("desk", at="09:20").logged(2), book)).rule == Rule.NOT_LEGAL_NOW


def test_an_unknown_owner_has_an_empty_sheet() -> None:
    assert Ledger(0, 1, Known({}, {}, {}, -1)).sheet_of(("acme", "dana")) == Timesheet("acme", "dana")


def test_a_refused_start_leaves_its_id_unknown() -> None:
    story = given().when(started("desk", at="09:00", asked="10:00"))
    assert story.ledger.owner_of == {}
    story.when(stopped("desk", at="09:10")).then(refused(Rule.TIMER_UNKNOWN))
