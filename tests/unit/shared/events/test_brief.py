"""What an answer needs of an outcome, read without the rest."""

from dataclasses import fields

import pytest

from shared.events.brief import BriefOutcome, BriefReply, read_brief_replies
from shared.events.outcome import Outcome, Reply, UnreadableOutcomeError, join_replies, read_replies, write_outcome
from tests.support.story.outcomes import outcome


def test_the_members_are_those_of_an_outcome() -> None:
    """A format has one definition: a member that changes there changes here."""
    theirs = {field.name: (field.type, field.default) for field in fields(Outcome)}
    for field in fields(BriefOutcome):
        assert (field.type, field.default) == theirs[field.name]
    assert [field.name for field in fields(BriefReply)] == [field.name for field in fields(Reply)]


@pytest.mark.parametrize(
    "said", [outcome(), outcome(verdict="refused", rule="R07"), outcome(verdict="void", rule="R21", timer=None)]
)
def test_what_is_heard_is_what_the_outcome_says(said: Outcome) -> None:
    record = join_replies([("r-1", write_outcome(said)), ("r-2", write_outcome(said))])
    (first, second), whole = read_brief_replies(record), read_replies(record)
    assert [first.request_id, second.request_id] == [reply.request_id for reply in whole]
    for field in fields(BriefOutcome):
        assert getattr(first.outcome, field.name) == getattr(whole[0].outcome, field.name)


@pytest.mark.parametrize(("ours", "newer"), [(b'"v":1', b'"v":2'), (b'"verdict":"accepted"', b'"verdict":"postponed"')])
def test_a_newer_outcome_is_not_guessed_at(ours: bytes, newer: bytes) -> None:
    record = join_replies([("r-1", write_outcome(outcome()).replace(ours, newer, 1))])
    with pytest.raises(UnreadableOutcomeError):
        read_brief_replies(record)
