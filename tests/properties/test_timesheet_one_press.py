"""One press in two modes, from one state: a mode refuses exactly what `flag` flags, and a switch ends what runs."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.projector.domain import effect
from services.projector.domain.entry import LoggedPress
from services.projector.domain.fold import fold_entry
from services.projector.domain.outcomes import Kept
from services.projector.domain.rules.case import Case
from services.projector.domain.sheet.ledger import Known, Ledger
from services.projector.domain.sheet.state import Timesheet
from shared.events.durations import US_PER_SECOND
from shared.events.outcome import Outcome, State
from shared.events.policies.book import PolicyBook
from shared.events.policy import Mode, Overlap, OverlapMode
from shared.events.rules import Rule
from tests.properties.modes import OPENING, REFUSABLE, REFUSING, busy, in_mode, refusing_modes
from tests.support.proof.laws import Fault, assert_noticed
from tests.support.story.documents import Revisions, revisions
from tests.support.story.given import book_of
from tests.support.story.histories import Entry, histories

# In which order they answer: docs/contract.md, section 6.
ORDER: Final = ("R05", "R06", "R20", "R07", "R14", "R15", "R08", "R09", "R10", "R11", "R12", "R13")
SWITCHES: Final = {OverlapMode.PAUSE_PREVIOUS: State.PAUSED, OverlapMode.STOP_PREVIOUS: State.STOPPED}


def switching(mode: OverlapMode, under: Revisions) -> PolicyBook:
    """Return the book of these documents with R13 in one mode, in each of them."""
    rules = [document.rules.model_copy(update={"R13": Overlap(mode=mode)}) for document in under]
    return book_of(*(document.model_copy(update={"rules": one}) for document, one in zip(under, rules, strict=True)))


def judged_twice(log: list[Entry], book: PolicyBook, other: PolicyBook) -> Iterator[tuple[Timesheet, Outcome, Outcome]]:
    """Return, for each press of a timer, the owner's sheet after it, its outcome, and what another book makes of it.

    The history goes on with what the first book made of it.
    """
    known = Known({}, {}, {}, -1)
    for entry in log:
        ledger, beside = Ledger(0, 1, known), Ledger(0, 1, known)
        came, came_beside = fold_entry(ledger, entry, book), fold_entry(beside, entry, other)
        assert type(came) is type(came_beside)
        if isinstance(came, Kept) and isinstance(came_beside, Kept) and isinstance(entry, LoggedPress):
            said = came.outcome
            if said.subject is not None and said.owner is not None:
                yield ledger.sheet_of((said.tenant or "", said.owner)), said, came_beside.outcome
        known = Known(
            {**known.sheets, **ledger.sheets},
            {**known.owner_of, **ledger.owner_of},
            {**known.verdicts, **ledger.verdicts},
            ledger.policy_rev,
        )


def ran_beside(sheet: Timesheet, said: Outcome) -> set[int]:
    """Return the owner's other timers that ran when a press was judged: they run now, or fell due after it."""
    place = next(place for place, change in enumerate(said.changed) if change.by == "press")
    after = {change.timer for change in said.changed[place + 1 :] if change.closed is not None}
    return (after | {timer.id for timer, _ in sheet.running()}) - {said.subject}


def may_refuse(rule: Rule, sheet: Timesheet, said: Outcome) -> bool:
    """Return whether what was flagged is what a mode refuses, and not only flags in each mode.

    R13 refuses beside what runs, R14 over a minute ahead, and R15 what begins.
    """
    if rule is Rule.PAST_TIME:
        return said.event_type in OPENING
    if rule is Rule.OVERLAP:
        return bool(ran_beside(sheet, said))
    if rule is Rule.FUTURE_TIME:
        ahead = [found.amount_us or 0 for found in said.findings if found.rule == rule]
        return any(us > 60 * US_PER_SECOND for us in ahead)
    return True


# The laws. Each is a property, and is shown to notice a fault of the product.


def a_mode_refuses_exactly_what_flag_flags(log: list[Entry], under: Revisions, rule: Rule) -> None:
    for mode in refusing_modes(rule):
        for sheet, flagged, said in judged_twice(log, in_mode(rule, Mode.FLAG, under), in_mode(rule, mode, under)):
            if flagged.verdict == "refused":
                # The rule answers if it comes first in the order. Nobody hears what else was flagged.
                earlier = ORDER.index(rule) < ORDER.index(flagged.rule or "")
                assert said == flagged or (said.rule == rule and earlier)
            elif rule in flagged.flags and flagged.event_type in REFUSABLE[mode] and may_refuse(rule, sheet, flagged):
                event(f"{mode.value} refused {flagged.event_type}")
                assert (said.verdict, said.rule) == ("refused", rule)
            else:
                assert said == flagged


