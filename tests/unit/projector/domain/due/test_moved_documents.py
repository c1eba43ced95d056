"""A press is judged by the document of its time on the log. Two documents are two, although they ask the same."""

from collections.abc import Sequence
from typing import Final

import pytest

from shared.events.policies.book import PolicyBook, PolicyRecord
from shared.events.policy import DailyCap, Mode, Overlap, OverlapMode, Policy, RuleMode, Rules
from shared.events.rules import Rule
from tests.support.proof.naive.policies import policies_in_force
from tests.support.proof.twice import naive_bodies
from tests.support.story.given import Story, found, moment, started, stopped
from tests.unit.projector.domain.due.looks import HOUR, policy, told

R11: Final = Rule.OVER_DAILY_CAP


def capped(hours: int) -> Policy:
    cap = DailyCap(billable_seconds_per_day=hours * HOUR)
    return policy(rules=Rules(R11=cap, R13=Overlap(mode=OverlapMode.ALLOW), R17=RuleMode(mode=Mode.OFF)))


AGAIN: Final = [("00:00", capped(1)), ("14:00", capped(1))]
THERE_AND_BACK: Final = [("00:00", capped(1)), ("13:00", capped(2)), ("14:00", capped(1))]


@pytest.mark.parametrize("documents", [AGAIN, THERE_AND_BACK], ids=["again", "there and back"])
def test_what_another_document_found_at_a_start_stands_although_both_ask_the_same(
    documents: Sequence[tuple[str, Policy]],
) -> None:
    """The desk came late, and is over the cap from its start. No look at its start goes by the document of its press.

    Then the car gives back half an hour from before that.
    """
    records = [
        (
            place,
            b"acme",
            PolicyRecord(replaces=place - 1 if place else None, set_by="avi", set_at=moment(at), document=document)
            .model_dump_json(by_alias=True)
            .encode(),
            moment(at),
        )
        for place, (at, document) in enumerate(documents)
    ]
    book, last = PolicyBook(), len(records) - 1
    for record in records:
        assert book.apply(*record)
    presses = [
        started("car", at="09:00", policy_rev=0),
        started("desk", at="15:00", asked="12:00", policy_rev=last),
        stopped("car", at="15:05", asked="09:30", policy_rev=last),
        stopped("desk", at="16:00", policy_rev=last),
    ]
    story = Story(book).when(*presses)
    assert set(told(story)) == {found(R11, "car", "10:00", "10:00"), found(R11, "desk", "12:00", "16:00")}
    log = [press.logged(offset) for offset, press in enumerate(presses)]
    assert naive_bodies(log, policies_in_force(records)) == [one.body for one in story.answers]
