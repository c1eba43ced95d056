"""Presses that are answered again or void: known keys, R21, R22, R24, and the borders between them."""

from collections.abc import Callable

import pytest

from services.projector.domain.entry import Entry
from services.projector.domain.fold import Folded, Repeated, fold_entry, refuse_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.ledger import Known, KnownOutcome, Ledger
from shared.events.policies.book import PolicyBook
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
    Came,
    Told,
    accepted,
    again,
    book_of,
    given,
    paused,
    resumed,
    started,
    stopped,
    timer_id,
    void,
)

KEY_REUSED = Came("repeated", "refused", "R24", "key_reused")


# R22: recorded after its expiry.


@pytest.mark.parametrize("logged", ["09:00", "09:00:30"])
def test_a_press_on_the_log_at_its_expiry_is_in_time(logged: str) -> None:
    given().when(started("desk", at="09:00", logged=logged, expires="09:00:30")).then(accepted())


@pytest.mark.parametrize("logged", ["09:00:30.001", "2026-03-03T09:00"])
def test_a_press_after_its_expiry_is_void(logged: str) -> None:
    """The caller was answered 503, and must be able to believe it."""
    story = given().when(started("desk", at="09:00", logged=logged, expires="09:00:30")).then(void(Rule.EXPIRED))
    assert story.outcomes == []
    assert story.sheet().timers == {}


def test_a_press_without_expiry_never_expires() -> None:
    given().when(started("desk", at="09:00", logged="2026-08-01T09:00")).then(accepted())


def test_a_stop_expires_like_any_other_press() -> None:
    story = given(started("desk", at="09:00"))
    story.when(stopped("desk", at="09:10", logged="09:11", expires="09:10:30")).then(void(Rule.EXPIRED))
    assert story.running("desk") is not None


def test_a_voided_key_may_be_used_again() -> None:
    story = given(started("desk", at="09:00", logged="09:01", expires="09:00:30", key="k"))
    story.when(started("desk", at="09:02", key="k")).then(accepted())


def test_an_expired_copy_of_a_judged_press_hears_the_verdict() -> None:
    story = given(started("desk", at="09:00", key="k"))
    story.when(started("desk", at="09:00", logged="09:05", expires="09:00:30", key="k")).then(again(accepted()))


# R21: the drawn id is taken.


def test_a_start_under_a_taken_id_is_void_and_changes_no_timer() -> None:
    story = given(started("desk", at="09:00"))
    before = story.timer("desk")
    story.when(started("desk", at="09:10", job_id="J-2")).then(void(Rule.ID_TAKEN))
    assert story.timer("desk") == before


def test_an_id_drawn_by_a_refused_start_is_free() -> None:
    given(started("desk", at="09:00", asked="12:00")).when(started("desk", at="09:10")).then(accepted())


def test_an_id_drawn_by_a_void_start_is_free() -> None:
    story = given(started("desk", at="09:00", logged="09:01", expires="09:00:30"))
    story.when(started("desk", at="09:10")).then(accepted())


def test_an_expired_start_under_a_taken_id_is_expired() -> None:
    story = given(started("desk", at="09:00"))
    story.when(started("desk", at="09:10", logged="09:11", expires="09:10:30")).then(void(Rule.EXPIRED))


def test_two_requests_under_one_key_hear_of_one_timer() -> None:
    """Two API processes drew an id each for one impatient caller."""
    story = given().when(started("desk", at="09:00", key="k", digest="same"))
    story.when(started("phone", at="09:00", key="k", digest="same")).then(again(accepted()))
    assert story.outcome.timer is not None
    assert story.outcome.timer.id == timer_id("desk")
    assert set(story.sheet().timers) == {timer_id("desk")}


# Known, for 30 days of log time.


def test_a_key_is_known_for_thirty_days_of_log_time() -> None:
    story = given(started("desk", at="2026-03-02T09:00", key="k", digest="same"))
    story.when(started("phone", at="2026-04-01T08:59:59.999", key="k", digest="same")).then(again(accepted()))


