"""Quiet: where a sheet knows that nothing falls due, a look that does not ask it finds nothing either."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import event, given

from services.projector.domain.due import settle as settling
from services.projector.domain.due.deadlines import Outlook
from services.projector.domain.due.settle import settle
from services.projector.domain.fold import fold_entry
from services.projector.domain.sheet import evolve
from services.projector.domain.sheet.state import Quiet, Timesheet
from shared.events.outcome import CHANGES_MAX
from shared.events.policies.book import Timeline
from shared.events.value import replace
from tests.support.proof.laws import Fault, assert_noticed
from tests.support.story.documents import Revisions, revisions
from tests.support.story.folded import folded
from tests.support.story.given import book_of, new_ledger
from tests.support.story.histories import Entry, histories

US: Final = timedelta(microseconds=1)
# Long after the first minute of any interval, in which less falls due.
LONG_AFTER: Final = timedelta(days=365)


def sheets_of(log: Sequence[Entry], under: Revisions) -> Iterator[Timesheet]:
    """Return each sheet after each entry of a log."""
    ledger, book = new_ledger(), book_of(*under)
    for entry in log:
        fold_entry(ledger, entry, book)
        yield from ledger.sheets.values()


def found_by_a_look(sheet: Timesheet, timeline: Timeline, until: datetime) -> bool:
    """Return whether anything falls due up to a moment for any timer, found without what the sheet knows."""
    return settle(replace(sheet, quiet=None), timeline, until, until + LONG_AFTER, CHANGES_MAX, sheet.timers).found


# The laws. Each is a property, and is shown to notice a fault of the product.


def nothing_is_found_where_a_sheet_is_quiet(log: list[Entry], under: Revisions) -> None:
    for sheet in sheets_of(log, under):
        quiet = sheet.quiet
        if quiet is None:
            continue
        for moment in (quiet.since, quiet.since + (quiet.until - quiet.since) // 2, quiet.until - US):
            if sheet.is_quiet(quiet.timeline, moment):
                event("looked at")
                assert not found_by_a_look(sheet, quiet.timeline, moment)
                assert not found_by_a_look(sheet.trimmed(0), quiet.timeline, moment)


def a_fold_that_asks_no_sheet_is_the_same(log: list[Entry], under: Revisions) -> None:
    ledger, came = folded(log, under)
    with patch.object(Timesheet, "is_quiet", lambda *_: False):
        slow, slowly = folded(log, under)
    assert (came, ledger.sheets) == (slowly, slow.sheets)


Law = Callable[[list[Entry], Revisions], None]


@given(histories, revisions)
def test_nothing_is_found_where_a_sheet_is_quiet(log: list[Entry], under: Revisions) -> None:
    nothing_is_found_where_a_sheet_is_quiet(log, under)


@given(histories, revisions)
def test_a_fold_that_asks_no_sheet_is_the_same(log: list[Entry], under: Revisions) -> None:
    a_fold_that_asks_no_sheet_is_the_same(log, under)


def quiet_for_an_hour_more() -> AbstractContextManager[Any]:
    return patch.object(settling, "Quiet", lambda *known: replace(Quiet(*known), until=known[2] + timedelta(hours=1)))


def quiet_whatever_was_looked_at() -> AbstractContextManager[Any]:
    """Of an interval that began long ago, leave out the days that were not looked at."""
    return patch.object(Outlook, "is_whole", property(lambda _: True, lambda *_: None), create=True)


def quiet_after_a_change() -> AbstractContextManager[Any]:
    def keeps_quiet(before: Any, /, **said: Any) -> Any:  # noqa: ANN401 - any value
        return replace(before, **{name: to for name, to in said.items() if name != "quiet"})

    return patch.object(evolve, "replace", keeps_quiet)


def quiet_by_any_policy() -> AbstractContextManager[Any]:
    def is_quiet(self: Timesheet, _: Timeline, moment: datetime) -> bool:
        return self.quiet is not None and self.quiet.since <= moment < self.quiet.until

    return patch.object(Timesheet, "is_quiet", is_quiet)


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        (nothing_is_found_where_a_sheet_is_quiet, quiet_for_an_hour_more),
        (nothing_is_found_where_a_sheet_is_quiet, quiet_whatever_was_looked_at),
        (a_fold_that_asks_no_sheet_is_the_same, quiet_after_a_change),
        (a_fold_that_asks_no_sheet_is_the_same, quiet_by_any_policy),
    ],
)
def test_a_law_of_quiet_notices_a_fault(law: Law, fault: Fault) -> None:
    """The control."""
    assert_noticed(fault, given(histories, revisions)(law))