def a_switch_ends_what_runs_and_changes_nothing_else(log: list[Entry], under: Revisions, mode: OverlapMode) -> None:
    for sheet, flagged, said in judged_twice(log, switching(OverlapMode.FLAG, under), switching(mode, under)):
        if flagged.verdict == "refused" or flagged.event_type not in OPENING:
            # Of a timer that a press may end, its first minute is looked at too: before anybody knows the verdict.
            others = sheet.timers.keys() - {said.subject}
            assert but_for(others, said) == but_for(others, flagged)
            assert not any(change.by == "switch" for change in said.changed)
            continue
        running = ran_beside(sheet, flagged)
        switches = [change for change in said.changed if change.by == "switch"]
        assert [change.timer for change in switches] == sorted(running)
        for change in switches:
            event(f"switched to {change.after.state.value}")
            # A timer that runs had its last event when its interval began.
            assert change.closed is not None
            assert change.closed.end == change.after.last_at == max(said.at or change.closed.start, change.closed.start)
            assert change.after.state is SWITCHES[mode]
        assert but_for(running, said) == but_for(running, flagged)


def but_for(timers: AbstractSet[int], said: Outcome) -> Outcome:
    """Return an outcome without what it tells of some timers, and without the owner's next deadline."""
    return replace(
        said,
        findings=tuple(found for found in said.findings if found.timer_id not in timers),
        changed=tuple(change for change in said.changed if change.timer not in timers),
        due=None,
    )


Law = Callable[[list[Entry], Revisions, Any], None]
LAWS: Final[list[tuple[Law, Rule | OverlapMode]]] = [
    *((a_mode_refuses_exactly_what_flag_flags, rule) for rule in REFUSING),
    *((a_switch_ends_what_runs_and_changes_nothing_else, mode) for mode in SWITCHES),
]


def holds(law: Law, about: Rule | OverlapMode) -> Callable[[], None]:
    """Return a law as a property of one rule, or of one mode."""
    logs = histories.map(lambda log: busy(log, about)) if isinstance(about, Rule) else histories
    return given(logs, revisions, st.just(about))(law)


@pytest.mark.parametrize(("law", "about"), LAWS, ids=[f"{law.__name__} {about.value}" for law, about in LAWS])
def test_a_press_differs_in_two_modes_only_in_what_they_say(law: Law, about: Rule | OverlapMode) -> None:
    settings(max_examples=settings().max_examples // 4)(holds(law, about))()


def lets_resumes_through() -> AbstractContextManager[Any]:
    def refuses(self: Case, rule: Rule) -> bool:
        return self.terms.modes[rule] in {Mode.BLOCK, Mode.STRICT} and self.timer is None

    return patch.object(Case, "refuses", refuses)


def blocks_what_overlaps_nothing() -> AbstractContextManager[Any]:
    return patch("services.projector.domain.rules.overlap.any", lambda _: True, create=True)


def ends_before_the_last_event() -> AbstractContextManager[Any]:
    return patch.object(effect, "_switch_at", lambda case, _: case.at)


def stops_in_both() -> AbstractContextManager[Any]:
    both = dict.fromkeys(SWITCHES, State.STOPPED)
    return patch("services.projector.domain.rules.overlap._STATE_OF_THE_PREVIOUS", both)


@pytest.mark.parametrize(
    ("law", "about", "fault"),
    [
        (a_mode_refuses_exactly_what_flag_flags, Rule.DAY_OFF, lets_resumes_through),
        (a_mode_refuses_exactly_what_flag_flags, Rule.OVERLAP, blocks_what_overlaps_nothing),
        (a_switch_ends_what_runs_and_changes_nothing_else, OverlapMode.PAUSE_PREVIOUS, ends_before_the_last_event),
        (a_switch_ends_what_runs_and_changes_nothing_else, OverlapMode.PAUSE_PREVIOUS, stops_in_both),
    ],
)
def test_a_law_of_one_press_notices_a_fault(law: Law, about: Rule | OverlapMode, fault: Fault) -> None:
    """The control."""
    assert_noticed(fault, holds(law, about))