def test_after_thirty_days_to_the_millisecond_a_key_is_new() -> None:
    story = given(started("desk", at="2026-03-02T09:00", key="k", digest="same"))
    story.when(started("phone", at="2026-04-01T09:00", key="k", digest="same"))
    assert story.outcome.flags == ("R13",)
    assert set(story.sheet().timers) == {timer_id("desk"), timer_id("phone")}


def test_it_is_the_log_that_counts_the_days() -> None:
    """A copy that lay in a producer for a month is judged as new, although its own time is a month old."""
    story = given(started("desk", at="2026-03-02T09:00", key="k", digest="same"))
    story.when(started("phone", at="2026-03-02T09:00", logged="2026-04-01T09:00", key="k", digest="same"))
    assert isinstance(story.answers[-1], Kept)


def test_a_repeat_does_not_make_the_first_answer_younger() -> None:
    story = given(
        started("desk", at="2026-03-02T09:00", key="k", digest="same"),
        started("desk", at="2026-03-20T09:00", key="k", digest="same"),
    )
    story.when(started("phone", at="2026-04-01T09:00", key="k", digest="same"))
    assert isinstance(story.answers[-1], Kept)


def test_the_newest_verdict_on_a_key_is_the_one_that_is_known() -> None:
    story = given(started("desk", at="2026-03-02T09:00", key="k", digest="same"))
    story.when(started("phone", at="2026-04-01T09:00", key="k", digest="same"))
    second = story.answers[-1].body
    story.when(started("car", at="2026-04-20T09:00", key="k", digest="same"))
    assert story.answers[-1].body == second


def test_another_body_after_thirty_days_is_no_reused_key() -> None:
    story = given(started("desk", at="2026-03-02T09:00", key="k", digest="one"))
    story.when(started("phone", at="2026-04-01T08:59:59.999", key="k", digest="other")).then(KEY_REUSED)
    story.when(started("phone", at="2026-04-01T09:00", key="k", digest="other"))
    assert isinstance(story.answers[-1], Kept)


def test_a_refusal_is_remembered_like_any_other_answer() -> None:
    story = given(started("desk", at="09:00")).when(resumed("desk", at="09:10", key="k"))
    story.when(paused("desk", at="09:20"), resumed("desk", at="09:30", key="k"))
    assert story.answers[-1].body == story.answers[1].body
    assert story.running("desk") is None


def test_a_reused_key_comes_before_every_other_refusal() -> None:
    story = given(started("desk", at="09:00", key="k", digest="one"))
    story.when(started("desk", at="09:10", logged="09:20", expires="09:10:30", key="k", digest="other"))
    story.then(KEY_REUSED)


# The row of the first answer is damaged.


def damaged(first: Told) -> Ledger:
    """Return what is known of a press when the row of its outcome cannot be read: that it was judged, and when."""
    press = first.logged(0)
    known = KnownOutcome(digest=None, log_time=press.log_time, body=b"")
    return Ledger(0, 1, Known({}, {}, {press.envelope.event_id: known}, -1))


@pytest.mark.parametrize("digest", ["same", "other"])
@pytest.mark.parametrize("fold", [fold_entry, refuse_entry])
def test_a_retry_of_a_press_whose_answer_is_damaged_is_not_judged_again(
    fold: Callable[[Ledger, Entry, PolicyBook], Folded], digest: str
) -> None:
    """Nor is it called another request under a used key: what was asked cannot be read either."""
    ledger = damaged(started("desk", at="2026-03-02T09:00", key="k", digest="same"))
    retry = started("phone", at="2026-04-01T08:59:59.999", key="k", digest=digest)
    assert fold(ledger, retry.logged(1), book_of(JERUSALEM)) == Repeated(b"")
    assert (ledger.sheets, ledger.verdicts) == ({}, {})


def test_a_damaged_answer_is_forgotten_like_any_other() -> None:
    ledger = damaged(started("desk", at="2026-03-02T09:00", key="k", digest="same"))
    later = started("phone", at="2026-04-01T09:00", key="k", digest="same")
    assert isinstance(fold_entry(ledger, later.logged(1), book_of(JERUSALEM)), Kept)
