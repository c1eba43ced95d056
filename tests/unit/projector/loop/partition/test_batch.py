"""A batch: the records up to the first that must wait, and the waiters for its answers."""

from dataclasses import replace
from typing import Final

import pytest

from services.projector.domain.entry import UnreadableRecord
from services.projector.domain.sheet.ledger import KnownOutcome
from services.projector.loop.partition.batch import Batch, NewerEvent, PolicyUnseen, entries_of
from services.projector.loop.partition.partition import Partition
from shared.events.envelope import ReplyAddress
from shared.events.outcome import read_outcome
from shared.events.policies.book import NewerPolicyError, PolicyRecord
from tests.support.fakes.in_hand import OutcomesInHand, record, records
from tests.support.story.given import JERUSALEM, book_of, moment, paused, started, stopped
from tests.support.story.presses import Record

BOOK: Final = book_of(JERUSALEM)


def test_a_batch_ends_before_a_record_of_a_newer_version() -> None:
    newer = replace(record(paused("desk", at="09:10"), 1), headers=[("ce_type", b"timer.paused.v2")])
    log = [record(started("desk", at="09:00"), 0), newer, record(stopped("desk", at="09:20"), 2)]
    entries, stop = entries_of(log, BOOK, -1)
    assert [entry.offset for entry in entries] == [0]
    assert stop == NewerEvent("timer.paused.v2", 1)


def test_a_batch_ends_before_a_policy_that_was_not_read_yet() -> None:
    log = records(started("desk", at="09:00", policy_rev=1), stopped("desk", at="09:20", policy_rev=2))
    entries, stop = entries_of(log, BOOK, -1)
    assert [entry.offset for entry in entries] == [0]
    assert stop == PolicyUnseen(2, 1)


def test_a_press_under_a_newer_zone_waits_for_the_upgrade() -> None:
    """A verdict by the previous document would be taken back by the next release."""
    book = book_of(JERUSALEM)
    newer = PolicyRecord(replaces=0, set_by="avi", set_at=moment("08:00"), document=JERUSALEM).model_dump_json()
    with pytest.raises(NewerPolicyError):
        book.apply(2, b"acme", newer.replace("Asia/Jerusalem", "Mars/Olympus").encode(), moment("08:00"))
    log = records(started("desk", at="09:00", policy_rev=1), stopped("desk", at="09:20", policy_rev=2))
    entries, stop = entries_of(log, book, -1)
    assert ([entry.offset for entry in entries], stop) == ([0], PolicyUnseen(2, 1))


def test_a_successor_waits_for_the_policies_that_the_fold_had_met() -> None:
    """Its book may lag behind its predecessor's, and no press may be judged by an older policy than the last one."""
    log = records(started("desk", at="09:00", policy_rev=1))
    assert entries_of(log, BOOK, BOOK.position)[1] is None
    assert entries_of(log, BOOK, BOOK.position + 1) == ([], PolicyUnseen(BOOK.position + 1, 0))


def test_an_unreadable_record_ends_nothing() -> None:
    log = [
        record(started("desk", at="09:00"), 0),
        Record(1, 1_772_442_600_000, [], b"?"),
        record(stopped("desk", at="09:20"), 2),
    ]
    entries, stop = entries_of(log, BOOK, -1)
    assert [type(entry) is UnreadableRecord for entry in entries] == [False, True, False]
    assert entries[1].log_time == moment("09:10")
    assert stop is None


def test_a_batch_waits_only_for_presses_with_a_reply_address() -> None:
    told = started("desk", at="09:00").logged(0)
    envelope = replace(told.envelope, reply=ReplyAddress("timer.replies.v1", 3, "r-1"))
    waited = replace(told, press=replace(told.press, envelope=envelope))
    assert [Batch.is_waited_for(entry) for entry in (told, waited)] == [False, True]


def test_a_request_whose_answer_is_damaged_has_no_reply() -> None:
    """A reply without an outcome would be one that no API can read, and take those beside it along."""
    first, other = started("desk", at="09:00", key="k").logged(0), started("desk", at="09:10").logged(1)
    known = KnownOutcome(digest=None, log_time=first.log_time, body=b"")
    batch = Batch(Partition(0, 1, OutcomesInHand()), [first, other], {first.envelope.event_id: known}).fold(BOOK)
    [(_, body)] = batch.replies()
    assert read_outcome(body).event_id == other.envelope.event_id


@pytest.mark.parametrize("revision", ["9223372036854775808", "9" * 30, "-2"])
def test_a_policy_revision_beyond_any_offset_is_unreadable(revision: str) -> None:
    """Otherwise the partition would wait for it until a person looked."""
    told = record(started("desk", at="09:00"), 0)
    headers = [(name, revision.encode() if name == "ce_policyrev" else value) for name, value in told.headers]
    entries, stop = entries_of([replace(told, headers=headers)], BOOK, -1)
    assert [type(entry) for entry in entries] == [UnreadableRecord]
    assert stop is None
