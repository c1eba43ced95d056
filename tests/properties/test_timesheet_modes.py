"""Modes: two modes of a rule differ in what they refuse, and in nothing else."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from services.projector.domain.entry import LoggedPress
from services.projector.domain.rules.case import Case
from shared.events.models import DeadlineReached
from shared.events.outcome import CHANGES_MAX, Outcome
from shared.events.policies import book
from shared.events.policies.book import PolicyBook
from shared.events.policies.terms import Terms, terms_of
from shared.events.policy import Mode, Policy
from shared.events.rules import LATE, Rule
from tests.properties.modes import REFUSABLE, REFUSING, busy, in_mode, refusing_modes
from tests.support.proof.laws import Fault, assert_noticed
from tests.support.story.documents import Revisions, revisions
from tests.support.story.folded import folded_by, kept_of
from tests.support.story.histories import Entry, histories

# Without R16, whose `off` means also that nothing stops by itself.
FLAGGING: Final = (*REFUSING, Rule.OVERFULL_DAY, Rule.LATE_PRESS)


def judged(log: Sequence[Entry], book: PolicyBook) -> list[Outcome]:
    """Return the outcomes that were kept."""
    return [one.outcome for one in kept_of(folded_by(log, book)[1])]


def unrefused(log: Sequence[Entry], rule: Rule, book: PolicyBook) -> list[Entry]:
    """Return the log without the presses that a rule refuses. Without them, it may refuse others."""
    left = list(log)
    while refused := {said.source_offset for said in judged(left, book) if said.rule == rule}:
        event(f"{rule.value} refused")
        left = [entry for entry in left if entry.offset not in refused]
    return left


def without(rule: Rule, said: Outcome) -> dict[str, Any]:
    """Return an outcome without what a rule that only flags says, and without the owner's next deadline."""
    labels = {rule.value, LATE} if rule is Rule.LATE_PRESS else {rule.value}
    told: dict[str, Any] = asdict(replace(said, due=None))
    told["findings"] = [found for found in told["findings"] if found["rule"] != rule.value]
    # A flag on a timer is a change of its own where nothing else happened to it.
    changed = [change for change in told["changed"] if change["by"] != "settle" or change["opened"] or change["closed"]]
    told["changed"] = changed
    for labelled in (told, told["timer"], *(change["after"] for change in changed)):
        if labelled is not None:
            labelled["flags"] = [label for label in labelled["flags"] if label not in labels]
    for change in changed:
        for part in (change["closed"] or {}).get("days", ()):
            part["after_lock"] = None if rule is Rule.PAST_TIME else part["after_lock"]
    return told


# The laws. Each is a property, and is shown to notice a fault of the product.


def a_mode_refuses_only_what_it_may(log: list[Entry], under: Revisions, rule: Rule) -> None:
    for mode in (Mode.OFF, Mode.FLAG, *refusing_modes(rule)):
        for said in judged(log, in_mode(rule, mode, under)):
            if said.rule == rule:
                assert said.event_type in REFUSABLE.get(mode, set())


def modes_that_refuse_nothing_give_the_same_bytes(log: list[Entry], under: Revisions, rule: Rule) -> None:
    for mode in refusing_modes(rule):
        book = in_mode(rule, mode, under)
        left = unrefused(log, rule, book)
        assert judged(left, book) == judged(left, in_mode(rule, Mode.FLAG, under))


def a_flag_changes_nothing_but_labels_and_findings(log: list[Entry], under: Revisions, rule: Rule) -> None:
    # A tick that finds something is kept, and one that does not is void: then the policies go on otherwise.
    presses = [entry for entry in log if not is_tick(entry)]
    flagged, quiet = judged(presses, in_mode(rule, Mode.FLAG, under)), judged(presses, in_mode(rule, Mode.OFF, under))
    # What an outcome has no room for comes with the next record, and then not with the same one in both.
    assume(all(len(said.findings) < CHANGES_MAX // 4 for said in (*flagged, *quiet)))
    assert [without(rule, said) for said in flagged] == [without(rule, said) for said in quiet]


def is_tick(entry: Entry) -> bool:
    return isinstance(entry, LoggedPress) and isinstance(entry.event, DeadlineReached)


Law = Callable[[list[Entry], Revisions, Rule], None]


def holds(law: Law, rule: Rule) -> Callable[[], None]:
    """Return a law as a property of one rule."""
    return given(histories.map(lambda log: busy(log, rule)), revisions, st.just(rule))(law)


LAWS: Final = [
    *((a_mode_refuses_only_what_it_may, rule) for rule in REFUSING),
    *((modes_that_refuse_nothing_give_the_same_bytes, rule) for rule in REFUSING),
    *((a_flag_changes_nothing_but_labels_and_findings, rule) for rule in FLAGGING),
]


@pytest.mark.parametrize(("law", "rule"), LAWS, ids=[f"{law.__name__} {rule.value}" for law, rule in LAWS])
def test_two_modes_differ_only_in_what_they_refuse(law: Law, rule: Rule) -> None:
    settings(max_examples=settings().max_examples // 4)(holds(law, rule))()


def refuses_stops_too() -> AbstractContextManager[Any]:
    def refuses(self: Case, rule: Rule) -> bool:
        return self.terms.modes[rule] in {Mode.BLOCK, Mode.STRICT}

    return patch.object(Case, "refuses", refuses)


def finds_nothing_in_strict() -> AbstractContextManager[Any]:
    def terms(document: Policy) -> Terms:
        asked = terms_of(document)
        return replace(asked, on=asked.on - {rule for rule, mode in asked.modes.items() if mode is Mode.STRICT})

    return patch.object(book, "terms_of", terms)


def refuses_what_it_flags() -> AbstractContextManager[Any]:
    def refuses(self: Case, _: Rule) -> bool:
        return self.opens

    return patch.object(Case, "refuses", refuses)


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        (a_mode_refuses_only_what_it_may, refuses_stops_too),
        (modes_that_refuse_nothing_give_the_same_bytes, finds_nothing_in_strict),
        (a_flag_changes_nothing_but_labels_and_findings, refuses_what_it_flags),
    ],
)
def test_a_law_of_modes_notices_a_fault(law: Law, fault: Fault) -> None:
    """The control."""
    assert_noticed(fault, holds(law, Rule.OVER_DAILY_CAP))
