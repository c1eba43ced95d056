"""Records that should not be there: wrong partitions (R23), unread policies, unreadable records, our own failures."""

from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

import pytest

from services.projector.domain.entry import UnreadableRecord
from services.projector.domain.fold import Voided, fold_entry, refuse_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.ledger import Known, Ledger
from shared.events.codec import Unreadable
from shared.events.ids import partition_of, slot_of
from shared.events.models import DeadlineReached, OwnerProfileSet
from shared.events.outcome import Outcome, outcome_key, read_outcome
from shared.events.policies.book import PolicyBook
from shared.events.rules import Rule
from tests.support.story.given import (
    JERUSALEM,
    NOAM,
    Story,
    accepted,
    again,
    book_of,
    fact,
    given,
    moment,
    new_ledger,
    paused,
    refused,
    resumed,
    started,
    stopped,
    timer_id,
    void,
)

# R23: records that should not be there.


def test_presses_lie_on_the_partition_of_their_owner() -> None:
    home = partition_of(slot_of("acme", "dana"), 12)
    came = [
        read_outcome(fold_entry(new_ledger(kpart, 12), started("desk", at="09:00").logged(0), book_of(JERUSALEM)).body)
        for kpart in range(12)
    ]
    wrong = ("refused", "R23", "wrong_partition")
    assert [(o.verdict, o.rule, o.reason) for o in came] == [
        ("accepted", None, None) if kpart == home else wrong for kpart in range(12)
    ]


@pytest.mark.parametrize("press", [paused, resumed, stopped])
def test_a_press_by_id_alone_lies_on_the_partition_of_its_id(press: type) -> None:
    home = partition_of(slot_of("acme", "dana"), 12)
    logged = press("desk", at="09:00").logged(0)
    rules = [
        read_outcome(fold_entry(new_ledger(kpart, 12), logged, book_of(JERUSALEM)).body).rule for kpart in range(12)
    ]
    assert rules == ["R05" if kpart == home else "R23" for kpart in range(12)]


def test_an_owner_fact_lies_on_the_partition_of_its_owner() -> None:
    home = partition_of(slot_of("acme", "dana"), 12)
    logged = fact(OwnerProfileSet, "09:00", zone="Europe/Berlin").logged(0)
    verdicts = [
        read_outcome(fold_entry(new_ledger(kpart, 12), logged, book_of(JERUSALEM)).body).verdict for kpart in range(12)
    ]
    assert verdicts == ["accepted" if kpart == home else "refused" for kpart in range(12)]


def test_a_start_with_an_id_of_another_owners_slot_is_refused() -> None:
    """On a log of one partition the record is where it should be, but later presses would not find the id's owner."""
    told = started("desk", at="09:00")
    elsewhere = type(told)(told.event, timer_id("desk", owner="noam"), told.recorded_at, told.log_time)
    Story().when(elsewhere).then(refused(Rule.INTERNAL, reason="wrong_partition"))


def test_a_tenant_without_policy_is_refused() -> None:
    Story(PolicyBook()).when(started("desk", at="09:00", policy_rev=-1)).then(
        refused(Rule.INTERNAL, reason="no_policy")
    )
    Story().when(started("desk", at="09:00", tenant="third")).then(refused(Rule.INTERNAL, reason="no_policy"))


def test_a_policy_that_the_api_had_not_seen_does_not_judge() -> None:
    Story().when(started("desk", at="09:00", policy_rev=-1)).then(refused(Rule.INTERNAL, reason="no_policy"))


def test_a_press_that_names_a_revision_that_was_never_written_is_refused() -> None:
    """No policy will come to wait for. The revision is not carried on, so the next press is judged as usual."""
    story = Story().when(started("desk", at="09:00", policy_rev=1 << 62))
    story.then(refused(Rule.INTERNAL, reason="no_such_policy"))
    assert story.outcome.policy_rev == -1
    story.when(started("phone", at="09:01", policy_rev=1)).then(accepted())


def test_our_failure_on_a_press_carries_on_no_unwritten_revision() -> None:
    story = Story()
    refuse_entry(story.ledger, started("desk", at="09:00", policy_rev=1 << 62).logged(0), story.book)
    assert story.ledger.policy_rev == -1


def test_a_refusal_of_ours_names_no_owner() -> None:
    story = Story(PolicyBook()).when(started("desk", at="09:00"))
    assert (story.outcome.owner, story.outcome.timer, story.outcome.policy_revision) == (None, None, None)
    assert outcome_key(story.outcome) == b"acme"


# Policies.


def test_a_press_is_judged_by_what_its_api_had_applied() -> None:
    kolkata = JERUSALEM.model_copy(update={"zone": "Asia/Kolkata"})
    story = Story(book_of(JERUSALEM, kolkata))
    story.when(started("desk", at="09:00", policy_rev=1))
    assert (story.outcome.policy_rev, story.outcome.policy_revision) == (1, 0)
    assert story.outcome.changed[0].opened is not None
    assert story.outcome.changed[0].opened.zone == "Asia/Jerusalem"
    story.when(started("phone", at="09:10", policy_rev=3))
    assert (story.outcome.policy_rev, story.outcome.policy_revision) == (3, 2)
    assert story.outcome.changed[0].opened is not None
    assert story.outcome.changed[0].opened.zone == "Asia/Kolkata"


def test_a_partition_never_judges_by_an_older_policy_again() -> None:
    story = Story(book_of(JERUSALEM, JERUSALEM))
    story.when(started("desk", at="09:00", policy_rev=3), started("phone", at="09:10", policy_rev=1))
    assert (story.outcome.policy_rev, story.outcome.policy_revision) == (3, 2)


