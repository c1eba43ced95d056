"""Answers: what a verdict means to its caller, and verdicts that should not exist."""

import pytest

from services.command_api.desk.commands import Accepted, Learned, NotRecorded, Position, Refused, answer_of
from shared.events.outcome import Fact
from shared.events.rules import Rule
from tests.support.story.outcomes import TIMER, outcome

AT = Position(3, 7)


def test_a_position_is_written_as_partition_and_offset() -> None:
    assert str(AT) == "3:7"


def test_an_accepted_press_has_its_timer_and_its_place() -> None:
    assert answer_of(3, outcome()) == Accepted(TIMER, AT)


def test_a_fact_that_counts_has_its_owner_and_its_place() -> None:
    fact = Fact(kind="leave", about="2026-04-02", body={"granted": True})
    assert answer_of(3, outcome(timer=None, subject=None, fact=fact)) == Learned("dana", fact, AT)


def test_a_refused_press_has_its_rule() -> None:
    assert answer_of(3, outcome(verdict="refused", rule="R05", timer=None)) == Refused(Rule.TIMER_UNKNOWN, AT)


def test_a_press_of_a_timer_that_is_refused_has_the_state_of_the_timer() -> None:
    assert answer_of(3, outcome(verdict="refused", rule="R07")) == Refused(Rule.NOT_LEGAL_NOW, AT, TIMER.state)


def test_a_void_press_is_not_recorded() -> None:
    assert answer_of(3, outcome(verdict="void", rule="R22", timer=None)) == NotRecorded("void")


@pytest.mark.parametrize(
    "said",
    [
        {"verdict": "accepted", "timer": None},
        {"verdict": "accepted", "timer": None, "owner": None, "fact": Fact(kind="leave", body={})},
        {"verdict": "refused", "rule": None},
        {"verdict": "refused", "rule": "R99"},
        {"verdict": "unreadable"},
    ],
)
def test_a_verdict_that_makes_no_sense_is_our_fault(said: dict[str, object]) -> None:
    """A rule of a later release is among them: this release has no words for it."""
    assert answer_of(3, outcome(**said)) == Refused(Rule.INTERNAL, AT)