def test_only_what_is_kept_raises_the_partitions_revision() -> None:
    story = Story(book_of(JERUSALEM, JERUSALEM)).when(started("desk", at="09:00", policy_rev=1, key="k"))
    story.when(
        started("desk", at="09:01", policy_rev=3),
        started("car", at="09:02", logged="09:03", expires="09:02:30", policy_rev=3),
        started("desk", at="09:04", policy_rev=3, key="k"),
    ).then(void(Rule.ID_TAKEN), void(Rule.EXPIRED), again(accepted()))
    assert story.ledger.policy_rev == 1
    story.when(started("phone", at="09:05", policy_rev=1))
    assert story.outcome.policy_revision == 0


def test_a_refused_press_raises_the_partitions_revision() -> None:
    story = Story(book_of(JERUSALEM, JERUSALEM)).when(paused("desk", at="09:00", policy_rev=3))
    assert story.ledger.policy_rev == 3


# Deadlines, unreadable records, and our own failures.


def test_a_deadline_for_which_nothing_fell_due_is_void() -> None:
    """Doubled, early and late deadlines do no harm."""
    story = given(started("desk", at="09:00")).when(fact(DeadlineReached, "09:30"), fact(DeadlineReached, "09:30"))
    story.then(void(None), void(None))
    assert isinstance(story.answers[-1], Voided)
    assert story.answers[-1].rule is None


def test_a_void_deadline_says_whom_it_looked_at() -> None:
    """Its owner's row moves with the commit, or the clock would tick for ever."""
    story = given(started("desk", at="09:00")).when(fact(DeadlineReached, "09:30"))
    assert isinstance(story.answers[-1], Voided)
    assert (story.answers[-1].owner, story.answers[-1].due) == (("acme", "dana"), None)


def test_an_expired_deadline_looks_at_nobody() -> None:
    expired = replace(fact(DeadlineReached, "09:30"), expires_at=moment("09:29"))
    story = given(started("desk", at="09:00")).when(expired).then(void(Rule.EXPIRED))
    assert isinstance(story.answers[-1], Voided)
    assert story.answers[-1].owner is None


def test_a_deadline_from_a_stranger_is_a_look_and_nothing_more() -> None:
    """Any role, any time that it asks for, an owner whom nobody knows: the log time and the sheet decide."""
    story = given(started("desk", at="09:00")).when(
        fact(DeadlineReached, "09:30", actor=NOAM),
        fact(DeadlineReached, "09:31", asked_at="2026-03-09T09:00:00Z"),
        fact(DeadlineReached, "09:32", owner="nobody"),
    )
    story.then(void(None), void(None), void(None))
    assert [owner for owner, sheet in story.ledger.sheets.items() if sheet.timers] == [("acme", "dana")]


def test_an_unreadable_record_says_only_that_something_was_there() -> None:
    ledger = Ledger(0, 1, Known({}, {}, {}, 7))
    kept = refuse_entry(ledger, UnreadableRecord(41, moment("09:00"), Unreadable("no_body")), book_of(JERUSALEM))
    nothing: dict[str, Any] = dict.fromkeys(
        (
            *("event_id", "event_type", "subject", "tenant", "owner", "actor", "dialect", "digest"),
            *("recorded_at", "asked_at", "at", "policy_revision"),
        )
    )
    said = {"source_offset": 41, "log_time": moment("09:00"), "policy_rev": 7}
    expected = Outcome(**nothing | said, verdict="unreadable", reason="no_body")
    assert isinstance(kept, Kept)
    assert kept.outcome == read_outcome(kept.body) == expected
    assert outcome_key(kept.outcome) is None
    assert (ledger.sheets, ledger.verdicts) == ({}, {})


def test_our_failure_on_a_press_names_the_event_and_actor_alone() -> None:
    """The actor is named so that a person may read the end of their own press."""
    ledger = new_ledger()
    press = started("desk", at="09:00", asked="08:59", job_id="J-1").logged(41)
    kept = refuse_entry(ledger, press, book_of(JERUSALEM))
    assert isinstance(kept, Kept)
    said = {name: value for name, value in asdict(kept.outcome).items() if value not in (None, (), [])}
    assert said == {
        "v": 1,
        "source_offset": 41,
        "event_id": UUID(int=42),
        "event_type": "timer.started.v1",
        "subject": timer_id("desk"),
        "tenant": "acme",
        "actor": {"client": "crm", "person": None, "role": "machine"},
        "digest": press.event.digest,
        "log_time": moment("09:00"),
        "policy_rev": 1,
        "verdict": "refused",
        "rule": "R23",
        "reason": "internal",
    }
    assert read_outcome(kept.body) == kept.outcome
    assert ledger.sheets == {}


def test_a_retry_of_a_press_that_we_failed_on_hears_the_failure() -> None:
    story = Story()
    press = started("desk", at="09:00", key="k")
    failed = refuse_entry(story.ledger, press.logged(0), story.book)
    story.when(press)
    assert story.answers[-1].body == failed.body


def test_a_log_whose_clock_went_back_still_knows_its_keys() -> None:
    """Another broker became the leader, and its clock is two seconds behind."""
    story = given(started("desk", at="09:00", key="k", digest="same"))
    story.when(started("phone", at="09:00", logged="08:59:58", key="k", digest="same")).then(again(accepted()))


def test_an_outcome_says_when_it_was_heard_logged_asked_and_counted() -> None:
    story = given().when(started("desk", at="09:00:00.123456", logged="09:00:01", asked="08:59:58.5"))
    said = story.outcome
    assert (said.recorded_at, said.log_time, said.asked_at, said.at) == (
        moment("09:00:00.123456"),
        moment("09:00:01"),
        moment("08:59:58.5"),
        moment("08:59:58.5"),
    )
    assert said.source_offset == 0
